//! One login attempt, top to bottom: who is asked, what is answered, what it proves, and what is on the disk before
//! anybody learns of it (DESIGN section 3).
//!
//! This file must not know how a store works, and must not decide what a code is worth: that is [`twinlock_core::decide`].

use std::time::Duration;

use twinlock_core::{
    account::Subject,
    answer::Answer,
    credentials::{AuthenticatorId, Enrolment},
    decide::{self, Consumed, Rejection, Response, SubmittedCode, Verdict},
    grant::Grant,
    journal::Reason,
    notice::Notice,
    policy::{Network, SecondFactor},
    ports::{Clock, Conversation, NoAnswer},
    record::{Origin, Record},
    recovery::RecoveryError,
    remember::{Client, Remembered},
    throttle::{Gate, Limits, Method},
    time::UnixTime,
};
use twinlock_store::ports::{LockedState, PendingFailure, ReadCredentials, StateStore, StoreError};

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
    /// What is asked first. The same for everybody.
    pub prompt: &'a str,
    /// Where the user comes from, as the application says; it is noted, and nothing is decided by it.
    pub from: Option<&'a Origin>,
    /// The network of that address, where the application surely knows it: wrong answers are spaced by it, and codes
    /// from the network of the last success are not held up by those of others. Never what a caller claims.
    pub network: Option<Network>,
    /// Who is recognised, where logins are remembered.
    pub client: Option<Client<'a>>,
}

/// What is asked when a second code is needed.
pub const NEXT_CODE_PROMPT: &str = "Wait for the next code and enter it: ";

/// How an attempt ended, and what the log says about it.
#[derive(Debug)]
#[must_use]
pub struct Attempt {
    /// The end, as it is told. Who acts on it goes by [`Attempt::end`].
    pub outcome: Outcome,
    /// What somebody passes by, beside the outcome.
    pub grant: Grant,
    /// What the answer was checked against.
    pub method: Option<&'static str>,
    /// The authenticator that proved it.
    pub authenticator: Option<AuthenticatorId>,
    /// Wrong answers in a row, as they now stand on the disk.
    pub failures: Option<u32>,
    /// By how many seconds the authenticator's clock is off, if that is why it was refused. Not for whoever answered:
    /// see [`decide::clock_offset`].
    pub clock_offset: Option<i64>,
    /// What is broken, for the log.
    pub detail: Option<String>,
    /// What happened to the second factor lately, for its owner.
    pub notice: Option<Box<Notice>>,
}

/// The end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// A second factor was verified, and it is on the disk that it is used up.
    Granted {
        /// Recovery codes left, if one was used.
        recovery_codes_left: Option<usize>,
    },
    /// Policy asks nobody, or not this user, who is not enrolled. The only way to a login without an answer.
    NotAsked,
    /// No.
    Refused(Reason),
    /// No, and not before this has passed.
    TooSoon(Duration),
    /// The conversation broke.
    NoAnswer(NoAnswer),
}

impl Outcome {
    /// What somebody passes by who ended so.
    const fn word(self) -> Grant {
        match self {
            Self::Granted { .. } => Grant::VERIFIED,
            Self::NotAsked => Grant::NOT_ASKED,
            Self::Refused(_) | Self::TooSoon(_) | Self::NoAnswer(_) => Grant::NONE,
        }
    }
}

impl Attempt {
    /// How it ended, for whoever acts on it: nobody passes without the word for it.
    pub fn end(&self) -> Outcome {
        match self.outcome {
            passing @ (Outcome::Granted { .. } | Outcome::NotAsked) if self.grant.is(passing.word()) => passing,
            Outcome::Granted { .. } | Outcome::NotAsked => Outcome::Refused(Reason::Internal),
            other @ (Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_)) => other,
        }
    }

    /// Why it was refused, for the log; `None` if it was not.
    #[must_use]
    pub fn refused(&self) -> Option<Reason> {
        match self.end() {
            Outcome::Granted { .. } | Outcome::NotAsked => None,
            Outcome::Refused(reason) => Some(reason),
            Outcome::TooSoon(_) => Some(Reason::Throttled),
            Outcome::NoAnswer(_) => Some(Reason::NoAnswer),
        }
    }

    /// An attempt after which somebody passes: a factor was verified, or nobody is asked.
    pub fn passed(outcome: Outcome) -> Self {
        Self { grant: outcome.word(), ..Self::ended(outcome) }
    }

    /// An attempt that ended so, with nothing more to say. Nobody passes by it.
    pub const fn ended(outcome: Outcome) -> Self {
        Self {
            outcome,
            grant: Grant::NONE,
            method: None,
            authenticator: None,
            failures: None,
            clock_offset: None,
            detail: None,
            notice: None,
        }
    }

    /// sshd answers in the place of somebody who may not log in this way.
    pub fn blocked() -> Self {
        Self::refused_for(Reason::Junk).with_detail("sshd replaced the answer: this account may not log in this way (root: see PermitRootLogin; others: DenyUsers, AllowGroups, the shell)")
    }

    fn refused_for(reason: Reason) -> Self {
        Self::ended(Outcome::Refused(reason))
    }

    fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

impl From<StoreError> for Attempt {
    fn from(error: StoreError) -> Self {
        Self::refused_for(Reason::Store).with_detail(format!("{error}; {}", error.hint()))
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
        if self.nobody_is_asked(subject, policy) {
            return Attempt::passed(Outcome::NotAsked);
        }
        if let Some(attempt) = self.recognise(subject) {
            return attempt;
        }
        let first = match self.ask(self.prompt, conversation) {
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
        match self.verify_locked(subject, &response) {
            Step::End(attempt) => attempt,
            Step::NextCode => self.second_answer(subject, response, conversation),
        }
    }

    /// Takes two consecutive codes that may be further off than a login allows, and sets the authenticator right by
    /// them. Counted like any attempt, and worth one.
    pub fn resync(&self, subject: &Subject, conversation: &mut dyn Conversation) -> Attempt {
        let mut code = |prompt| match self.ask(prompt, conversation) {
            Ok((Answer::Otp(code), at)) => Ok(SubmittedCode { code, at }),
            Ok((Answer::Recovery(_) | Answer::Blocked | Answer::Junk, _)) => Err(Attempt::refused_for(Reason::Junk)),
            Err(none) => Err(Attempt::ended(Outcome::NoAnswer(none))),
        };
        let response = match code(self.prompt).and_then(|first| Ok(Response::Resync(first, code(NEXT_CODE_PROMPT)?))) {
            Ok(response) => response,
            Err(attempt) => return attempt,
        };
        match self.verify_locked(subject, &response) {
            Step::End(attempt) => attempt,
            Step::NextCode => Attempt::refused_for(Reason::Internal),
        }
    }

    /// The one place that lets somebody pass unasked. A store that cannot be read is not an answer of "not enrolled".
    fn nobody_is_asked(&self, subject: Option<&Subject>, policy: SecondFactor) -> bool {
        match policy {
            SecondFactor::Required | SecondFactor::Enroll => false,
            SecondFactor::Skip => true,
            SecondFactor::Optional => subject.is_some_and(|subject| matches!(self.credentials.read(subject), Ok(None))),
        }
    }

    /// A login that is remembered needs no answer. Whatever is in the way of telling, the code is asked for, and that
    /// attempt says what is broken.
    fn recognise(&self, subject: Option<&Subject>) -> Option<Attempt> {
        let (client, subject) = (self.client.as_ref()?, subject?);
        let (state, enrolment) = self.lock(subject).ok()??;
        let (record, now) = (state.record(), self.clock.now());
        let gate = record.throttle.gate(&self.limits, Method::Otp, 1, self.network, now);
        let known = record.remembered.as_ref().is_some_and(|logins| logins.recognises(&enrolment, client, now));
        let usable = enrolment.active().next().is_some();
        (known && usable && gate == Gate::Open).then(|| {
            let attempt = Attempt::passed(Outcome::Granted { recovery_codes_left: None });
            let notice = notice_of(record, now);
            Attempt { failures: Some(record.throttle.failures), notice, ..attempt }
                .with_detail("not asked: a login of this client is remembered")
        })
    }

    /// The record with this login remembered, where that is wanted and a code was given for it.
    fn remembering(&self, enrolment: &Enrolment, mut next: Record, consumed: &Consumed, now: UnixTime) -> Record {
        if let (Some(client), Consumed::Step { .. }) = (&self.client, consumed) {
            let mut logins = next.remembered.take().unwrap_or_else(|| Remembered::new(client.fresh));
            logins.note(enrolment, client, now);
            next.remembered = Some(logins);
        }
        next
    }

    fn ask(&self, prompt: &str, conversation: &mut dyn Conversation) -> Result<(Answer, UnixTime), NoAnswer> {
        let bytes = conversation.ask(prompt)?;
        Ok((Answer::read(&bytes), self.clock.now()))
    }

    /// Step-up: asks for the next code, with no lock held, and looks again at everything.
    fn second_answer(&self, subject: &Subject, first: Response, conversation: &mut dyn Conversation) -> Attempt {
        let second = match self.ask(NEXT_CODE_PROMPT, conversation) {
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
        let _permit = match response.method() {
            Method::Recovery => Some(self.states.hash_permit()?),
            Method::Otp => None,
        };
        let Some((mut state, enrolment)) = self.lock(subject)? else {
            return Ok(Step::End(Attempt::refused_for(Reason::NotEnrolled)));
        };
        // What is written from here on belongs to an enrolment that was read under this lock.
        let before = Record { provisional: false, ..state.record().clone() };
        let now = self.clock.now();
        match before.throttle.gate(&self.limits, response.method(), response.codes(), self.network, now) {
            Gate::Open => {}
            Gate::SecondCode => return Ok(Step::NextCode),
            Gate::Disabled => return Ok(Step::End(refused(Reason::Disabled, response, &enrolment, &before))),
            Gate::Wait(rest) => {
                if let Some(throttle) = before.throttle.clamp_to(now) {
                    state.change(&Record { throttle, ..before.clone() })?;
                }
                let attempt = refused(Reason::Throttled, response, &enrolment, &before);
                return Ok(Step::End(Attempt { outcome: Outcome::TooSoon(rest), ..attempt }));
            }
        }
        let throttle = before.throttle.with_failure(&self.limits, response.method(), self.network, now);
        let failed = Record { throttle, ..before.clone() };
        let pending = state.record_failure(&failed)?;
        match decide::decide(&pending, &enrolment, &before, response)? {
            Verdict::Accept(consumed) => {
                let next = decide::accepted(&enrolment, &before, &consumed, now, (self.from, self.network));
                let next = self.remembering(&enrolment, next, &consumed, now);
                if before.has_stale_entries(&enrolment) {
                    self.credentials.ensure_durable(subject)?;
                }
                pending.commit(&next)?;
                Ok(Step::End(granted(&enrolment, &next, consumed, now)))
            }
            Verdict::Refuse(refusal) => {
                pending.commit(&failed)?;
                let attempt = refused(reason(refusal), response, &enrolment, &failed);
                // Looked for in every case, so that a used code takes as long as a wrong one.
                let clock_offset = decide::clock_offset(&enrolment, &before, response);
                let clock_offset = clock_offset.filter(|_| refusal == Rejection::Wrong);
                Ok(Step::End(Attempt { clock_offset, ..attempt }))
            }
        }
    }

    /// The user's lock with the credentials read under it, or `None` if the user is not enrolled.
    fn lock(&self, subject: &Subject) -> Result<Option<(S::Locked, Enrolment)>, StoreError> {
        let state = match self.states.open(subject)? {
            Some(state) => state,
            // Credentials deployed by other means have no state yet.
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

fn refused(reason: Reason, response: &Response, enrolment: &Enrolment, record: &Record) -> Attempt {
    let method = match response.method() {
        // Of a wrong code it is not known whose it was meant to be.
        Method::Otp => enrolment.active().next().map_or("totp", |authenticator| authenticator.otp.kind()),
        Method::Recovery => "recovery",
    };
    let failures = Some(record.throttle.failures);
    Attempt { method: Some(method), failures, ..Attempt::refused_for(reason) }
}

fn granted(enrolment: &Enrolment, record: &Record, consumed: Consumed, now: UnixTime) -> Attempt {
    let (method, authenticator, recovery_codes_left) = match consumed {
        Consumed::Step { id, .. } => {
            let used = enrolment.active().find(|authenticator| authenticator.id == id);
            (used.map_or("totp", |authenticator| authenticator.otp.kind()), Some(id), None)
        }
        Consumed::RecoveryCode { .. } => ("recovery", None, Some(record.recovery_codes_left(enrolment))),
    };
    let outcome = Outcome::Granted { recovery_codes_left };
    let failures = Some(record.throttle.failures);
    let notice = notice_of(record, now);
    Attempt { method: Some(method), authenticator, failures, notice, ..Attempt::passed(outcome) }
}

fn notice_of(record: &Record, now: UnixTime) -> Option<Box<Notice>> {
    record.notice.filter(|notice| notice.is_new(now)).map(Box::new)
}

const fn reason(refusal: Rejection) -> Reason {
    match refusal {
        Rejection::Wrong => Reason::WrongCode,
        Rejection::Replayed => Reason::Replayed,
        Rejection::SecondCode => Reason::StepUp,
    }
}
