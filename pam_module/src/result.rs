//! What libpam is told: the one table of return codes, and the one place that writes an attempt's line of the log.

use pam::constants::PamResultCode;
use twinlock_core::{
    audit::{AuditLine, Reason},
    ports::NoAnswer,
};
use twinlock_login::attempt::{Attempt, AuditEntry, Outcome};

use crate::{
    messages,
    transaction::{Priority, Transaction},
};

/// What libpam is told. Never `PAM_MAXTRIES`: sshd would switch keyboard-interactive off for the whole connection.
#[allow(clippy::match_same_arms, reason = "one reason a line")]
const fn code(reason: Reason) -> PamResultCode {
    match reason {
        Reason::WrongCode => PamResultCode::PAM_AUTH_ERR,
        Reason::Replayed => PamResultCode::PAM_AUTH_ERR,
        Reason::Throttled => PamResultCode::PAM_AUTH_ERR,
        Reason::StepUp => PamResultCode::PAM_AUTH_ERR,
        Reason::Junk => PamResultCode::PAM_AUTH_ERR,
        Reason::NotEnrolled => PamResultCode::PAM_AUTH_ERR,
        Reason::Disabled => PamResultCode::PAM_AUTH_ERR,
        Reason::Bypass => PamResultCode::PAM_PERM_DENIED,
        Reason::Config => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Reason::Store => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Reason::Sealed => PamResultCode::PAM_AUTHINFO_UNAVAIL,
        Reason::UnknownUser => PamResultCode::PAM_USER_UNKNOWN,
        Reason::NoAnswer => PamResultCode::PAM_CONV_ERR,
        Reason::Internal => PamResultCode::PAM_SYSTEM_ERR,
    }
}

/// What `pam_setcred` says of an enrolment that was not stored, whatever the reason.
pub(crate) const NOT_STORED: PamResultCode = PamResultCode::PAM_CRED_ERR;

/// The conversation's own error; one that must be tried again later is incomplete, and nothing here means success.
const fn no_answer(NoAnswer { code }: NoAnswer) -> PamResultCode {
    const BUFFER: i32 = PamResultCode::PAM_BUF_ERR as i32;
    const AGAIN: i32 = PamResultCode::PAM_CONV_AGAIN as i32;
    match code {
        BUFFER => PamResultCode::PAM_BUF_ERR,
        AGAIN => PamResultCode::PAM_INCOMPLETE,
        _ => PamResultCode::PAM_CONV_ERR,
    }
}

/// Which process has logged an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logged {
    /// Nobody yet.
    NotYet,
    /// Another process, which can be believed. A detail of it is found out here, and logged here.
    Elsewhere,
}

/// The return code of an attempt, which is logged first. Where nobody is asked there is nothing to log, unless there is a
/// detail: the rule of the administrator that says so.
pub(crate) fn end(
    transaction: &mut Transaction<'_>,
    user: Option<&str>,
    attempt: &Attempt,
    logged: Logged,
) -> PamResultCode {
    log_attempt(transaction, user, attempt, logged);
    match attempt.outcome {
        Outcome::Granted(_) => PamResultCode::PAM_SUCCESS,
        Outcome::NotAsked(_) => PamResultCode::PAM_IGNORE,
        Outcome::NoAnswer(none) => no_answer(none),
        Outcome::TooSoon(_) => code(Reason::Throttled),
        Outcome::Refused(reason) => code(reason),
    }
}

/// Logs how an attempt ended.
pub(crate) fn log_attempt(transaction: &mut Transaction<'_>, user: Option<&str>, attempt: &Attempt, logged: Logged) {
    let is_new = logged == Logged::NotYet && !matches!(attempt.outcome, Outcome::NotAsked(_));
    if attempt.audit.detail.is_some() || is_new {
        log(transaction, user, attempt.refused(), &attempt.audit);
    }
}

/// Logs that the auth phase, or the end of the login, was passed by an enrolment inside it, and says so to libpam.
pub(crate) fn enrolled(transaction: &mut Transaction<'_>, user: Option<&str>, audit: &AuditEntry) -> PamResultCode {
    log(transaction, user, None, audit);
    PamResultCode::PAM_SUCCESS
}

/// Logs that a login needs no code of which the auth phase knows nothing.
pub(crate) fn exempted(transaction: &mut Transaction<'_>, user: Option<&str>, exemption: &AuditEntry) {
    log(transaction, user, None, exemption);
}

fn log(transaction: &mut Transaction<'_>, user: Option<&str>, refused: Option<Reason>, audit: &AuditEntry) {
    let (service, rhost) = (transaction.service.clone(), transaction.rhost.clone());
    let entry = AuditLine { user, service: Some(&service), rhost: rhost.as_deref(), ..audit.line(refused) };
    let priority = if audit.emergency { Priority::Warning } else { priority(refused) };
    transaction.log(priority, &entry.to_string());
}

/// A refusal for one reason, with what the administrator should know.
pub(crate) fn refuse(
    transaction: &mut Transaction<'_>,
    user: Option<&str>,
    reason: Reason,
    detail: Option<String>,
) -> PamResultCode {
    let mut attempt = Attempt::refused_for(reason);
    attempt.audit.detail = detail;
    end(transaction, user, &attempt, Logged::NotYet)
}

/// Without the data, the account phase would not know what the auth phase found.
pub(crate) fn no_data(transaction: &mut Transaction<'_>) -> PamResultCode {
    refuse(transaction, None, Reason::Internal, Some(messages::NO_DATA.into()))
}

/// A PAM file that cannot be followed; `detail` names the word.
pub(crate) fn bad_arguments(transaction: &mut Transaction<'_>, detail: String) -> PamResultCode {
    refuse(transaction, None, Reason::Config, Some(detail))
}

pub(crate) fn panicked(transaction: &mut Transaction<'_>) -> PamResultCode {
    refuse(transaction, None, Reason::Internal, Some(messages::PANICKED.into()))
}

const fn priority(refused: Option<Reason>) -> Priority {
    match refused {
        None => Priority::Info,
        Some(Reason::Config | Reason::Store | Reason::Sealed | Reason::Internal | Reason::Bypass) => Priority::Error,
        Some(
            Reason::WrongCode
            | Reason::Replayed
            | Reason::Throttled
            | Reason::StepUp
            | Reason::Junk
            | Reason::NotEnrolled
            | Reason::Disabled
            | Reason::UnknownUser
            | Reason::NoAnswer,
        ) => Priority::Notice,
    }
}
