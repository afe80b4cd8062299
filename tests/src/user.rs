//! What most tests begin with: a host with Twinlock, and alice, who may be enrolled there.

use std::fs;

use crate::account::Account;
use crate::attempt::Attempt;
use crate::broker::Broker;
use crate::command::Enrolled;
use crate::deployed::{CONFIG, state_of};
use crate::launch::Launch;
use crate::otp::Codes;
use crate::outcome::Outcome;
use crate::pam_names::PamCode;
use crate::process::Output;
use crate::state_file::ForgedState;
use crate::terminal::Terminal;
use crate::world::{World, in_world};

/// The module in all four phases, with each of its return codes passed on to the application. libpam never passes
/// `PAM_IGNORE` on, so a module behind it turns that into [`IGNORED`].
pub const EXACT: &str = "auth [ignore=ignore success=done default=die] pam_twinlock.so\n\
     auth required pam_debug.so auth=cred_unavail\n\
     account [ignore=ignore success=done default=die] pam_twinlock.so\n\
     account required pam_debug.so acct=cred_unavail\n\
     session [ignore=ignore success=done default=die] pam_twinlock.so\n\
     session required pam_debug.so open_session=cred_unavail close_session=cred_unavail\n\
     password [ignore=ignore success=done default=die] pam_twinlock.so\n\
     password required pam_debug.so prechauthtok=cred_unavail\n";

/// What an application sees under [`EXACT`] when the module returned `PAM_IGNORE`.
pub const IGNORED: PamCode = PamCode::CredUnavail;

/// A host to be set up, with the module as service `svc` and an empty configuration unless told otherwise.
///
/// ```no_run
/// use twinlock_tests::{PamCode, Setup};
///
/// Setup::new().config("nullok = true\n").enrolled(|alice| {
///     let outcome = alice.attempt().answer(alice.codes().next()).run(alice.world);
///     assert_eq!(outcome.code(), PamCode::Success);
/// });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    config: &'a str,
    stack: &'a str,
    enrol_arguments: Option<&'a [&'a str]>,
    broker: bool,
}

impl<'a> Setup<'a> {
    /// A host without a broker.
    #[allow(clippy::new_without_default, reason = "a test says what it begins with")]
    pub const fn new() -> Self {
        Self { config: "", stack: EXACT, enrol_arguments: None, broker: false }
    }

    /// A host on which the broker runs.
    pub const fn with_broker() -> Self {
        Self { broker: true, ..Self::new() }
    }

    /// Sets the configuration.
    pub const fn config(self, config: &'a str) -> Self {
        Self { config, ..self }
    }

    /// Sets the text of `/etc/pam.d/svc`.
    pub const fn stack(self, stack: &'a str) -> Self {
        Self { stack, ..self }
    }

    /// Enrols by the command with these arguments, for a secret that no other test has. There is then no state yet.
    pub const fn enrolled_by_command(self, arguments: &'a [&'a str]) -> Self {
        Self { enrol_arguments: Some(arguments), ..self }
    }

    /// Runs the test on the host without any account and without a broker.
    pub fn host(self, test: impl FnOnce(&World) + Send) {
        in_world(|world| {
            self.furnish(world);
            test(world);
        });
    }

    /// Runs the test with an account alice, who is not enrolled.
    pub fn unenrolled(self, test: impl FnOnce(&World, &Account) + Send) {
        in_world(|world| {
            self.furnish(world);
            let account = world.account("alice");
            let _broker = self.start_broker(world);
            test(world, &account);
        });
    }

    /// Runs the test with alice, who has an app and ten recovery codes and never logged in.
    pub fn enrolled(self, test: impl FnOnce(&User<'_>) + Send) {
        in_world(|world| {
            self.furnish(world);
            let account = world.account("alice");
            let enrolled = if let Some(arguments) = self.enrol_arguments {
                world.enrol_with("alice", arguments)
            } else {
                ForgedState::of(&account).write(world);
                world.deploy("alice")
            };
            let broker = self.start_broker(world);
            test(&User { world, account, enrolled, broker });
        });
    }

    fn furnish(self, world: &World) {
        world.set_up(self.config);
        world.service("svc", self.stack);
        if self.broker {
            world.broker_service();
        }
    }

    fn start_broker(self, world: &World) -> Option<Broker> {
        self.broker.then(|| world.broker())
    }
}

/// Somebody who has a second factor.
pub struct User<'w> {
    /// Where.
    pub world: &'w World,
    /// The account.
    pub account: Account,
    /// The app and the recovery codes.
    pub enrolled: Enrolled,
    broker: Option<Broker>,
}

impl User<'_> {
    /// The broker of the host.
    ///
    /// # Panics
    /// When there is none.
    pub fn broker(&self) -> &Broker {
        self.broker.as_ref().expect("the test began with a broker")
    }

    /// A login on a host of root's, to be answered.
    pub fn attempt(&self) -> Attempt {
        Attempt::new("svc").user(&self.account.name)
    }

    /// A login on a host that runs as the user, as a screen locker does.
    pub fn unprivileged_attempt(&self) -> Attempt {
        self.attempt().as_account(&self.account)
    }

    /// A login with a valid code.
    pub fn login(&self) -> Outcome {
        self.attempt().answer(self.codes().next()).run(self.world)
    }

    /// Codes that are valid now, see [`Codes`].
    pub fn codes(&self) -> Codes {
        self.enrolled.codes()
    }

    /// A code that is wrong now.
    pub fn wrong_code(&self) -> String {
        self.enrolled.authenticator.wrong_code()
    }

    /// One of the recovery codes.
    pub fn recovery_code(&self, at: usize) -> &str {
        &self.enrolled.recovery_codes[at]
    }

    /// A state, to be forged.
    pub fn state(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }

    /// The file of the state.
    ///
    /// # Panics
    /// When there is none.
    pub fn state_bytes(&self) -> Vec<u8> {
        fs::read(state_of(&self.account.name)).expect("a state")
    }

    /// Sets the configuration.
    pub fn configure(&self, config: &str) {
        self.world.write(CONFIG, config);
    }

    /// Runs the command as the user, with these lines to read.
    pub fn runs(&self, arguments: &[&str], typed: &[&str]) -> Output {
        let input: String = typed.iter().flat_map(|line| [line, "\n"]).collect();
        self.command(arguments).run_with_input(input.as_bytes())
    }

    /// Runs the command as the user on a terminal.
    pub fn types(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.command(arguments))
    }

    /// The command, to be run as the user.
    pub fn command(&self, arguments: &[&str]) -> Launch {
        self.world.twinlock_as(&self.account, arguments)
    }
}
