//! The decision: whether answers prove a second factor. Pure; it cannot change a credential, by its types.
//!
//! [`judge`] needs a [`FailureOnRecord`] and returns a [`Judged`], which shows the record to store and not the verdict. The
//! store makes that record durable and then turns it into a [`Committed`], which has the verdict.

use std::time::Duration;

use crate::{
    credentials::{Authenticator, AuthenticatorId, Enrolment},
    issued::IssuedCode,
    otp::{Code, Match, Otp, ReplayState, Window},
    policy::Network,
    record::{Origin, Record},
    recovery::{RecoveryCode, RecoveryError, RecoveryMatch, RecoverySetId},
    remember::{Client, Remembered},
    throttle::{Gate, Limits, Method},
    time::UnixTime,
};

/// A code and when it was given. No `Debug`.
#[derive(Clone)]
pub struct SubmittedCode {
    /// What was typed.
    pub code: Code,
    /// The host's clock right after the answer.
    pub at: UnixTime,
}

/// What a login submits. No `Debug`.
#[derive(Clone)]
pub enum Response {
    /// One code.
    Code(SubmittedCode),
    /// Two codes, of which the second must come after the first.
    TwoCodes(SubmittedCode, SubmittedCode),
    /// Two consecutive codes that may be further off, to set the authenticator right (RFC 6238 section 6, RFC 4226
    /// section 7.4).
    Resync(SubmittedCode, SubmittedCode),
    /// A recovery code.
    Recovery(RecoveryCode),
}

impl Response {
    /// What the response is checked against.
    #[must_use]
    pub const fn method(&self) -> Method {
        match self {
            Self::Code(_) | Self::TwoCodes(..) | Self::Resync(..) => Method::Otp,
            Self::Recovery(_) => Method::Recovery,
        }
    }

    /// How many codes are at hand.
    #[must_use]
    pub const fn codes(&self) -> usize {
        match self {
            Self::Code(_) => 1,
            Self::TwoCodes(..) | Self::Resync(..) => 2,
            Self::Recovery(_) => 0,
        }
    }
}

/// What a response is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It proves the factor, and this is used up by it.
    Accept(Consumed),
    /// It does not.
    Refuse(Rejection),
}

/// What an accepted response uses up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consumed {
    /// This step of an authenticator, and all before it.
    Step {
        id: AuthenticatorId,
        /// The step, the later one of two.
        step: u64,
        /// By how many steps the authenticator's clock is ahead, if that was found out.
        drift: Option<i64>,
    },
    /// A recovery code.
    RecoveryCode { set: RecoverySetId, id: u8 },
    /// The issued code with this hash.
    IssuedCode([u8; IssuedCode::HASH]),
}

/// Why a response is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// No code of any window, no recovery code of the set, no issued code.
    Wrong,
    /// The right one, but used before.
    Replayed,
    /// The first of two codes was right, the second was not a later one.
    SecondCode,
}

/// Evidence that the failed attempt is on record already, should this process die before the attempt ends.
pub trait FailureOnRecord {
    /// The record with the failure counted. It stays as it is if the answer is refused.
    fn record(&self) -> &Record;
}

/// Whether an answer may be judged.
#[must_use]
pub enum Admission {
    /// It may, once `pending` is on record: the failure that the attempt is unless it is accepted.
    Judge {
        /// The record with the failure counted.
        pending: Record,
    },
    /// Not without the next code.
    AskNext,
    /// Not before this has passed.
    Wait {
        /// What is left to wait.
        rest: Duration,
        /// The record to store first, if a clock that was set back would make the wait too long.
        clamped: Option<Record>,
    },
    /// Not at all: too many answers were wrong.
    Refuse,
}

/// Asks the throttle whether an answer by `method` with so many codes may be judged now. `state` is the record under its
/// lock; `network` is where the answer surely came from.
#[inline(never)]
pub fn admit(
    state: &Record,
    limits: &Limits,
    (method, codes): (Method, usize),
    network: Option<Network>,
    now: UnixTime,
) -> Admission {
    match state.throttle.gate(limits, method, codes, network, now) {
        Gate::Open => {
            let throttle = state.throttle.with_failure(limits, method, network, now);
            let mut pending = Record { throttle, ..state.clone() };
            pending.drop_expired(now);
            Admission::Judge { pending }
        }
        Gate::SecondCode => Admission::AskNext,
        Gate::Disabled => Admission::Refuse,
        Gate::Wait(rest) => {
            let clamped = state.throttle.clamp_to(now).map(|throttle| Record { throttle, ..state.clone() });
            Admission::Wait { rest, clamped }
        }
    }
}

/// The reader of what is reported after a correct answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The user who logs in. Failed attempts have then been reported.
    User,
    /// Nobody, or somebody who is told less: the next login reports them.
    Nobody,
}

/// What else [`judge`] needs to know of an attempt.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// When the lock was taken.
    pub now: UnixTime,
    /// Where the user comes from, as the application says.
    pub from: Option<&'a Origin>,
    /// Where the user comes from for certain.
    pub network: Option<Network>,
    /// The client to remember, if the login is to be remembered.
    pub client: Option<&'a Client<'a>>,
    /// The reader of the report of failed attempts.
    pub audience: Audience,
}

/// A judged attempt. It shows the record to store and keeps the verdict to itself until that record is durable.
///
/// Only [`judge`] makes one:
///
/// ```compile_fail,E0451
/// use twinlock_core::decide::{Judged, Consumed, Verdict};
/// use twinlock_core::record::Record;
/// fn forge(state: Record, consumed: Consumed) -> Judged {
///     Judged { verdict: Verdict::Accept(consumed), state, forgets: false, clock_offset: None }
/// }
/// ```
#[must_use]
pub struct Judged {
    verdict: Verdict,
    state: Record,
    forgets: bool,
    clock_offset: Option<i64>,
}

impl Judged {
    /// The record to store.
    #[must_use]
    pub const fn state(&self) -> &Record {
        &self.state
    }

    /// Whether the record drops what was noted of authenticators that the user no longer has. The enrolment must be on the
    /// disk before it is stored.
    #[must_use]
    pub const fn forgets(&self) -> bool {
        self.forgets
    }

    /// The attempt with its verdict. Only a store calls this, after it has made [`Judged::state`] durable.
    pub fn committed(self) -> Committed {
        let Self { verdict, state, clock_offset, .. } = self;
        Committed { verdict, state, clock_offset }
    }
}

/// A judged attempt whose record is durable. Only [`Judged::committed`] makes one:
///
/// ```compile_fail,E0451
/// use twinlock_core::decide::{Committed, Consumed, Verdict};
/// use twinlock_core::record::Record;
/// fn forge(state: Record, consumed: Consumed) -> Committed {
///     Committed { verdict: Verdict::Accept(consumed), state, clock_offset: None }
/// }
/// ```
#[must_use]
pub struct Committed {
    verdict: Verdict,
    state: Record,
    clock_offset: Option<i64>,
}

impl Committed {
    /// The verdict.
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The record as it was stored.
    #[must_use]
    pub const fn state(&self) -> &Record {
        &self.state
    }

    /// Of an incorrect code, by how many seconds the clock of its authenticator is off, if the code is one of the ten minutes
    /// around now. It grants nothing. It reveals that a guess matched, so it is for the log and for root; the owner may see
    /// it of codes whose time is over.
    #[must_use]
    pub const fn clock_offset(&self) -> Option<i64> {
        self.clock_offset
    }
}

/// Judges a response against what the user holds and what was used before.
///
/// `before` is the record before the failure was counted; `failure` is the evidence that it was.
///
/// # Errors
/// [`RecoveryError::Memory`].
///
/// # Security
/// Every authenticator and every step is looked at, whatever the first ones said.
pub fn judge(
    failure: &impl FailureOnRecord,
    (enrolment, before): (&Enrolment, &Record),
    response: &Response,
    circumstances: &Circumstances<'_>,
) -> Result<Judged, RecoveryError> {
    let verdict = verdict_on(enrolment, before, response, circumstances.now)?;
    Ok(match &verdict {
        Verdict::Accept(consumed) => {
            let state = accepted(enrolment, before, consumed, circumstances);
            Judged { verdict, state, forgets: before.has_stale_entries(enrolment), clock_offset: None }
        }
        Verdict::Refuse(refusal) => {
            // Looked for in every case, so that a used code takes as long as a wrong one.
            let clock_offset = clock_offset(enrolment, before, response).filter(|_| *refusal == Rejection::Wrong);
            let state = if is_charged(response, *refusal) { failure.record() } else { before }.clone();
            Judged { verdict, state, forgets: false, clock_offset }
        }
    })
}

/// Whether a refused answer counts as a failure. A code that was used does not: its owner types it into several windows,
/// and an attacker who only guesses does not know it. The verdict on it says nothing about a second code that was given
/// with it. Spent recovery codes count, because each costs a hash, and so do the codes of a resync, whose window is wide.
const fn is_charged(response: &Response, refusal: Rejection) -> bool {
    match (response, refusal) {
        (Response::Code(_) | Response::TwoCodes(..), Rejection::Replayed) => false,
        (Response::Resync(..) | Response::Recovery(_), Rejection::Replayed)
        | (_, Rejection::Wrong | Rejection::SecondCode) => true,
    }
}

fn verdict_on(
    enrolment: &Enrolment,
    record: &Record,
    response: &Response,
    now: UnixTime,
) -> Result<Verdict, RecoveryError> {
    match response {
        Response::Code(code) => Ok(decide_codes(enrolment, record, (code, None), Window::Login)),
        Response::TwoCodes(first, second) => Ok(decide_codes(enrolment, record, (first, Some(second)), Window::Login)),
        Response::Resync(first, second) => Ok(decide_codes(enrolment, record, (first, Some(second)), Window::Resync)),
        Response::Recovery(code) => decide_recovery(enrolment, record, code, now),
    }
}

type Codes<'a> = (&'a SubmittedCode, Option<&'a SubmittedCode>);

fn decide_codes(enrolment: &Enrolment, record: &Record, codes: Codes<'_>, window: Window) -> Verdict {
    let mut verdict = Verdict::Refuse(Rejection::Wrong);
    for authenticator in enrolment.active() {
        let replay = replay_state_of(enrolment, record, authenticator);
        verdict = stronger(verdict, match_codes(&authenticator.otp, replay, codes, window).on(&authenticator.id));
    }
    verdict
}

/// What is known of an authenticator from its earlier uses. Where its secret stands twice among what the user holds, as
/// it may in a file that was deployed or imported, a step that was used of the one is used of the other.
fn replay_state_of(enrolment: &Enrolment, record: &Record, authenticator: &Authenticator) -> ReplayState {
    let twins = enrolment.authenticators.iter().filter(|one| one.otp.shares_key_with(&authenticator.otp));
    let last_step = twins.filter_map(|twin| record.replay_state(&twin.id).last_step).max();
    ReplayState { last_step, ..record.replay_state(&authenticator.id) }
}

/// What two codes, or one, are to one authenticator.
enum CodesMatch {
    Accept { step: u64, drift: Option<i64> },
    Refuse(Rejection),
}

impl CodesMatch {
    fn on(self, id: &AuthenticatorId) -> Verdict {
        match self {
            Self::Accept { step, drift } => Verdict::Accept(Consumed::Step { id: id.clone(), step, drift }),
            Self::Refuse(refusal) => Verdict::Refuse(refusal),
        }
    }
}

fn match_codes(otp: &Otp, replay: ReplayState, (first, second): Codes<'_>, window: Window) -> CodesMatch {
    let found = otp.find(&first.code, first.at, replay, window);
    // The second code is looked for whatever the first one is.
    let last_step = if let Match::Fresh(step) = found { Some(step) } else { replay.last_step };
    let next = second
        .map(|second| (second.at, otp.find(&second.code, second.at, ReplayState { last_step, ..replay }, window)));
    match (found, next) {
        (Match::Replayed, _) => CodesMatch::Refuse(Rejection::Replayed),
        (Match::Nothing, _) => CodesMatch::Refuse(Rejection::Wrong),
        (Match::Fresh(step), None) => CodesMatch::Accept { step, drift: None },
        (Match::Fresh(step), Some((at, Match::Fresh(later)))) if otp.follows(step, later, window) => {
            CodesMatch::Accept { step: later, drift: found_drift(otp, later, at, window) }
        }
        (Match::Fresh(_), Some(_)) => CodesMatch::Refuse(Rejection::SecondCode),
    }
}

/// Only two consecutive codes given for that purpose move the window of a clock.
fn found_drift(otp: &Otp, step: u64, now: UnixTime, window: Window) -> Option<i64> {
    match (otp.period(), window) {
        (Some(_), Window::Resync) => step.checked_signed_diff(otp.step_at(now, ReplayState::default())),
        (_, Window::Login) | (None, Window::Resync) => None,
    }
}

/// By how many seconds the clock of an authenticator is off, if the code is one of the ten minutes around now.
fn clock_offset(enrolment: &Enrolment, record: &Record, response: &Response) -> Option<i64> {
    let given = match response {
        Response::Code(given) | Response::TwoCodes(given, _) => given,
        Response::Resync(..) | Response::Recovery(_) => return None,
    };
    enrolment.active().find_map(|authenticator| {
        let (otp, replay) = (&authenticator.otp, replay_state_of(enrolment, record, authenticator));
        let period = i64::from(otp.period()?);
        match otp.find(&given.code, given.at, replay, Window::Resync) {
            Match::Fresh(step) => step.checked_signed_diff(otp.step_at(given.at, replay))?.checked_mul(period),
            Match::Replayed | Match::Nothing => None,
        }
    })
}

/// Of two authenticators' words the one that says more; an acceptance stays.
fn stronger(one: Verdict, other: Verdict) -> Verdict {
    match (&one, &other) {
        (Verdict::Refuse(_), Verdict::Accept(_)) | (Verdict::Refuse(Rejection::Wrong), Verdict::Refuse(_)) => other,
        (Verdict::Accept(_) | Verdict::Refuse(_), Verdict::Accept(_) | Verdict::Refuse(_)) => one,
    }
}

/// One hash, whether or not there are recovery codes, and whether or not one was issued.
fn decide_recovery(
    enrolment: &Enrolment,
    record: &Record,
    code: &RecoveryCode,
    now: UnixTime,
) -> Result<Verdict, RecoveryError> {
    let set = enrolment.recovery_set()?;
    Ok(match set.find(code, record.spent(&set.set), record.valid_issued_codes(&set.set, now))? {
        RecoveryMatch::Fresh(id) => Verdict::Accept(Consumed::RecoveryCode { set: set.set.clone(), id }),
        RecoveryMatch::Issued(hash) => Verdict::Accept(Consumed::IssuedCode(hash)),
        RecoveryMatch::Spent => Verdict::Refuse(Rejection::Replayed),
        RecoveryMatch::Nothing => Verdict::Refuse(Rejection::Wrong),
    })
}

/// The record after an accepted response: what was used up, when and from where is noted, the row of failures ends, the login
/// is remembered where that is wanted and a code was given for it, stale entries go.
fn accepted(enrolment: &Enrolment, before: &Record, consumed: &Consumed, circumstances: &Circumstances<'_>) -> Record {
    let Circumstances { now, from, network, client, audience } = *circumstances;
    let mut next = before.clone();
    match audience {
        Audience::User => next.forget_failed_attempts(),
        Audience::Nobody => {}
    }
    let method = match consumed {
        Consumed::Step { id, step, drift } => {
            next.use_step(id, *step, now);
            next.set_from(id, from);
            if let Some(drift) = drift {
                next.set_drift(id, *drift);
            }
            if let Some(client) = client {
                let mut logins = next.remembered.take().unwrap_or_else(|| Remembered::new(client.fresh));
                logins.remember(enrolment, client, now);
                next.remembered = Some(logins);
            }
            Method::Otp
        }
        Consumed::RecoveryCode { set, id } => {
            next.spend(set, *id);
            Method::Recovery
        }
        Consumed::IssuedCode(hash) => {
            next.use_issued(hash);
            Method::Recovery
        }
    };
    next.throttle = before.throttle.accepted(method, network);
    next.prune(enrolment);
    next.drop_expired(now);
    next
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::{
        account::{Subject, UserName},
        credentials::Label,
        otp::{Algorithm, MovingFactor, Otp},
        recovery::RecoverySet,
        secret::Secret,
    };

    /// A failure that was written.
    struct Written(Record);

    impl FailureOnRecord for Written {
        fn record(&self) -> &Record {
            &self.0
        }
    }

    const NOW: u64 = 30_000;
    const STEP: u64 = 1000;
    const CLOCK: MovingFactor = MovingFactor::Time { period: 30 };
    const RECOVERY: &str = "ABCDEFGHJKMNPQRS";

    fn id(text: &str) -> AuthenticatorId {
        AuthenticatorId::parse(text).unwrap()
    }

    fn set_id(text: &str) -> RecoverySetId {
        RecoverySetId::parse(text).unwrap()
    }

    fn authenticator(name: &str, secret: u8, factor: MovingFactor) -> Authenticator {
        let otp = Otp::new(Secret::from_bytes(&[secret; 20]).unwrap(), Algorithm::Sha1, 6, factor).unwrap();
        Authenticator { id: id(name), label: Label::parse(name).unwrap(), otp, created: None, suspended: false }
    }

    /// With one recovery code, which is hashed once for all tests.
    fn alice() -> Enrolment {
        static ALICE: LazyLock<Enrolment> = LazyLock::new(enrolled);
        ALICE.clone()
    }

    fn enrolled() -> Enrolment {
        let codes = [RecoveryCode::parse(RECOVERY.as_bytes()).unwrap()];
        let set = RecoverySet::hashed(set_id("set1"), UnixTime::default(), &codes, [1; 16]).unwrap();
        Enrolment {
            user: UserName::parse(b"alice").unwrap(),
            uid: None,
            authenticators: vec![authenticator("phone", 1, CLOCK), authenticator("tablet", 2, CLOCK)],
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

    const ISSUED: &str = "SRQPNMKJHGFEDCBA";

    /// A record with a code that was issued for so long around now.
    fn issued(enrolment: &Enrolment, [issued, expires]: [u64; 2]) -> Record {
        let set = enrolment.recovery_set().unwrap();
        let hash = *set.hash(&RecoveryCode::parse(ISSUED.as_bytes()).unwrap()).unwrap();
        let [issued, expires] = [issued, expires].map(UnixTime::from_seconds);
        let mut record = fresh();
        record.issue(IssuedCode { set: set.set.clone(), hash, issued, expires, by_uid: 0 });
        record
    }

    fn given(which: usize, step: u64) -> SubmittedCode {
        let code = alice().authenticators[which].otp.code(step);
        SubmittedCode { code: Code::parse(code.as_bytes()).unwrap(), at: UnixTime::from_seconds(NOW) }
    }

    fn one(which: usize, step: u64) -> Response {
        Response::Code(given(which, step))
    }

    fn two(first: (usize, u64), second: (usize, u64)) -> Response {
        Response::TwoCodes(given(first.0, first.1), given(second.0, second.1))
    }

    fn recovery(text: &str) -> Response {
        Response::Recovery(RecoveryCode::parse(text.as_bytes()).unwrap())
    }

    fn at(seconds: u64) -> Circumstances<'static> {
        Circumstances {
            now: UnixTime::from_seconds(seconds),
            from: None,
            network: None,
            client: None,
            audience: Audience::User,
        }
    }

    fn verdict_of(enrolment: &Enrolment, record: &Record, response: &Response) -> Result<Verdict, RecoveryError> {
        verdict_on(enrolment, record, response, at(NOW).now)
    }

    fn accept(name: &str, step: u64) -> Verdict {
        Verdict::Accept(Consumed::Step { id: id(name), step, drift: None })
    }

    #[test]
    fn the_table_of_verdicts() {
        let (wrong, replayed, second) = (
            Verdict::Refuse(Rejection::Wrong),
            Verdict::Refuse(Rejection::Replayed),
            Verdict::Refuse(Rejection::SecondCode),
        );
        let spent = {
            let mut record = fresh();
            record.spend(&set_id("set1"), 1);
            record
        };
        let other_set = {
            let mut record = fresh();
            record.spend(&set_id("set0"), 1);
            record
        };
        let code = Verdict::Accept(Consumed::RecoveryCode { set: set_id("set1"), id: 1 });
        let (phone, tablet) = (0, 1);
        for (fact, record, response, verdict) in [
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
            assert_eq!(verdict_of(&alice(), &record, &response).unwrap(), verdict, "{fact}");
        }
    }

    fn limits() -> Limits {
        Limits { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 }
    }

    #[test]
    fn an_answer_may_be_judged_once_the_failure_that_it_may_be_is_counted() {
        let limits = limits();
        let Admission::Judge { pending } = admit(&used(STEP), &limits, (Method::Otp, 1), None, at(NOW).now) else {
            unreachable!("nothing was wrong so far");
        };
        assert_eq!((pending.throttle.failures, &pending.uses), (1, &used(STEP).uses));
    }

    #[test]
    fn a_wait_that_a_clock_set_back_made_too_long_is_cut_on_record() {
        let limits = limits();
        let mut failed = fresh();
        for _ in 0..=limits.free_failures {
            failed.throttle = failed.throttle.with_failure(&limits, Method::Otp, None, at(NOW).now);
        }
        let clamped = |now| match admit(&failed, &limits, (Method::Otp, 2), None, UnixTime::from_seconds(now)) {
            Admission::Wait { clamped, .. } => clamped.map(|record| record.throttle),
            Admission::Judge { .. } | Admission::AskNext | Admission::Refuse => unreachable!("{now}"),
        };
        assert_eq!(clamped(NOW), None);
        let earlier = UnixTime::from_seconds(NOW - 1000);
        assert!(clamped(NOW - 1000) == failed.throttle.clamp_to(earlier) && clamped(NOW - 1000).is_some());
    }

    #[test]
    fn a_proof_is_checked_against_what_it_is_and_has_as_many_codes_as_were_given() {
        let resync = Response::Resync(given(0, STEP), given(0, STEP + 1));
        let responses = [one(0, STEP), two((0, STEP), (0, STEP + 1)), resync, recovery(RECOVERY)];
        let counted = responses.map(|response| (response.method(), response.codes()));
        assert_eq!(counted, [(Method::Otp, 1), (Method::Otp, 2), (Method::Otp, 2), (Method::Recovery, 0)]);
    }

    #[test]
    fn an_issued_code_is_right_once_for_its_time_and_beside_the_recovery_codes() {
        let bare = Enrolment { recovery: None, ..alice() };
        for enrolment in [alice(), bare] {
            let verdict = |record: &Record, now: u64| {
                verdict_on(&enrolment, record, &recovery(ISSUED), UnixTime::from_seconds(now)).unwrap()
            };
            let before = issued(&enrolment, [NOW, NOW + 300]);
            let Verdict::Accept(consumed) = verdict(&before, NOW) else { panic!("refused") };
            assert_eq!(consumed, Consumed::IssuedCode(before.issued[0].hash));
            for (now, accepted) in [(NOW - 1, false), (NOW + 299, true), (NOW + 300, false)] {
                assert_eq!(matches!(verdict(&before, now), Verdict::Accept(_)), accepted, "{now}");
            }
            let after = accepted(&enrolment, &before, &consumed, &at(NOW));
            assert!(after.issued.is_empty());
            assert_eq!(verdict(&after, NOW), Verdict::Refuse(Rejection::Wrong));
            let mut renewed = alice();
            renewed.recovery.as_mut().unwrap().set = set_id("set2");
            let of_old_set = verdict_on(&renewed, &before, &recovery(ISSUED), at(NOW).now);
            assert_eq!(of_old_set, Ok(Verdict::Refuse(Rejection::Wrong)));
        }
        let both = verdict_of(&alice(), &issued(&alice(), [NOW, NOW + 300]), &recovery(RECOVERY));
        assert_eq!(both, Ok(Verdict::Accept(Consumed::RecoveryCode { set: set_id("set1"), id: 1 })));
    }

    #[test]
    fn an_issued_code_that_is_over_is_dropped_with_the_next_attempt_and_its_failure_counts() {
        let before = issued(&alice(), [NOW - 600, NOW - 300]);
        let Admission::Judge { pending } = admit(&before, &limits(), (Method::Recovery, 0), None, at(NOW).now) else {
            unreachable!("nothing was wrong so far");
        };
        assert!(pending.issued.is_empty());
        let judged = judge(&Written(pending.clone()), (&alice(), &before), &recovery(ISSUED), &at(NOW)).unwrap();
        assert_eq!((judged.verdict, judged.state), (Verdict::Refuse(Rejection::Wrong), pending));
        let phone = Consumed::Step { id: id("phone"), step: STEP, drift: None };
        assert!(accepted(&alice(), &before, &phone, &at(NOW)).issued.is_empty());
        let valid = issued(&alice(), [NOW, NOW + 300]);
        assert_eq!(accepted(&alice(), &valid, &phone, &at(NOW)).issued, valid.issued);
    }

    #[test]
    fn without_recovery_codes_none_is_right() {
        let bare = Enrolment { recovery: None, ..alice() };
        assert_eq!(verdict_of(&bare, &fresh(), &recovery(RECOVERY)), Ok(Verdict::Refuse(Rejection::Wrong)));
    }

    #[test]
    fn the_first_of_two_codes_is_judged_at_the_time_it_was_given() {
        let early = SubmittedCode { at: UnixTime::from_seconds(NOW - 90), ..given(0, STEP - 3) };
        let response = Response::TwoCodes(early, given(0, STEP - 1));
        assert_eq!(verdict_of(&alice(), &fresh(), &response).unwrap(), accept("phone", STEP - 1));
    }

    #[test]
    fn a_used_code_is_refused_and_not_charged() {
        let (phone, tablet) = (0, 1);
        let spent = {
            let mut record = used(STEP);
            record.spend(&set_id("set1"), 1);
            record
        };
        let resync = Response::Resync(given(phone, STEP - 7), given(phone, STEP - 6));
        for (fact, response, charged) in [
            ("the code used last", one(phone, STEP), false),
            ("a code before it", one(phone, STEP - 1), false),
            ("a used code and the next", two((phone, STEP), (phone, STEP + 1)), false),
            ("a used code and a wrong one", two((phone, STEP), (phone, STEP + 7)), false),
            ("a wrong code", one(phone, STEP + 7), true),
            ("a wrong code and a used one", two((phone, STEP + 7), (phone, STEP)), true),
            ("a current code and a used one", two((tablet, STEP), (phone, STEP)), true),
            ("two used codes of a resync", resync, true),
            ("a spent recovery code", recovery(RECOVERY), true),
        ] {
            let pending = match admit(&spent, &limits(), (response.method(), response.codes()), None, at(NOW).now) {
                Admission::Judge { pending } => Written(pending),
                Admission::AskNext | Admission::Wait { .. } | Admission::Refuse => unreachable!("{fact}"),
            };
            let judged = judge(&pending, (&alice(), &spent), &response, &at(NOW)).unwrap().committed();
            assert!(matches!(judged.verdict(), Verdict::Refuse(_)), "{fact}");
            let after = if charged { pending.record() } else { &spent };
            assert!(judged.state() == after, "{fact}");
        }
    }

    #[test]
    fn acceptance_notes_what_was_used_and_drops_what_is_gone() {
        let now = UnixTime::from_seconds(NOW);
        let mut before = used(STEP - 1);
        before.use_step(&id("gone"), 7, now);
        before.spend(&set_id("set0"), 3);
        before.throttle.failures = 2;
        let (phone, from) =
            (Consumed::Step { id: id("phone"), step: STEP, drift: None }, Origin::from_text("192.0.2.7"));
        let network = Network::parse("192.0.2.7").ok();
        let step = accepted(
            &alice(),
            &before,
            &phone,
            &Circumstances { now, from: from.as_ref(), network, client: None, audience: Audience::User },
        );
        assert_eq!(
            (step.use_of(&id("phone")).unwrap().last_step, step.uses.len(), step.throttle.failures),
            (STEP, 1, 0)
        );
        assert_eq!((step.uses[0].last_used, &step.uses[0].last_from), (now, &from));
        assert_eq!((&step.recovery, step.throttle.home), (&None, network));
        let code = accepted(&alice(), &before, &Consumed::RecoveryCode { set: set_id("set1"), id: 1 }, &at(NOW));
        assert_eq!((code.spent(&set_id("set1")), code.recovery_codes_left(&alice())), ([1].as_slice(), 0));
    }

    #[test]
    fn a_secret_that_stands_twice_opens_once() {
        let held = |digits, second| {
            let mut tablet = authenticator("tablet", second, CLOCK);
            let secret = Secret::from_bytes(&[second; 20]).unwrap();
            tablet.otp = Otp::new(secret, Algorithm::Sha1, digits, CLOCK).unwrap();
            Enrolment { authenticators: vec![authenticator("phone", 1, CLOCK), tablet], ..alice() }
        };
        for (digits, second, again) in [
            (6, 1, Verdict::Refuse(Rejection::Replayed)),
            (8, 1, Verdict::Refuse(Rejection::Replayed)),
            (8, 2, accept("tablet", STEP)),
        ] {
            let enrolment = held(digits, second);
            let code = enrolment.authenticators[1].otp.code(STEP);
            let code = SubmittedCode { code: Code::parse(code.as_bytes()).unwrap(), ..given(0, STEP) };
            let verdict = verdict_of(&enrolment, &used(STEP), &Response::Code(code)).unwrap();
            assert_eq!(verdict, again, "{digits} digits of {second}");
        }
        let next = verdict_of(&held(6, 1), &used(STEP), &one(0, STEP + 1)).unwrap();
        assert_eq!(next, accept("phone", STEP + 1));
    }

    #[test]
    fn a_suspended_authenticator_opens_nothing() {
        let mut enrolment = alice();
        enrolment.authenticators[0].suspended = true;
        let verdict = |which| verdict_of(&enrolment, &fresh(), &one(which, STEP)).unwrap();
        assert_eq!((verdict(0), verdict(1)), (Verdict::Refuse(Rejection::Wrong), accept("tablet", STEP)));
    }

    #[test]
    fn two_consecutive_codes_ten_minutes_off_set_a_clock_right() {
        for ahead in [-20i64, -7, 0, 7, 19] {
            let first = STEP.saturating_add_signed(ahead);
            let resync = |second| Response::Resync(given(0, first), given(0, second));
            let drift = Some(ahead + 1);
            let wanted = Verdict::Accept(Consumed::Step { id: id("phone"), step: first + 1, drift });
            assert_eq!(verdict_of(&alice(), &fresh(), &resync(first + 1)).unwrap(), wanted, "{ahead}");
            let apart = verdict_of(&alice(), &fresh(), &resync(first + 2)).unwrap();
            assert_eq!(apart, Verdict::Refuse(Rejection::SecondCode), "{ahead}");
        }
        let far = Response::Resync(given(0, STEP + 21), given(0, STEP + 22));
        assert_eq!(verdict_of(&alice(), &fresh(), &far).unwrap(), Verdict::Refuse(Rejection::Wrong));
        let old = Response::Resync(given(0, STEP - 7), given(0, STEP - 6));
        assert_eq!(verdict_of(&alice(), &used(STEP), &old).unwrap(), Verdict::Refuse(Rejection::Replayed));
    }

    #[test]
    fn a_drift_that_was_found_moves_the_next_login() {
        let drift = Consumed::Step { id: id("phone"), step: STEP + 7, drift: Some(7) };
        let record = accepted(&alice(), &fresh(), &drift, &at(NOW));
        assert_eq!(verdict_of(&alice(), &record, &one(0, STEP + 8)).unwrap(), accept("phone", STEP + 8));
        assert_eq!(verdict_of(&alice(), &record, &one(0, STEP + 1)).unwrap(), Verdict::Refuse(Rejection::Wrong));
    }

    #[test]
    fn the_offset_of_a_refused_clock_is_told_for_ten_minutes() {
        let offset = |record: &Record, step| clock_offset(&alice(), record, &one(0, step));
        assert_eq!(offset(&fresh(), STEP + 6), Some(180));
        assert_eq!(offset(&fresh(), STEP - 20), Some(-600));
        assert_eq!(offset(&fresh(), STEP + 21), None);
        assert_eq!(offset(&used(STEP + 6), STEP + 6), None);
        assert_eq!(clock_offset(&alice(), &fresh(), &recovery(RECOVERY)), None);
    }

    #[test]
    fn a_token_opens_by_its_count_and_two_presses_follow_each_other() {
        let token = Enrolment {
            authenticators: vec![authenticator("token", 1, MovingFactor::Counter { first: 3 })],
            ..alice()
        };
        let verdict = |record: &Record, response: &Response| verdict_of(&token, record, response).unwrap();
        assert_eq!(verdict(&fresh(), &one(0, 3)), accept("token", 3));
        assert_eq!(verdict(&fresh(), &one(0, 2)), Verdict::Refuse(Rejection::Replayed));
        assert_eq!(verdict(&fresh(), &one(0, 9)), Verdict::Refuse(Rejection::Wrong));
        let mut pressed = fresh();
        pressed.use_step(&id("token"), 8, UnixTime::default());
        assert_eq!(verdict(&pressed, &one(0, 8)), Verdict::Refuse(Rejection::Replayed));
        assert_eq!(verdict(&pressed, &two((0, 9), (0, 10))), accept("token", 10));
        assert_eq!(verdict(&pressed, &two((0, 9), (0, 11))), Verdict::Refuse(Rejection::SecondCode));
        // The second press is looked for from the first one on.
        assert_eq!(verdict(&pressed, &two((0, 14), (0, 15))), accept("token", 15));
        let far = Response::Resync(given(0, 90), given(0, 91));
        assert_eq!(verdict(&pressed, &far), accept("token", 91));
    }

    #[test]
    fn an_answer_is_judged_after_its_failure_is_counted_or_not_at_all() {
        let limits = Limits { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 };
        let now = UnixTime::from_seconds(NOW);
        let admitted = |failures: u32, codes: usize, last: u64| {
            let mut record = fresh();
            for _ in 0..failures {
                let last = UnixTime::from_seconds(last);
                record.throttle = record.throttle.with_failure(&limits, Method::Otp, None, last);
            }
            (admit(&record, &limits, (Method::Otp, codes), None, now), record)
        };
        let (Admission::Judge { pending }, record) = admitted(0, 1, NOW) else { panic!("open") };
        assert_eq!(pending.throttle, record.throttle.with_failure(&limits, Method::Otp, None, now));
        assert_eq!(Record { throttle: record.throttle.clone(), ..pending }, record, "nothing else changes");
        assert!(matches!(admitted(3, 1, 0).0, Admission::AskNext));
        assert!(matches!(admitted(3, 2, 0).0, Admission::Judge { .. }));
        assert!(matches!(admitted(3, 2, NOW).0, Admission::Wait { clamped: None, .. }));
        assert!(
            matches!(admitted(3, 2, NOW + 9).0, Admission::Wait { clamped: Some(_), .. }),
            "a clock that was set back"
        );
        assert!(matches!(admitted(100, 2, 0).0, Admission::Refuse));
    }

    #[test]
    fn a_refusal_leaves_the_failure_on_record_and_an_acceptance_takes_its_place() {
        let before = used(STEP - 7);
        let counted = Record { provisional: false, ..before.clone() };
        let committed = |response: &Response| {
            let judged = judge(&Written(counted.clone()), (&alice(), &before), response, &at(NOW)).unwrap();
            assert!(!judged.forgets());
            let state = judged.state().clone();
            let committed = judged.committed();
            assert_eq!(*committed.state(), state);
            (committed.verdict().clone(), state, committed.clock_offset())
        };
        let refused = |refusal| Verdict::Refuse(refusal);
        assert_eq!(committed(&one(0, STEP + 7)), (refused(Rejection::Wrong), counted.clone(), Some(210)));
        assert_eq!(committed(&one(0, STEP + 21)), (refused(Rejection::Wrong), counted.clone(), None));
        assert_eq!(committed(&one(0, STEP - 7)), (refused(Rejection::Wrong), counted.clone(), None));
        assert_eq!(committed(&two((0, STEP), (0, STEP))), (refused(Rejection::SecondCode), counted.clone(), None));
        let phone = Consumed::Step { id: id("phone"), step: STEP, drift: None };
        let next = accepted(&alice(), &before, &phone, &at(NOW));
        assert_eq!(committed(&one(0, STEP)), (accept("phone", STEP), next, None));
    }

    #[test]
    fn only_an_acceptance_forgets_what_an_older_enrolment_used() {
        let mut before = fresh();
        before.use_step(&id("gone"), 7, UnixTime::default());
        let forgets = |response: &Response| {
            judge(&Written(before.clone()), (&alice(), &before), response, &at(NOW)).unwrap().forgets()
        };
        assert_eq!((forgets(&one(0, STEP)), forgets(&one(0, STEP + 7))), (true, false));
    }

    #[test]
    fn the_last_step_never_goes_back() {
        let mut record = used(STEP);
        record.use_step(&id("phone"), STEP - 5, UnixTime::default());
        assert_eq!(record.use_of(&id("phone")).unwrap().last_step, STEP);
    }
}
