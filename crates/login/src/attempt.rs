//! One login attempt, top to bottom: who is asked, what is answered, what it proves, and what is on the disk before
//! anybody learns of it.
//!
//! This file must not know how a store works, and must not decide what a code is worth: that is [`twinlock_core::decide`].

use std::time::Duration;

use twinlock_core::{
    account::Subject,
    answer::Answer,
    audit::{AuditLine, Reason},
    catalogue::{Catalogue, UserText},
    credentials::{AuthenticatorId, Enrolment},
    decide::{
        self, Admission, Audience, Circumstances, Committed, Consumed, Rejection, Response, SubmittedCode, Verdict,
    },
    news::{FailedAttempts, News},
    notice::Notice,
    policy::{Network, SecondFactor},
    ports::{Clock, Conversation, NoAnswer, Question},
    record::{Origin, Record},
    recovery::RecoveryError,
    remember::Client,
    throttle::{Gate, Limits, Method},
    time::UnixTime,
};
use twinlock_store::ports::{Hashing, LockedState, PendingFailure, ReadCredentials, Snapshot, StateStore, StoreError};

use crate::{messages, snapshot::LazySnapshot};

/// What an attempt works with.
#[derive(Clone, Copy)]
pub struct Login<'a, C, S> {
    /// What users hold.
    pub credentials: &'a C,
    /// What logins change.
    pub states: &'a S,
    /// Read after every answer.
    pub clock: &'a dyn Clock,
    /// How guessing is slowed down.
    pub limits: Limits,
    /// What is asked. The same for everybody.
    pub prompts: &'a Prompts,
    /// Where the user comes from, as the application says; it is noted, and nothing is decided by it.
    pub from: Option<&'a Origin>,
    /// The network of that address, where the application surely knows it: wrong answers are spaced by it, and codes
    /// from the network of the last success are not held up by those of others. Never what a caller claims.
    pub network: Option<Network>,
    /// The client to recognise, where logins are remembered.
    pub client: Option<Client<'a>>,
    /// The reader of the report of failed attempts after a success.
    pub audience: Audience,
    /// What is known of the user before anything is asked; without one, the store is asked each time.
    pub forecast: Option<&'a LazySnapshot<'a>>,
}

/// The questions of a login.
#[derive(Debug, Clone)]
pub struct Prompts {
    /// Asks for a code or a recovery code.
    pub first: String,
    /// Asks for a second code, consecutive to the first.
    pub next: String,
}

impl Prompts {
    /// This question first, and the usual one for a second code.
    #[must_use]
    pub fn beginning_with(first: String, catalogue: &Catalogue) -> Self {
        Self { first, next: catalogue.prompt(UserText::NextCodePrompt) }
    }

    const fn first(&self) -> Question<'_> {
        Question::Code(self.first.as_str())
    }

    const fn next(&self) -> Question<'_> {
        Question::NextCode(self.next.as_str())
    }
}

/// How an attempt ended, and what the log says about it.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    /// What was decided.
    pub outcome: Outcome,
    /// What is logged. Nothing is decided by it.
    pub audit: AuditEntry,
}

/// The end of an attempt.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// A second factor was verified, and it is on the disk that it is used up; or this login is remembered.
    Granted(Granted),
    /// Policy asks nobody, or not this user, who is not enrolled. The only way to a login without an answer.
    NotAsked(Exempt),
    Refused(Reason),
    /// No, and not before this has passed.
    TooSoon(Duration),
    /// The conversation broke.
    NoAnswer(NoAnswer),
}

/// The evidence that a login may pass because of its second factor. There are three ways to get one: the functions
/// `from_...` below, which are called in one place each. It cannot be copied.
///
/// ```compile_fail,E0451
/// use twinlock_login::attempt::Granted;
/// let forged = Granted { recovery_codes_left: None, news: None };
/// ```
#[derive(Debug)]
pub struct Granted {
    recovery_codes_left: Option<usize>,
    news: Option<Box<News>>,
}

impl Granted {
    /// From an attempt that was judged and whose record is durable: the code it accepted cannot be used again.
    fn from_committed(
        committed: &Committed,
        enrolment: &Enrolment,
        failed: Option<FailedAttempts>,
        circumstances: &Circumstances<'_>,
    ) -> Result<Self, Rejection> {
        let recovery_codes_left = match committed.verdict() {
            Verdict::Accept(Consumed::Step { .. } | Consumed::IssuedCode(_)) => None,
            Verdict::Accept(Consumed::RecoveryCode { .. }) => Some(committed.state().recovery_codes_left(enrolment)),
            Verdict::Refuse(refusal) => return Err(*refusal),
        };
        let Circumstances { from, now, .. } = *circumstances;
        Ok(Self { recovery_codes_left, news: News::of_record(committed.state(), failed, from, now) })
    }

    /// From a login that is remembered in a record whose lock is held: a code was given for it within the time that the
    /// rule allows, by this client, for these authenticators, and the throttle asks for no second code.
    fn from_remembered_login<C, S>(
        login: &Login<'_, C, S>,
        client: &Client<'_>,
        (locked, enrolment): (&impl LockedState, &Enrolment),
    ) -> Option<Self> {
        let (record, now) = (locked.record(), login.clock.now());
        let gate = record.throttle.gate(&login.limits, Method::Otp, 1, login.network, now);
        let known = record.remembered.as_ref().is_some_and(|logins| logins.recognises(enrolment, client, now));
        let usable = enrolment.active().next().is_some();
        let remembered = known && usable && gate == Gate::Open;
        let news = || News::of_record(record, record.failed_attempts(), login.from, now);
        remembered.then(|| Self { recovery_codes_left: None, news: news() })
    }

    /// From the verdict of the broker, which made the attempt with an answer that this process carried to it. Whether it is
    /// the broker is checked when the connection is made.
    pub(crate) fn from_broker(recovery_codes_left: Option<usize>, notice: Option<Notice>) -> Self {
        let news = notice.map(|notice| Box::new(News { failed: None, notice: Some(notice), latest: Vec::new() }));
        Self { recovery_codes_left, news }
    }

    /// Recovery codes left, if one was used.
    #[must_use]
    pub const fn recovery_codes_left(&self) -> Option<usize> {
        self.recovery_codes_left
    }

    /// What happened lately, for the user.
    #[must_use]
    pub fn news(&self) -> Option<&News> {
        self.news.as_deref()
    }
}

/// The evidence that a login may pass unasked. There is one way to get one.
///
/// ```compile_fail,E0423
/// use twinlock_login::attempt::Exempt;
/// let forged = Exempt(());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exempt(());

impl Exempt {
    /// Policy asks nobody; or only users who are enrolled, and `not_enrolled` says that this one is not. A store that
    /// cannot be read is not an answer of "not enrolled".
    pub(crate) fn by_policy(policy: SecondFactor, not_enrolled: impl FnOnce() -> bool) -> Option<Self> {
        match policy {
            SecondFactor::Required | SecondFactor::Enroll => None,
            SecondFactor::Skip => Some(Self(())),
            SecondFactor::Optional => not_enrolled().then_some(Self(())),
        }
    }
}

/// What the log says about an attempt.
#[derive(Debug, Default)]
pub struct AuditEntry {
    /// What the answer was checked against.
    pub method: Option<&'static str>,
    /// The authenticator that proved it.
    pub authenticator: Option<AuthenticatorId>,
    /// Wrong answers in a row, as they now stand on the disk.
    pub failures: Option<u32>,
    /// By how many seconds the authenticator's clock is off, if that is why it was refused. Not for the user:
    /// see [`Committed::clock_offset`].
    pub clock_offset: Option<i64>,
    /// Whether this attempt was the one too many, after which answers by its method are refused.
    pub disables: bool,
    /// What is broken, for the log.
    pub detail: Option<String>,
    /// Whether it passed because of an emergency.
    pub emergency: bool,
}

impl AuditEntry {
    /// The line of the log, but for the user, the service and the remote host.
    #[must_use]
    pub fn line(&self, refused: Option<Reason>) -> AuditLine<'_> {
        AuditLine {
            refused,
            method: self.method,
            authenticator: self.authenticator.as_ref().map(AuthenticatorId::as_str),
            failures: self.failures,
            clock_offset: self.clock_offset,
            disables: self.disables,
            detail: self.detail.as_deref(),
            emergency: self.emergency,
            ..AuditLine::default()
        }
    }
}

impl Attempt {
    /// Why it was refused, for the log; `None` if it was not.
    #[must_use]
    pub const fn refused(&self) -> Option<Reason> {
        match self.outcome {
            Outcome::Granted(_) | Outcome::NotAsked(_) => None,
            Outcome::Refused(reason) => Some(reason),
            Outcome::TooSoon(_) => Some(Reason::Throttled),
            Outcome::NoAnswer(_) => Some(Reason::NoAnswer),
        }
    }

    /// An attempt that ended so, with nothing more to say.
    pub fn ended(outcome: Outcome) -> Self {
        Self { outcome, audit: AuditEntry::default() }
    }

    /// sshd answers in the place of somebody who may not log in this way.
    pub fn blocked() -> Self {
        Self::refused_for(Reason::Junk).with_detail(messages::BLOCKED_BY_SSHD)
    }

    /// A refusal with nothing more to say.
    pub fn refused_for(reason: Reason) -> Self {
        Self::ended(Outcome::Refused(reason))
    }

    /// The same attempt with this detail for the log.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.audit.detail = Some(detail.into());
        self
    }
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::refused_for(error.reason()).with_detail(format!("{error}; {}", error.hint()))
    }
}

impl From<RecoveryError> for Attempt {
    fn from(error: RecoveryError) -> Self {
        Self::refused_for(Reason::Store).with_detail(error.to_string())
    }
}

/// What an answer led to.
enum Step {
    End(Attempt),
    NextCode,
}

impl<C: ReadCredentials, S: StateStore> Login<'_, C, S> {
    /// Runs one attempt for `subject`, `None` if there is no such account.
    pub fn attempt(
        &self,
        subject: Option<&Subject>,
        policy: SecondFactor,
        conversation: &mut dyn Conversation,
    ) -> Attempt {
        if let Some(exempt) = self.exempt(subject, policy) {
            return Attempt::ended(Outcome::NotAsked(exempt));
        }
        if let Some(attempt) = self.recognise(subject) {
            return attempt;
        }
        let first = match self.ask(self.prompts.first(), conversation) {
            Ok(answer) => answer,
            Err(none) => return Attempt::ended(Outcome::NoAnswer(none)),
        };
        let Some(subject) = subject else {
            return Attempt::refused_for(Reason::UnknownUser);
        };
        let response = match first.0 {
            Answer::Otp(code) => Response::Code(SubmittedCode { code, at: first.1 }),
            Answer::Recovery(code) => Response::Recovery(code),
            Answer::Blocked => return Attempt::blocked(),
            Answer::Junk => return Attempt::refused_for(Reason::Junk),
        };
        if self.will_need_next_code(&response) {
            return self.second_answer(subject, response, conversation);
        }
        match self.verify_locked(subject, &response) {
            Step::End(attempt) => attempt,
            Step::NextCode => self.second_answer(subject, response, conversation),
        }
    }

    /// Takes two consecutive codes that may be further off than a login allows, and sets the authenticator right by
    /// them. Counted like any attempt, and worth one.
    pub fn resync(&self, subject: &Subject, conversation: &mut dyn Conversation) -> Attempt {
        let mut code = |question| match self.ask(question, conversation) {
            Ok((Answer::Otp(code), at)) => Ok(SubmittedCode { code, at }),
            Ok((Answer::Recovery(_) | Answer::Blocked | Answer::Junk, _)) => Err(Attempt::refused_for(Reason::Junk)),
            Err(none) => Err(Attempt::ended(Outcome::NoAnswer(none))),
        };
        let first = code(self.prompts.first());
        let response = match first.and_then(|first| Ok(Response::Resync(first, code(self.prompts.next())?))) {
            Ok(response) => response,
            Err(attempt) => return attempt,
        };
        match self.verify_locked(subject, &response) {
            Step::End(attempt) => attempt,
            Step::NextCode => Attempt::refused_for(Reason::Internal),
        }
    }

    fn exempt(&self, subject: Option<&Subject>, policy: SecondFactor) -> Option<Exempt> {
        let not_enrolled = |subject: &Subject| match self.forecast {
            Some(forecast) => forecast.is_not_enrolled(),
            None => matches!(self.credentials.read(subject), Ok(None)),
        };
        Exempt::by_policy(policy, || subject.is_some_and(not_enrolled))
    }

    /// A login that is remembered needs no answer. Whatever is in the way of telling, the code is asked for, and that
    /// attempt says what is broken.
    fn recognise(&self, subject: Option<&Subject>) -> Option<Attempt> {
        let (client, subject) = (self.client.as_ref()?, subject?);
        if self.forecast.is_some_and(|forecast| !may_recognise(forecast, client, self.clock.now())) {
            return None;
        }
        let (state, enrolment) = self.lock(subject, None).ok()??;
        let granted = Granted::from_remembered_login(self, client, (&state, &enrolment))?;
        let attempt = Attempt::ended(Outcome::Granted(granted));
        let mut attempt = attempt.with_detail(messages::REMEMBERED);
        attempt.audit.failures = Some(state.record().throttle.failures);
        Some(attempt)
    }

    /// Whether the record, as it was when it was read without the lock, asks for the next code. It is then asked for at once,
    /// and not after a look under the lock, which is taken for both.
    fn will_need_next_code(&self, response: &Response) -> bool {
        let state = self.forecast.and_then(LazySnapshot::read_already).and_then(|snapshot| snapshot.state.as_ref());
        state.is_some_and(|state| {
            let now = self.clock.now();
            let gate = state.throttle.gate(&self.limits, response.method(), response.codes(), self.network, now);
            gate == Gate::SecondCode
        })
    }

    fn ask(&self, question: Question<'_>, conversation: &mut dyn Conversation) -> Result<(Answer, UnixTime), NoAnswer> {
        let bytes = conversation.ask(question)?;
        Ok((Answer::read(&bytes), self.clock.now()))
    }

    /// Step-up: asks for the next code, with no lock held, and looks again at everything.
    fn second_answer(&self, subject: &Subject, first: Response, conversation: &mut dyn Conversation) -> Attempt {
        let second = match self.ask(self.prompts.next(), conversation) {
            Ok(answer) => answer,
            Err(none) => return Attempt::ended(Outcome::NoAnswer(none)),
        };
        let response = match (first, second.0) {
            (Response::Code(first), Answer::Otp(code)) => {
                Response::TwoCodes(first, SubmittedCode { code, at: second.1 })
            }
            (_, Answer::Recovery(code)) => Response::Recovery(code),
            (_, Answer::Blocked) => return Attempt::blocked(),
            (_, Answer::Junk | Answer::Otp(_)) => return Attempt::refused_for(Reason::Junk),
        };
        match self.verify_locked(subject, &response) {
            Step::End(attempt) => attempt,
            Step::NextCode => Attempt::refused_for(Reason::Internal),
        }
    }

    fn verify_locked(&self, subject: &Subject, response: &Response) -> Step {
        self.try_verify_locked(subject, response).unwrap_or_else(Step::End)
    }

    /// Under the user's lock: ask the throttle, record the failure, verify, commit.
    fn try_verify_locked(&self, subject: &Subject, response: &Response) -> Result<Step, Attempt> {
        let permit = match response.method() {
            Method::Recovery => Some(self.states.hash_permit(Hashing::Login)?),
            Method::Otp => None,
        };
        let Some((mut state, enrolment)) = self.lock(subject, permit.as_ref())? else {
            return Ok(Step::End(Attempt::refused_for(Reason::NotEnrolled)));
        };
        // What is written from here on belongs to an enrolment that was read under this lock.
        let before = Record { provisional: false, ..state.record().clone() };
        let now = self.clock.now();
        let offered = (response.method(), response.codes());
        let pending = match decide::admit(&before, &self.limits, offered, self.network, now) {
            Admission::Judge { mut pending } => {
                pending.note_failed_attempt(self.from, now);
                state.record_failure(pending)?
            }
            Admission::AskNext => return Ok(Step::NextCode),
            Admission::Refuse => return Ok(Step::End(refused(Reason::Disabled, response, &enrolment, &before))),
            Admission::Wait { rest, clamped } => {
                if let Some(clamped) = clamped {
                    state.change(&clamped)?;
                }
                let attempt = refused(Reason::Throttled, response, &enrolment, &before);
                return Ok(Step::End(Attempt { outcome: Outcome::TooSoon(rest), ..attempt }));
            }
        };
        let (from, network, client, audience) = (self.from, self.network, self.client.as_ref(), self.audience);
        let circumstances = Circumstances { now, from, network, client, audience };
        let judged = decide::judge(&pending, (&enrolment, &before), response, &circumstances)?;
        if judged.forgets() {
            self.credentials.ensure_durable(subject)?;
        }
        let committed = pending.commit(judged)?;
        let mut attempt = ended_by(&committed, (&enrolment, before.failed_attempts()), response, &circumstances);
        attempt.audit.disables = committed.state().throttle.is_disabled(&self.limits, response.method());
        Ok(Step::End(attempt))
    }

    /// The user's lock with the credentials read under it, or `None` if the user is not enrolled.
    fn lock(
        &self,
        subject: &Subject,
        permit: Option<&S::HashPermit>,
    ) -> Result<Option<(S::Locked, Enrolment)>, StoreError> {
        let state = match self.states.open_enrolled(subject, permit)? {
            Some(state) => state,
            None if self.credentials.read(subject)?.is_some() => self.states.open_or_create(subject)?,
            None => return Ok(None),
        };
        if let Some(enrolment) = state.enrolment(subject)? {
            return Ok(Some((state, enrolment)));
        }
        // What a record without credentials means is for the store to say, which may wait for the lock.
        drop(state);
        self.credentials.read(subject).map(|_| None)
    }
}

/// Whether it is worth looking under the lock for a remembered login of this client.
fn may_recognise(forecast: &LazySnapshot<'_>, client: &Client<'_>, now: UnixTime) -> bool {
    let Some(Snapshot { enrolment: Some(enrolment), state: Some(state) }) = forecast.snapshot() else { return false };
    state.remembered.as_ref().is_some_and(|logins| logins.recognises(enrolment, client, now))
}

/// How an attempt ended whose verdict is on the disk.
fn ended_by(
    committed: &Committed,
    (enrolment, failed): (&Enrolment, Option<FailedAttempts>),
    response: &Response,
    circumstances: &Circumstances<'_>,
) -> Attempt {
    match Granted::from_committed(committed, enrolment, failed, circumstances) {
        Ok(granted) => {
            let (method, authenticator) = match committed.verdict() {
                Verdict::Accept(Consumed::Step { id, .. }) => {
                    let used = enrolment.active().find(|authenticator| authenticator.id == *id);
                    (used.map_or("totp", |authenticator| authenticator.otp.kind()), Some(id.clone()))
                }
                Verdict::Accept(Consumed::IssuedCode(_)) => ("issued", None),
                Verdict::Accept(Consumed::RecoveryCode { .. }) | Verdict::Refuse(_) => ("recovery", None),
            };
            let failures = Some(committed.state().throttle.failures);
            let audit = AuditEntry { method: Some(method), authenticator, failures, ..AuditEntry::default() };
            Attempt { outcome: Outcome::Granted(granted), audit }
        }
        Err(refusal) => {
            let mut attempt = refused(reason(refusal), response, enrolment, committed.state());
            attempt.audit.clock_offset = committed.clock_offset();
            attempt
        }
    }
}

fn refused(reason: Reason, response: &Response, enrolment: &Enrolment, record: &Record) -> Attempt {
    let method = match response.method() {
        // An incorrect code does not show which authenticator it was meant to be of.
        Method::Otp => enrolment.active().next().map_or("totp", |authenticator| authenticator.otp.kind()),
        Method::Recovery => "recovery",
    };
    let failures = Some(record.throttle.failures);
    let audit = AuditEntry { method: Some(method), failures, ..AuditEntry::default() };
    Attempt { outcome: Outcome::Refused(reason), audit }
}

const fn reason(refusal: Rejection) -> Reason {
    match refusal {
        Rejection::Wrong => Reason::WrongCode,
        Rejection::Replayed => Reason::Replayed,
        Rejection::SecondCode => Reason::StepUp,
    }
}
