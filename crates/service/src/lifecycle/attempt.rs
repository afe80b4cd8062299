//! An attempt that was not granted, in the words of the command.

use twinlock_core::audit::Reason;
use twinlock_login::attempt::{Attempt, Outcome};

use crate::{
    error::{Owned, RequestError},
    messages,
};

/// Why a code was not taken, and what to do.
pub(super) fn refusal(attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    match &attempt.outcome {
        Outcome::TooSoon(rest) => messages::too_soon(rest.as_secs().max(1)),
        Outcome::Refused(reason) => refused(*reason, attempt, user, owned),
        Outcome::Granted(_) | Outcome::NoAnswer(_) | Outcome::NotAsked(_) => messages::no_code(),
    }
}

/// The same of the two codes of a resync.
pub(super) fn resync_refusal(attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    match attempt.outcome {
        Outcome::Refused(Reason::WrongCode | Reason::StepUp) => messages::resync_mismatch(owned),
        Outcome::Granted(_)
        | Outcome::NotAsked(_)
        | Outcome::Refused(_)
        | Outcome::TooSoon(_)
        | Outcome::NoAnswer(_) => refusal(attempt, user, owned),
    }
}

fn refused(reason: Reason, attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    match reason {
        Reason::WrongCode => match attempt.audit.clock_offset {
            Some(offset) => messages::code_of_another_time(offset, user),
            None => messages::incorrect_code(owned, user),
        },
        Reason::Replayed => messages::used_code(owned),
        Reason::StepUp => messages::not_consecutive(user),
        Reason::Junk => messages::not_a_code(),
        Reason::Disabled => messages::disabled(user),
        Reason::NotEnrolled => messages::not_enrolled(user),
        Reason::Throttled
        | Reason::Bypass
        | Reason::Config
        | Reason::Store
        | Reason::Sealed
        | Reason::UnknownUser
        | Reason::NoAnswer
        | Reason::Internal => {
            messages::not_verified(attempt.audit.detail.clone().unwrap_or_else(|| reason.name().into()))
        }
    }
}
