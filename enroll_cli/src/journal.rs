//! The command's lines in syslog, AUTHPRIV: attempts in the words of the module, and every change with who made it.

use nix::unistd::Uid;
use twinlock_core::{
    host::syslog::{Severity, log},
    journal::{Entry, escaped},
    login::Attempt,
};

/// Logs an attempt to verify a code.
pub(crate) fn attempt(user: &str, attempt: &Attempt) {
    let entry = Entry {
        refused: attempt.refused(),
        user: Some(user),
        method: attempt.method,
        authenticator: attempt.authenticator.as_ref().map(twinlock_core::credentials::AuthenticatorId::as_str),
        service: Some("twinlock"),
        rhost: None,
        failures: attempt.failures,
        clock_offset: attempt.clock_offset,
        detail: attempt.detail.as_deref(),
    };
    log(if entry.refused.is_some() { Severity::Notice } else { Severity::Info }, &entry.to_string());
}

/// Logs a change of a user's second factor.
pub(crate) fn change(what: &str, user: &str) {
    log(Severity::Notice, &format!("change={what} user={} by-uid={}", escaped(user), Uid::current()));
}
