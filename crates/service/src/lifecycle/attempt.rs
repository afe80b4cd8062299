//! An attempt that was not granted, in the words of the command.

use twinlock_core::{audit::Reason, credentials::Enrolment};
use twinlock_login::attempt::{Attempt, Outcome};

use super::{RequestError, RequestErrorKind};

/// What a user's codes come from: the advice is about these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owned {
    /// Apps, whose clocks can be wrong.
    Phones,
    /// Tokens, whose counters can have run ahead.
    Tokens,
    /// Some of each.
    Both,
}

impl Owned {
    /// The devices that are not suspended. Where nothing can be read, it is phones, which most have.
    pub(super) fn by(enrolment: Option<&Enrolment>) -> Self {
        let clocks = || enrolment.into_iter().flat_map(Enrolment::active).map(|device| device.otp.period());
        match (clocks().any(|period| period.is_some()), clocks().any(|period| period.is_none())) {
            (true, true) => Self::Both,
            (false, true) => Self::Tokens,
            (_, false) => Self::Phones,
        }
    }
}

/// Why a code was not taken, and what to do.
pub(super) fn refusal(attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    match &attempt.outcome {
        Outcome::TooSoon(rest) => RequestError::new(
            RequestErrorKind::Refused,
            format!("too many wrong codes: not looked at, try again in {} seconds", rest.as_secs().max(1)),
        ),
        Outcome::Refused(Reason::NotEnrolled) => RequestError::not_enrolled(user),
        Outcome::Refused(reason) => refused(*reason, attempt, user, owned),
        Outcome::Granted(_) | Outcome::NoAnswer(_) | Outcome::NotAsked(_) => {
            RequestError::new(RequestErrorKind::Refused, "no code was given")
                .hint("pipe the code into stdin, or type it")
        }
    }
}

/// The same of the two codes of a resync.
pub(super) fn resync_refusal(attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    if !matches!(attempt.outcome, Outcome::Refused(Reason::WrongCode | Reason::StepUp)) {
        return refusal(attempt, user, owned);
    }
    let (message, hint) = match owned {
        Owned::Phones => (
            "wrong: not two consecutive codes within ten minutes of now",
            "set the phone to automatic date and time, give a code, wait for the next one, give that",
        ),
        Owned::Tokens => (
            "wrong: not two consecutive codes among the next hundred of the token",
            "press its button twice, and give both codes in that order with none in between; \
             a token that is further ahead is enrolled again, with --counter",
        ),
        Owned::Both => (
            "wrong: not two consecutive codes of any device",
            "give two of the same device, with none in between; a phone is set to automatic date and time first",
        ),
    };
    RequestError::new(RequestErrorKind::Refused, message).hint(hint)
}

fn refused(reason: Reason, attempt: &Attempt, user: &str, owned: Owned) -> RequestError {
    let (message, hint) = match reason {
        Reason::WrongCode if attempt.audit.clock_offset.is_some() => (
            "wrong: it is the code of another time",
            format!(
                "the clocks differ by {:+} seconds: set this host's or the phone's right, or twinlock resync {user}",
                attempt.audit.clock_offset.unwrap_or_default()
            ),
        ),
        Reason::WrongCode => match owned {
            Owned::Phones => (
                "wrong: no code of now and no recovery code",
                "is the clock of the phone right (automatic date and time), and that of this host?".into(),
            ),
            Owned::Tokens => (
                "wrong: none of the token's next codes and no recovery code",
                format!("if its button was pressed often without a login: twinlock resync {user}"),
            ),
            Owned::Both => (
                "wrong: no code of any device and no recovery code",
                format!(
                    "is the clock of the phone right, and that of this host? \
                     If the button of a token was pressed often without a login: twinlock resync {user}"
                ),
            ),
        },
        Reason::Replayed => (
            "wrong: the code was used before",
            match owned {
                Owned::Phones => "wait for the next one".into(),
                Owned::Tokens => "press the token for the next one".into(),
                Owned::Both => "wait for the phone's next one, or press the token".into(),
            },
        ),
        Reason::StepUp => (
            "wrong: the second code did not follow the first",
            format!("two codes in a row, or twinlock unlock {user}"),
        ),
        Reason::Junk => ("not a code: 6 to 8 digits, or a recovery code of 16 symbols", "nothing was charged".into()),
        Reason::Disabled => {
            ("disabled after too many wrong codes; recovery codes still work", format!("twinlock unlock {user}"))
        }
        Reason::Throttled
        | Reason::NotEnrolled
        | Reason::Bypass
        | Reason::Config
        | Reason::Store
        | Reason::UnknownUser
        | Reason::NoAnswer
        | Reason::Internal => {
            let detail = attempt.audit.detail.clone().unwrap_or_else(|| reason.name().into());
            return RequestError::new(RequestErrorKind::Host, "it could not be verified").hint(detail);
        }
    };
    RequestError::new(RequestErrorKind::Refused, message).hint(hint)
}
