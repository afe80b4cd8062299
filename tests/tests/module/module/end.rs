//! How an attempt ended, for the application and in the log.

use twinlock_tests::{Attempt, Outcome, PamCode, User, World};

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

/// A login of alice with a code that was issued.
pub(crate) fn granted_by_issued_code() -> End {
    let End { code, log } = granted_by_recovery();
    End { code, log: log.replace("method=recovery", "method=issued") }
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

/// How alice's attempt with these answers ends.
pub(crate) fn login(alice: &User<'_>, answers: &[&str]) -> End {
    run(alice.world, answers.iter().fold(alice.attempt(), Attempt::answer)).1
}
