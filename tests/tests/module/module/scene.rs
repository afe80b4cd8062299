//! What most tests begin with: a host with Twinlock, alice with an app, and one attempt with what it left.

use twinlock_tests::{Account, Attempt, Codes, Enrolled, ForgedState, Outcome, PamCode, World, in_world};

/// The module with every return code of it passed on to the application; libpam never passes `PAM_IGNORE` on, so a module
/// behind it turns that into [`IGNORED`].
pub(crate) const EXACT: &str = "auth [ignore=ignore success=done default=die] pam_twinlock.so\n\
     auth required pam_debug.so auth=cred_unavail\n\
     account [ignore=ignore success=done default=die] pam_twinlock.so\n\
     account required pam_debug.so acct=cred_unavail\n\
     session [ignore=ignore success=done default=die] pam_twinlock.so\n\
     session required pam_debug.so open_session=cred_unavail close_session=cred_unavail\n\
     password [ignore=ignore success=done default=die] pam_twinlock.so\n\
     password required pam_debug.so prechauthtok=cred_unavail\n";

/// What an application sees when the module returned `PAM_IGNORE`.
pub(crate) const IGNORED: PamCode = PamCode::CredUnavail;

/// How an attempt ended: for the application, and in the log (without what syslog adds; empty for no line).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) code: PamCode,
    pub(crate) log: String,
}

/// A login of alice that was refused for `reason`; nothing was verified.
pub(crate) fn refused(code: PamCode, reason: &str) -> End {
    refused_by("-", "-", code, reason)
}

/// The same with what was checked and the failures in a row as they now stand.
pub(crate) fn refused_by(method: &str, failures: &str, code: PamCode, reason: &str) -> End {
    let log = format!(
        "result=refused reason={reason} user=alice method={method} authenticator=- service=svc rhost=- failures={failures}"
    );
    End { code, log }
}

/// A login of alice with a code of her app.
pub(crate) fn granted() -> End {
    let log = "result=granted reason=- user=alice method=totp authenticator=phone1 service=svc rhost=- failures=0";
    End { code: PamCode::Success, log: log.into() }
}

/// A login of alice with a recovery code.
pub(crate) fn granted_by_recovery() -> End {
    let log = "result=granted reason=- user=alice method=recovery authenticator=- service=svc rhost=- failures=0";
    End { code: PamCode::Success, log: log.into() }
}

/// The attempt's outcome and end; it must have left one line at most, and a well-formed one.
pub(crate) fn run(world: &World, attempt: Attempt) -> (Outcome, End) {
    let mark = world.log_mark();
    let outcome = attempt.run(world);
    let entries = world.entries_since(mark);
    assert!(entries.len() <= 1, "one line an attempt: {entries:#?}");
    let log = entries.into_iter().next().map(|entry| entry.text).unwrap_or_default();
    let end = End { code: outcome.code(), log };
    (outcome, end)
}

/// Runs the test on a host with the module as service `svc` and this configuration.
pub(crate) fn on_a_host(config: &str, test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        world.set_up(config);
        world.service("svc", EXACT);
        test(world);
    });
}

/// alice, who is enrolled.
pub(crate) struct Alice<'w> {
    pub(crate) world: &'w World,
    pub(crate) account: Account,
    pub(crate) enrolled: Enrolled,
}

/// Runs the test with alice enrolled, who never logged in before, under the default configuration.
pub(crate) fn with_alice(test: impl FnOnce(&Alice<'_>) + Send) {
    with_alice_under("", test);
}

/// The same under this configuration.
pub(crate) fn with_alice_under(config: &str, test: impl FnOnce(&Alice<'_>) + Send) {
    on_a_host(config, |world| {
        let account = world.account("alice");
        let alice = Alice { world, enrolled: world.deploy("alice"), account };
        alice.state().write(world);
        test(&alice);
    });
}

impl Alice<'_> {
    /// An attempt of hers, to be answered.
    pub(crate) fn attempt(&self) -> Attempt {
        Attempt::new("svc").user(&self.account.name)
    }

    /// How her attempt with these answers ends.
    pub(crate) fn answers(&self, answers: &[&str]) -> End {
        let attempt = answers.iter().fold(self.attempt(), Attempt::answer);
        run(self.world, attempt).1
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

    /// Her state as bytes.
    pub(crate) fn state_bytes(&self) -> Vec<u8> {
        std::fs::read(twinlock_tests::state_of(&self.account.name)).unwrap()
    }
}
