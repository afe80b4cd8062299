//! A host with a broker and alice, who is enrolled or not, and what the command says to her.

use serde_json::Value;
use twinlock_tests::{
    Account, Attempt, Broker, CONFIG, Codes, Enrolled, ForgedState, LogEntry, Output, Terminal, World, in_world,
};

/// The module with every return code of it passed on to the application, and what [`Attempt`] sees of `PAM_IGNORE`:
/// `PamCode::CredUnavail`.
pub(crate) const EXACT: &str = "auth [ignore=ignore success=done default=die] pam_twinlock.so\n\
     auth required pam_debug.so auth=cred_unavail\n\
     account [ignore=ignore success=done default=die] pam_twinlock.so\n\
     account required pam_debug.so acct=cred_unavail\n";

/// What is asked of who changes something.
pub(crate) const PROOF: &str = "To show that it is you, a code of your app or a recovery code: ";
/// What a new app is asked for.
pub(crate) const CONFIRM: &str = "The code that the app shows now: ";
/// What is asked after new recovery codes.
pub(crate) const KEPT: &str = "Type one of them, to show that you have them: ";

/// A user of the broker.
pub(crate) struct Alice<'w> {
    pub(crate) world: &'w World,
    pub(crate) account: Account,
    pub(crate) enrolled: Enrolled,
    pub(crate) broker: Broker,
}

/// Runs the test with alice, who has a phone and ten recovery codes, never logged in, and may do everything.
pub(crate) fn with_alice(test: impl FnOnce(&Alice<'_>) + Send) {
    with_alice_under("", test);
}

/// The same under this configuration.
pub(crate) fn with_alice_under(config: &str, test: impl FnOnce(&Alice<'_>) + Send) {
    in_world(|world| {
        world.set_up(config);
        world.broker_service();
        world.service("svc", EXACT);
        let account = world.account("alice");
        let enrolled = world.deploy("alice");
        let alice = Alice { world, account, enrolled, broker: world.broker() };
        alice.state().write(world);
        test(&alice);
    });
}

/// Runs the test with an account alice that is not enrolled.
pub(crate) fn with_account(config: &str, test: impl FnOnce(&World, &Account) + Send) {
    in_world(|world| {
        world.set_up(config);
        world.broker_service();
        world.service("svc", EXACT);
        let account = world.account("alice");
        let _broker = world.broker();
        test(world, &account);
    });
}

impl Alice<'_> {
    /// Runs the command as her, with these lines to read.
    pub(crate) fn runs(&self, arguments: &[&str], typed: &[&str]) -> Output {
        let input: String = typed.iter().flat_map(|line| [line, "\n"]).collect();
        self.world.twinlock_as(&self.account, arguments).run_with_input(input.as_bytes())
    }

    /// Runs the command as her on a terminal.
    pub(crate) fn types(&self, arguments: &[&str]) -> Terminal {
        Terminal::start(self.world.twinlock_as(&self.account, arguments))
    }

    /// A login of hers, on a host that is not root's.
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt::new("svc").user("alice").as_account(&self.account)
    }

    /// Codes that are valid now.
    pub(crate) fn codes(&self) -> Codes {
        self.enrolled.codes()
    }

    /// A code that is wrong now.
    pub(crate) fn wrong_code(&self) -> String {
        self.enrolled.authenticator.wrong_code()
    }

    /// One of her recovery codes.
    pub(crate) fn recovery_code(&self, at: usize) -> &str {
        &self.enrolled.recovery_codes[at]
    }

    /// A state of hers, to be forged.
    pub(crate) fn state(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }

    /// Sets the configuration, which the broker reads for each request.
    pub(crate) fn configure(&self, config: &str) {
        self.world.write(CONFIG, config);
    }
}

/// Exit code, standard output and standard error.
pub(crate) fn parts(output: &Output) -> (Option<i32>, &str, &str) {
    (output.code, &output.stdout, &output.stderr)
}

/// The one JSON value on standard output, on a line of its own.
pub(crate) fn json(output: &Output) -> Value {
    assert!(output.stdout.ends_with('\n') && output.stdout.lines().count() == 1, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

/// The broker's lines about attempts since a mark, each from `result=` on.
pub(crate) fn by_broker(world: &World, mark: usize) -> Vec<String> {
    let ours =
        world.log_since(mark).into_iter().filter(|line| line.tag == "twinlockd" && line.text.contains("result="));
    ours.map(|line| LogEntry::parse(&line).unwrap_or_else(|error| panic!("{error}")).text).collect()
}

/// The lines about changes since a mark.
pub(crate) fn changes(world: &World, mark: usize) -> Vec<String> {
    let lines = world.log_since(mark).into_iter();
    lines.filter(|line| line.text.starts_with("change=")).map(|line| format!("{}: {}", line.tag, line.text)).collect()
}

/// The last recovery code among what was shown: before the new ones stands the echo of an old one.
pub(crate) fn recovery_code_in(shown: &str) -> &str {
    let looks_like_one = |word: &&str| word.len() == 19 && word.bytes().filter(|byte| *byte == b'-').count() == 3;
    shown.split_whitespace().rfind(looks_like_one).unwrap_or_else(|| panic!("no recovery code in {shown}"))
}

/// The address among what was shown.
pub(crate) fn address_in(shown: &str) -> &str {
    let found = shown.split_whitespace().find(|word| word.starts_with("otpauth://"));
    found.unwrap_or_else(|| panic!("no address in {shown}"))
}
