//! A host with Twinlock set up by hand, as configuration management does it, so that a
//! test starts in the state it needs, without an Argon2 run for every recovery code.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use data_encoding::BASE32_NOPAD;
use sha1::{Digest, Sha1};

use crate::command::Enrolled;
use crate::otp::Authenticator;
use crate::world::World;

/// Where the configuration is.
pub const CONFIG: &str = "/etc/twinlock/config.toml";
/// Where the store is.
pub const STORE: &str = "/var/lib/twinlock";

/// The id of the store, beside the configuration.
pub const BESIDE: &str = "/etc/twinlock/store-id";
/// What is in it, and in `store-id` of the store.
const ID_OF_STORE: &str = "5eed5eed5eed5eed5eed5eed5eed5eed\n";

/// The id of a deployed authenticator.
const ID: &str = "phone1";
/// Recovery codes of a real enrolment, with their hashes.
const RECOVERY: [(&str, &str); 10] = [
    ("6N93-E2Y9-298M-ZYZM", "b+kHPmsj+bU2fPtWTmV25DBOmLXCx6PNbwqeU++n7S0"),
    ("XGZF-C45J-EYH8-T9RG", "V9kQxMBZylN3OPi7yhjpXw78lTmtM1pSU48n631ct2w"),
    ("GFAZ-VS46-EQSX-TBMM", "/9HwHmmh7nlsPYaklVYjuF8Hs12Z3Ydd1FGDDwFyY3w"),
    ("1DHA-YSAR-4RQ9-CYS4", "hyTbQVMQ4Pbm0p2+5UTaiQlVZ7yNBUTPuVavcEjggjo"),
    ("YVVR-9E62-VP64-RNFT", "k/zMas8rLSsUMsybhxpVz7oShGFgAGrHXPjkaMiz9o8"),
    ("B1M9-KS01-BTR3-0Q3D", "nF+BrCdLbyAsMVvSFE4AE0h8kmsl3Pq1cnB7yM5bur4"),
    ("3VZF-0BWH-1Z6P-2XEC", "yx9VFHPM0xF19l1T4VuaFAMWzn6WphNTbS4M3q59bTA"),
    ("ESYP-NMRQ-C3MN-QBT9", "ma51D0ze+YMKdJzjJbi1RYqc9e93kzHmel/lnRNSPOg"),
    ("YN4A-S7JQ-8WB5-5HF0", "cBqcxOMYBm7DP0zwjuiXjAT3+ueFUP34O8Vgh6nQ1D8"),
    ("HC9B-79GG-0AW3-GF4Z", "h0A4VJwwQwSMK2jkpaMsZhWn+sIzTgO7m5VViDvif/I"),
];
const PARAMETERS: &str = "$argon2id$v=19$m=19456,t=2,p=1$t2R+sBjlrUzz7fVrIAh+rQ$";

impl World {
    /// Writes the configuration and makes the empty store.
    pub fn set_up(&self, config: &str) {
        self.write(CONFIG, config);
        self.make_store();
    }

    /// Makes the empty store and the ids by which it is this host's, as `twinlock store init` does.
    pub fn make_store(&self) {
        for folder in ["", "credentials", "state", "uid"] {
            let path = Path::new(STORE).join(folder);
            fs::create_dir_all(&path).expect("/var is ours");
            fs::set_permissions(path, Permissions::from_mode(0o700)).expect("just made");
        }
        self.write(BESIDE, ID_OF_STORE);
        self.write_secret(Path::new(STORE).join("store-id"), ID_OF_STORE);
    }

    /// Deploys credentials for `user`, with a secret of its own, ten recovery codes and no uid. There is no state yet.
    pub fn deploy(&self, user: &str) -> Enrolled {
        let secret = secret_of(user);
        let one = |(id, (_, hash)): (u8, (&str, &str))| format!("{{ id = {id}, hash = \"{PARAMETERS}{hash}\" }},\n");
        let codes = (1..).zip(RECOVERY).map(one).collect::<Vec<_>>().concat();
        self.write_secret(
            credentials_of(user),
            format!(
                "version = 1\nuser = \"{user}\"\n\n[[authenticator]]\nid = \"{ID}\"\nlabel = \"phone\"\ntype = \"totp\"\n\
                 secret = \"{secret}\"\nalgorithm = \"SHA1\"\ndigits = 6\nperiod = 30\n\n\
                 [recovery]\nset = \"set1\"\ncodes = [\n{codes}]\n"
            ),
        );
        Enrolled {
            user: user.into(),
            id: ID.into(),
            label: "phone".into(),
            authenticator: self.app_of(user),
            recovery_codes: RECOVERY.iter().map(|(code, _)| (*code).to_owned()).collect(),
        }
    }

    /// The app of a user that [`World::deploy`] has enrolled, or will.
    pub fn app_of(&self, user: &str) -> Authenticator {
        Authenticator::from_base32(&secret_of(user))
    }

    /// Writes a file with mode 0600.
    pub fn write_secret(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        self.write(&path, content);
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("just written");
    }
}

/// A secret that hangs on the name alone, in base32.
fn secret_of(user: &str) -> String {
    BASE32_NOPAD.encode(&Sha1::digest(user.as_bytes()))
}

/// Where the credentials of a user with a plain name are.
pub fn credentials_of(user: &str) -> PathBuf {
    Path::new(STORE).join(format!("credentials/{user}.toml"))
}

/// Where the state of a user with a plain name is.
pub fn state_of(user: &str) -> PathBuf {
    Path::new(STORE).join("state").join(user)
}

/// Sets the mode of a file or folder.
///
/// # Panics
/// When it is not there.
pub fn set_mode(path: impl AsRef<Path>, mode: u32) {
    let set = fs::set_permissions(&path, Permissions::from_mode(mode));
    set.unwrap_or_else(|error| panic!("cannot set the mode of {}: {error}", path.as_ref().display()));
}
