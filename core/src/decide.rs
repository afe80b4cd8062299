//! The decision: whether answers prove a second factor. Pure; it cannot change a credential, by its types.

use crate::{
    credentials::{AuthenticatorId, Enrolment},
    otp::{Code, Match},
    ports::Charge,
    record::Record,
    recovery::{RecoveryCode, RecoveryError, RecoveryMatch},
    throttle::Method,
    time::UnixTime,
};

/// A code and when it was given. No `Debug`.
#[derive(Clone)]
pub struct GivenCode {
    /// What was typed.
    pub code: Code,
    /// The host's clock right after the answer.
    pub at: UnixTime,
}

/// What a login offers as proof. No `Debug`.
#[derive(Clone)]
pub enum Proof {
    /// One code.
    Code(GivenCode),
    /// Two codes, of which the second must come after the first.
    TwoCodes(GivenCode, GivenCode),
    /// A recovery code.
    Recovery(RecoveryCode),
}

impl Proof {
    /// What the proof is checked against.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Code(_) | Self::TwoCodes(..) => Method::Otp,
            Self::Recovery(_) => Method::Recovery,
        }
    }

    /// How many codes are at hand.
    #[must_use]
    pub const fn codes(&self) -> usize {
        match self {
            Self::Code(_) => 1,
            Self::TwoCodes(..) => 2,
            Self::Recovery(_) => 0,
        }
    }
}

/// What a proof is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It proves the factor, and this is used up by it.
    Accept(UsedUp),
    /// It does not.
    Refuse(Refusal),
}

/// What an accepted proof uses up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsedUp {
    /// This step of an authenticator, and all before it.
    Step {
        /// The authenticator.
        id: AuthenticatorId,
        /// The step, the later one of two.
        step: u64,
    },
    /// A recovery code.
    RecoveryCode {
        /// Its set.
        set: AuthenticatorId,
        /// Its id.
        id: u8,
    },
}

/// Why a proof is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No code of any window, no recovery code of the set.
    Wrong,
    /// The right one, but used before.
    Replayed,
    /// The first of two codes was right, the second was not a later one.
    SecondCode,
}

/// Judges a proof against what the user holds and what was used before.
///
/// The charge is the proof that the failed attempt is on record already, should this process die right now.
///
/// # Errors
/// [`RecoveryError::Memory`].
///
/// # Security
/// Every authenticator and every step is looked at, whatever the first ones said.
pub fn decide(_charge: &impl Charge, enrolment: &Enrolment, record: &Record, proof: &Proof) -> Result<Verdict, RecoveryError> {
    match proof {
        Proof::Code(code) => Ok(decide_codes(enrolment, record, code, None)),
        Proof::TwoCodes(first, second) => Ok(decide_codes(enrolment, record, first, Some(second))),
        Proof::Recovery(code) => decide_recovery(enrolment, record, code),
    }
}

fn decide_codes(enrolment: &Enrolment, record: &Record, first: &GivenCode, second: Option<&GivenCode>) -> Verdict {
    let mut verdict = Verdict::Refuse(Refusal::Wrong);
    for authenticator in &enrolment.authenticators {
        let used = record.use_of(&authenticator.id);
        let (last_step, drift) = (used.map(|used| used.last_step), used.map_or(0, |used| used.drift));
        let find = |given: &GivenCode, above: Option<u64>| authenticator.totp.find(&given.code, given.at, drift, above);
        let accept = |step| Verdict::Accept(UsedUp::Step { id: authenticator.id.clone(), step });
        let this = match (find(first, last_step), second) {
            (Match::Fresh(step), None) => accept(step),
            (Match::Fresh(step), Some(second)) => match find(second, Some(step)) {
                Match::Fresh(later) => accept(later),
                Match::Replayed | Match::Nothing => Verdict::Refuse(Refusal::SecondCode),
            },
            (Match::Replayed, _) => Verdict::Refuse(Refusal::Replayed),
            (Match::Nothing, _) => Verdict::Refuse(Refusal::Wrong),
        };
        verdict = stronger(verdict, this);
    }
    verdict
}

/// Of two authenticators' words the one that says more; an acceptance stays.
fn stronger(one: Verdict, other: Verdict) -> Verdict {
    match (&one, &other) {
        (Verdict::Refuse(_), Verdict::Accept(_)) | (Verdict::Refuse(Refusal::Wrong), Verdict::Refuse(_)) => other,
        (Verdict::Accept(_) | Verdict::Refuse(_), Verdict::Accept(_) | Verdict::Refuse(_)) => one,
    }
}

fn decide_recovery(enrolment: &Enrolment, record: &Record, code: &RecoveryCode) -> Result<Verdict, RecoveryError> {
    let Some(set) = &enrolment.recovery else {
        return Ok(Verdict::Refuse(Refusal::Wrong));
    };
    Ok(match set.find(code, record.spent(&set.set))? {
        RecoveryMatch::Fresh(id) => Verdict::Accept(UsedUp::RecoveryCode { set: set.set.clone(), id }),
        RecoveryMatch::Spent => Verdict::Refuse(Refusal::Replayed),
        RecoveryMatch::Nothing => Verdict::Refuse(Refusal::Wrong),
    })
}

/// The record after an accepted proof: what was used up is noted, the row of failures ends, stale entries go.
#[must_use]
pub fn accepted(enrolment: &Enrolment, before: &Record, used_up: &UsedUp, now: UnixTime) -> Record {
    let mut next = before.clone();
    let method = match used_up {
        UsedUp::Step { id, step } => {
            next.use_step(id, *step, now);
            Method::Otp
        }
        UsedUp::RecoveryCode { set, id } => {
            next.spend(set, *id);
            Method::Recovery
        }
    };
    next.throttle = before.throttle.accepted(method);
    next.keep_only(enrolment);
    next
}
