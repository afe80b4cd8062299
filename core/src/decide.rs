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
pub fn decide(
    _charge: &impl Charge,
    enrolment: &Enrolment,
    record: &Record,
    proof: &Proof,
) -> Result<Verdict, RecoveryError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{Subject, UserName},
        credentials::{Authenticator, Label},
        otp::{Algorithm, Totp},
        ports::StoreError,
        recovery::RecoverySet,
        secret::Secret,
    };

    /// A charge that was written.
    struct Written;

    impl Charge for Written {
        fn commit(self, _: &Record) -> Result<(), StoreError> {
            Ok(())
        }
    }

    const NOW: u64 = 30_000;
    const STEP: u64 = 1000;
    const RECOVERY: &str = "ABCDEFGHJKMNPQRS";

    fn id(text: &str) -> AuthenticatorId {
        AuthenticatorId::parse(text).unwrap()
    }

    fn authenticator(name: &str, secret: u8) -> Authenticator {
        let totp = Totp::new(Secret::from_bytes(&[secret; 20]).unwrap(), Algorithm::Sha1, 6, 30).unwrap();
        Authenticator { id: id(name), label: Label::parse(name).unwrap(), totp, created: None }
    }

    fn alice() -> Enrolment {
        let codes = [RecoveryCode::parse(RECOVERY.as_bytes()).unwrap()];
        let set = RecoverySet::hashed(id("set1"), UnixTime::default(), &codes, [1; 16]).unwrap();
        Enrolment {
            user: UserName::parse(b"alice").unwrap(),
            uid: None,
            authenticators: vec![authenticator("phone", 1), authenticator("tablet", 2)],
            recovery: Some(set),
        }
    }

    fn fresh() -> Record {
        Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 })
    }

    /// A record in which the phone was used at this step.
    fn used(step: u64) -> Record {
        let mut record = fresh();
        record.use_step(&id("phone"), step, UnixTime::default());
        record
    }

    fn given(which: usize, step: u64) -> GivenCode {
        let code = alice().authenticators[which].totp.code(step);
        GivenCode { code: Code::parse(code.as_bytes()).unwrap(), at: UnixTime::from_seconds(NOW) }
    }

    fn one(which: usize, step: u64) -> Proof {
        Proof::Code(given(which, step))
    }

    fn two(first: (usize, u64), second: (usize, u64)) -> Proof {
        Proof::TwoCodes(given(first.0, first.1), given(second.0, second.1))
    }

    fn recovery(text: &str) -> Proof {
        Proof::Recovery(RecoveryCode::parse(text.as_bytes()).unwrap())
    }

    fn accept(name: &str, step: u64) -> Verdict {
        Verdict::Accept(UsedUp::Step { id: id(name), step })
    }

    #[test]
    fn the_table_of_verdicts() {
        let (wrong, replayed, second) =
            (Verdict::Refuse(Refusal::Wrong), Verdict::Refuse(Refusal::Replayed), Verdict::Refuse(Refusal::SecondCode));
        let spent = {
            let mut record = fresh();
            record.spend(&id("set1"), 1);
            record
        };
        let other_set = {
            let mut record = fresh();
            record.spend(&id("set0"), 1);
            record
        };
        let code = Verdict::Accept(UsedUp::RecoveryCode { set: id("set1"), id: 1 });
        let (phone, tablet) = (0, 1);
        for (fact, record, proof, verdict) in [
            ("the code of now", fresh(), one(phone, STEP), accept("phone", STEP)),
            ("the code of the step before", fresh(), one(phone, STEP - 1), accept("phone", STEP - 1)),
            ("the code of the step after", fresh(), one(phone, STEP + 1), accept("phone", STEP + 1)),
            ("two steps ago", fresh(), one(phone, STEP - 2), wrong.clone()),
            ("two steps ahead", fresh(), one(phone, STEP + 2), wrong.clone()),
            ("either authenticator", fresh(), one(tablet, STEP), accept("tablet", STEP)),
            ("the step used last", used(STEP), one(phone, STEP), replayed.clone()),
            ("a step before the one used last", used(STEP), one(phone, STEP - 1), replayed.clone()),
            ("a step after the one used last", used(STEP), one(phone, STEP + 1), accept("phone", STEP + 1)),
            ("the other authenticator's steps are its own", used(STEP), one(tablet, STEP), accept("tablet", STEP)),
            ("a clock that was ahead", used(u64::MAX), one(phone, STEP), replayed.clone()),
            ("two consecutive codes", fresh(), two((phone, STEP), (phone, STEP + 1)), accept("phone", STEP + 1)),
            (
                "two codes with one between",
                fresh(),
                two((phone, STEP - 1), (phone, STEP + 1)),
                accept("phone", STEP + 1),
            ),
            ("the same code twice", fresh(), two((phone, STEP), (phone, STEP)), second.clone()),
            ("two codes in the wrong order", fresh(), two((phone, STEP), (phone, STEP - 1)), second.clone()),
            ("two codes of two authenticators", fresh(), two((phone, STEP), (tablet, STEP + 1)), second.clone()),
            ("a right code after a wrong one", fresh(), two((phone, STEP + 7), (phone, STEP)), wrong.clone()),
            ("a wrong code after a right one", fresh(), two((phone, STEP), (phone, STEP + 7)), second),
            ("a used code and the next", used(STEP), two((phone, STEP), (phone, STEP + 1)), replayed.clone()),
            ("a recovery code", fresh(), recovery(RECOVERY), code.clone()),
            ("a spent recovery code", spent, recovery(RECOVERY), replayed),
            ("what an older set spent", other_set, recovery(RECOVERY), code),
            ("no recovery code of the set", fresh(), recovery("0000000000000000"), wrong),
        ] {
            assert_eq!(decide(&Written, &alice(), &record, &proof).unwrap(), verdict, "{fact}");
        }
    }

    #[test]
    fn without_recovery_codes_none_is_right() {
        let bare = Enrolment { recovery: None, ..alice() };
        assert_eq!(decide(&Written, &bare, &fresh(), &recovery(RECOVERY)), Ok(Verdict::Refuse(Refusal::Wrong)));
    }

    #[test]
    fn the_first_of_two_codes_is_judged_at_the_time_it_was_given() {
        let early = GivenCode { at: UnixTime::from_seconds(NOW - 90), ..given(0, STEP - 3) };
        let proof = Proof::TwoCodes(early, given(0, STEP - 1));
        assert_eq!(decide(&Written, &alice(), &fresh(), &proof).unwrap(), accept("phone", STEP - 1));
    }

    #[test]
    fn acceptance_notes_what_was_used_and_drops_what_is_gone() {
        let now = UnixTime::from_seconds(NOW);
        let mut before = used(STEP - 1);
        before.use_step(&id("gone"), 7, now);
        before.spend(&id("set0"), 3);
        before.throttle.failures = 2;
        let step = accepted(&alice(), &before, &UsedUp::Step { id: id("phone"), step: STEP }, now);
        assert_eq!(
            (step.use_of(&id("phone")).unwrap().last_step, step.uses.len(), step.throttle.failures),
            (STEP, 1, 0)
        );
        assert_eq!(step.recovery, None);
        let code = accepted(&alice(), &before, &UsedUp::RecoveryCode { set: id("set1"), id: 1 }, now);
        assert_eq!((code.spent(&id("set1")), code.recovery_codes_left(&alice())), ([1].as_slice(), 0));
    }

    #[test]
    fn the_last_step_never_goes_back() {
        let mut record = used(STEP);
        record.use_step(&id("phone"), STEP - 5, UnixTime::default());
        assert_eq!(record.use_of(&id("phone")).unwrap().last_step, STEP);
    }
}
