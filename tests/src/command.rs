//! The `twinlock` command, run in a world.

use serde::Deserialize;

use crate::launch::Launch;
use crate::otp::{Authenticator, Codes};
use crate::process::Output;
use crate::world::World;

/// What `twinlock enroll --json` said of somebody who is now enrolled.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The account.
    pub user: String,
    /// The authenticator's id.
    pub id: String,
    /// The authenticator's label.
    pub label: String,
    /// The app with the new secret.
    pub authenticator: Authenticator,
    /// The recovery codes.
    pub recovery_codes: Vec<String>,
}

impl Enrolled {
    /// Valid codes, see [`Codes`].
    pub fn codes(&self) -> Codes {
        self.authenticator.codes()
    }
}

/// What `enroll --json` prints. The names are stable: a change of them breaks people's scripts, and this.
#[derive(Deserialize)]
struct EnrolJson {
    user: String,
    authenticator: String,
    label: String,
    uri: String,
    recovery_codes: Vec<String>,
}

/// A run of `twinlock` to be made.
pub type Twinlock = Launch;

impl World {
    /// Runs `twinlock` as root to its end, with nothing to read and no terminal.
    ///
    /// ```no_run
    /// # twinlock_tests::in_world(|world| {
    /// let output = world.twinlock(&["status", "alice", "--json"]);
    /// assert_eq!(output.code, Some(4), "{output:?}");
    /// # });
    /// ```
    pub fn twinlock(&self, arguments: &[&str]) -> Output {
        self.twinlock_launch(arguments).run()
    }

    /// `twinlock` to be run as another account, with input, on a terminal: `Terminal::start(world.twinlock_launch(...))`.
    pub fn twinlock_launch(&self, arguments: &[&str]) -> Twinlock {
        self.install();
        Launch::new(["twinlock"].iter().chain(arguments))
    }

    /// Enrols the account, unconfirmed, so that no code is used up yet.
    pub fn enrol(&self, user: &str) -> Enrolled {
        self.enrol_with(user, &[])
    }

    /// As [`World::enrol`], with more arguments: `&["--digits", "8"]`.
    pub fn enrol_with(&self, user: &str, arguments: &[&str]) -> Enrolled {
        let output = self.twinlock(&[&["enroll", user, "--no-confirm", "--json"], arguments].concat());
        assert_eq!(output.code, Some(0), "enrolling {user} failed: {output:?}");
        let json: EnrolJson = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|error| panic!("enroll --json wrote something else ({error}): {output:?}"));
        Enrolled {
            user: json.user,
            id: json.authenticator,
            label: json.label,
            authenticator: Authenticator::from_uri(&json.uri),
            recovery_codes: json.recovery_codes,
        }
    }
}
