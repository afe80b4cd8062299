//! A host on which Twinlock was switched on as the shipped files have it: the very files of `config/`, between
//! stand-ins for what the distribution brings, so that every machine tests both families.

use std::fs;
use std::path::Path;

use crate::launch::Launch;
use crate::sshd::Sshd;
use crate::world::World;

/// A family of distributions, as `config/pam.d/` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Debian 12, Ubuntu.
    Debian,
    /// RHEL 9 and what is built from it, Fedora.
    Rhel,
}

impl Family {
    /// The shipped stack of this name, below `config/`.
    fn stack(self, name: &str) -> String {
        match self {
            Self::Debian => format!("pam.d/debian/{name}"),
            Self::Rhel => format!("pam.d/rhel/{name}"),
        }
    }
}

/// What is asked for before the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactor {
    /// `key-and-code`.
    Key,
    /// `password-and-code`.
    Password,
}

impl FirstFactor {
    /// As the shipped files are called.
    const fn variant(self) -> &'static str {
        match self {
            Self::Key => "key-and-code",
            Self::Password => "password-and-code",
        }
    }
}

/// The main file of Debian 12, without its comments; `internal-sftp` stands at one place everywhere.
const DEBIAN_SSHD_CONFIG: &str = "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n\
    X11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp internal-sftp\n";

/// The main file of RHEL 9, without its comments.
const RHEL_SSHD_CONFIG: &str = "Include /etc/ssh/sshd_config.d/*.conf\nSubsystem sftp internal-sftp\n";

/// RHEL 9's drop-in, without its comments.
const RHEL_DROP_IN: &str = "Include /etc/crypto-policies/back-ends/opensshserver.config\nSyslogFacility AUTHPRIV\n\
    ChallengeResponseAuthentication no\nGSSAPIAuthentication yes\nGSSAPICleanupCredentials no\nUsePAM yes\n\
    X11Forwarding yes\nPrintMotd no\n";

/// What Debian's pam-auth-update generates, but for `nodelay`: otherwise `pam_unix.so` holds each wrong password back for
/// two seconds, of which no verdict depends.
const DEBIAN_PAM: &[(&str, &str)] = &[
    (
        "common-auth",
        "auth [success=1 default=ignore] pam_unix.so nullok nodelay\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    ),
    (
        "common-account",
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\n\
         account required pam_permit.so\n",
    ),
    (
        "common-session",
        "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n\
         session required pam_unix.so\n-session optional pam_systemd.so\n",
    ),
    (
        "common-session-noninteractive",
        "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n\
         session required pam_unix.so\n",
    ),
    (
        "common-password",
        "password [success=1 default=ignore] pam_unix.so obscure yescrypt\npassword requisite pam_deny.so\n\
         password required pam_permit.so\n",
    ),
    ("su-l", INCLUDES_SU),
];

/// The file of `su -`, the same in both families.
const INCLUDES_SU: &str = "auth include su\naccount include su\npassword include su\n\
    session optional pam_keyinit.so force revoke\nsession include su\n";

/// What authselect's profile `sssd` generates as `password-auth` and, but for fingerprints, as `system-auth`; a dash makes
/// libpam quiet about a module that Debian does not have. Without the two seconds for which RHEL holds a refusal back.
const RHEL_AUTHSELECT: &str = "auth required pam_env.so\nauth required pam_faildelay.so delay=0\n\
     auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
     auth [default=1 ignore=ignore success=ok] pam_localuser.so\n\
     auth sufficient pam_unix.so nullok nodelay\n\
     auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
     -auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\n\
     account required pam_unix.so\naccount sufficient pam_localuser.so\n\
     account sufficient pam_usertype.so issystem\n\
     -account [default=bad success=ok user_unknown=ignore] pam_sss.so\naccount required pam_permit.so\n\
     -password requisite pam_pwquality.so local_users_only\n\
     password sufficient pam_unix.so yescrypt shadow nullok use_authtok\npassword required pam_deny.so\n\
     session optional pam_keyinit.so revoke\nsession required pam_limits.so\n-session optional pam_systemd.so\n\
     session [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid\n\
     session required pam_unix.so\n-session optional pam_sss.so\n";

/// What RHEL brings beside the files that are shipped.
const RHEL_PAM: &[(&str, &str)] = &[
    ("password-auth", RHEL_AUTHSELECT),
    ("system-auth", RHEL_AUTHSELECT),
    (
        "sudo-i",
        "auth include sudo\naccount include sudo\npassword include sudo\n\
         session optional pam_keyinit.so force revoke\nsession include sudo\n",
    ),
    ("su-l", INCLUDES_SU),
    (
        "postlogin",
        "session optional pam_umask.so silent\n\
         session [success=1 default=ignore] pam_succeed_if.so service !~ gdm* service !~ su* quiet\n\
         session [default=1] pam_lastlog.so nowtmp showfailed\n\
         session optional pam_lastlog.so silent noupdate showfailed\n",
    ),
];

impl World {
    /// Switches Twinlock on for sshd as the shipped files say, and returns the server of that host.
    pub fn ship(&self, family: Family, first: FirstFactor) -> Sshd<'_> {
        let sshd = self.distribution(family);
        let variant = first.variant();
        self.service("sshd", &self.shipped(family.stack(&format!("sshd.{variant}"))));
        let drop_in = self.shipped(format!("sshd_config.d/{variant}/00-twinlock.conf"));
        self.write("/etc/ssh/sshd_config.d/00-twinlock.conf", drop_in);
        // As `make install` does: a store that is missing is a fault, not an empty store.
        self.set_up(&self.shipped("config.toml"));
        sshd
    }

    /// The same with all that `twinlock doctor` wants of a host: a right clock, a key of sshd, alice enrolled, and nobody who
    /// logs in as root.
    pub fn ship_sound(&self, family: Family, first: FirstFactor) -> Sshd<'_> {
        let sshd = self.ship(family, first);
        sshd_has_run();
        self.write("/run/systemd/timesync/synchronized", "");
        self.account("alice");
        self.deploy("alice");
        sshd
    }

    /// What a distribution brings beside PAM's file for sshd, and the server of that host.
    pub(crate) fn distribution(&self, family: Family) -> Sshd<'_> {
        let (others, main) = match family {
            Family::Debian => (DEBIAN_PAM, DEBIAN_SSHD_CONFIG),
            Family::Rhel => (RHEL_PAM, RHEL_SSHD_CONFIG),
        };
        for (name, text) in others {
            self.service(name, text);
        }
        self.write("/etc/ssh/sshd_config", main);
        if family == Family::Rhel {
            self.write("/etc/ssh/sshd_config.d/50-redhat.conf", RHEL_DROP_IN);
        }
        Sshd::from_file(self, "/etc/ssh/sshd_config")
    }

    /// The text of the shipped stack of sshd.
    pub fn shipped_sshd(&self, family: Family, first: FirstFactor) -> String {
        self.shipped(family.stack(&format!("sshd.{}", first.variant())))
    }

    /// Switches Twinlock on for another service as its shipped file says: `sudo`, `su`, `login`. Call after [`World::ship`].
    pub fn ship_service(&self, family: Family, name: &str) {
        self.service(name, &self.shipped(family.stack(name)));
    }

    /// The text of a file below `config/`.
    pub fn shipped(&self, name: impl AsRef<Path>) -> String {
        let path = self.repository().join("config").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// Gives the host what `sshd -t` wants, as it is where sshd has run: a key, and the folder of privilege separation.
pub(crate) fn sshd_has_run() {
    let key = "/etc/ssh/ssh_host_ed25519_key";
    let made = Launch::new(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).run();
    assert_eq!(made.code, Some(0), "{made:?}");
    fs::create_dir_all("/run/sshd").expect("/run is ours");
}
