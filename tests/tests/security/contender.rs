//! The modules beside ours, as their manuals set them up, each with alice enrolled. Where a peer has an option for
//! protection, it is switched on.

use std::path::{Path, PathBuf};

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{
    Account, Attempt, Authenticator, Codes, ForgedState, Outcome, PamCode, World, in_world, set_mode, state_of,
};

/// A module that can be set a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// Ours.
    Twinlock,
    /// `pam_google_authenticator`, state in a folder of root's.
    GoogleAuthenticator,
    /// `pam_oath`, with its one file for all.
    Oath,
}

/// A host with one module and alice.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    pub(crate) contender: Contender,
    pub(crate) alice: Account,
    pub(crate) app: Authenticator,
    /// A recovery code; oath has none.
    pub(crate) recovery_code: Option<String>,
}

const GOOGLE_FOLDER: &str = "/var/lib/google-authenticator";
const OATH_FILE: &str = "/etc/oath/users.oath";
const SCRATCH_CODE: &str = "12345678";

impl Contender {
    /// In the order of the columns.
    pub(crate) const ALL: [Self; 3] = [Self::Twinlock, Self::GoogleAuthenticator, Self::Oath];

    /// As the page has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Twinlock => "Twinlock",
            Self::GoogleAuthenticator => "google-authenticator",
            Self::Oath => "pam_oath",
        }
    }

    /// Runs the attack on a host with this module as the service `svc`, its options as its manual advises, and alice
    /// enrolled, who never logged in before.
    pub(crate) fn scene<T: Send>(self, attack: impl FnOnce(&Scene<'_>) -> T + Send) -> T {
        let mut found = None;
        in_world(|world| found = Some(attack(&Scene::set(world, self))));
        found.expect("these tests run as root, or in a user namespace")
    }

    /// The module's line, without the first word.
    pub(crate) fn line(self) -> String {
        format!("required {}", self.module())
    }

    /// The module with its options.
    pub(crate) fn module(self) -> String {
        match self {
            Self::Twinlock => "pam_twinlock.so".into(),
            Self::GoogleAuthenticator => {
                format!("pam_google_authenticator.so secret={GOOGLE_FOLDER}/${{USER}} user=root")
            }
            Self::Oath => format!("pam_oath.so usersfile={OATH_FILE} window=1 digits=6"),
        }
    }
}

impl<'w> Scene<'w> {
    fn set(world: &'w World, contender: Contender) -> Self {
        let alice = world.account("alice");
        world.set_up("");
        let enrolled = world.deploy("alice");
        let app = enrolled.authenticator;
        world.service("svc", &format!("auth {}\n", contender.line()));
        let recovery_code = match contender {
            Contender::Twinlock => Some(enrolled.recovery_codes[0].clone()),
            Contender::GoogleAuthenticator => Some(SCRATCH_CODE.into()),
            Contender::Oath => None,
        };
        let scene = Self { world, contender, alice, app, recovery_code };
        scene.reset();
        scene
    }

    /// Makes alice somebody who never logged in.
    pub(crate) fn reset(&self) {
        match self.contender {
            Contender::Twinlock => {
                self.world.deploy("alice");
                ForgedState::of(&self.alice).write(self.world);
            }
            Contender::GoogleAuthenticator => {
                let secret = BASE32_NOPAD.encode(&self.app.secret);
                let options = "RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH";
                self.world.write_secret(self.state(), format!("{secret}\n\" {options}\n{SCRATCH_CODE}\n"));
                set_mode(GOOGLE_FOLDER, 0o700);
            }
            Contender::Oath => {
                let hex = HEXLOWER.encode(&self.app.secret);
                self.world.write_secret(OATH_FILE, format!("HOTP/T30/6 alice - {hex}\n"));
            }
        }
    }

    /// Where the module keeps what changes with alice's logins.
    pub(crate) fn state(&self) -> PathBuf {
        match self.contender {
            Contender::Twinlock => state_of("alice"),
            Contender::GoogleAuthenticator => Path::new(GOOGLE_FOLDER).join("alice"),
            Contender::Oath => OATH_FILE.into(),
        }
    }

    /// A login of alice's, still to be answered.
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt::new("svc").user(&self.alice.name)
    }

    /// A login of alice's with this answer.
    pub(crate) fn answer(&self, answer: impl AsRef<[u8]>) -> PamCode {
        self.attempt().answer(answer).run(self.world).code()
    }

    /// Her codes, each later than the one before.
    pub(crate) fn codes(&self) -> Codes {
        self.app.codes()
    }
}

/// How many were let in.
pub(crate) fn granted<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> usize {
    outcomes.into_iter().filter(|outcome| outcome.code() == PamCode::Success).count()
}
