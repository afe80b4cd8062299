//! alice, with an app of eight digits and real recovery codes, and canaries for all of it.

use twinlock_tests::{Account, Attempt, Canaries, Enrolled, PASSWORD, World, in_world};

/// The module with every return code of it passed on to the application.
pub(crate) const EXACT: &str = "auth [ignore=ignore success=done default=die] pam_twinlock.so debug\n\
     auth required pam_deny.so\n\
     account [ignore=ignore success=done default=die] pam_twinlock.so debug\n\
     account required pam_deny.so\n";

/// alice, who is enrolled.
pub(crate) struct Alice<'w> {
    pub(crate) world: &'w World,
    pub(crate) account: Account,
    pub(crate) enrolled: Enrolled,
    /// What she has: secret, recovery codes, password. The codes of her app are put in by who uses them.
    pub(crate) canaries: Canaries,
}

/// Runs the test with alice enrolled by the command, so that no other test has her secrets.
pub(crate) fn with_alice(test: impl FnOnce(&mut Alice<'_>) + Send) {
    in_world(|world| {
        world.set_up("");
        world.service("svc", EXACT);
        let account = world.account("alice");
        // Eight digits: six turn up by chance.
        let enrolled = world.enrol_with("alice", &["--digits", "8"]);
        let mut canaries = Canaries::default();
        canaries.secret(&enrolled.authenticator.secret);
        canaries.password(PASSWORD);
        enrolled.recovery_codes.iter().for_each(|code| canaries.recovery_code(code));
        test(&mut Alice { world, account, enrolled, canaries });
    });
}

/// An attempt of alice's.
pub(crate) fn attempt() -> Attempt {
    Attempt::new("svc").user("alice")
}

impl Alice<'_> {
    /// A code that is wrong for the next minutes, and not all zeros.
    pub(crate) fn wrong_code(&self) -> String {
        let app = &self.enrolled.authenticator;
        let near: Vec<_> = (app.now_step() - 10..app.now_step() + 10).map(|step| app.code_at(step)).collect();
        ["71937193", "28642864"].into_iter().find(|code| !near.iter().any(|one| one == code)).unwrap().to_owned()
    }
}
