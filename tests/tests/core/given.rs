//! The users and values that the tests begin with.

use std::{cell::Cell, sync::LazyLock, time::Duration};

use twinlock_core::{
    account::{Subject, UserName},
    audit::Reason,
    catalogue::Catalogue,
    credentials::{Authenticator, AuthenticatorId, Enrolment, Label},
    decide::Audience,
    issued::IssuedCode,
    otp::{Algorithm, MovingFactor, Otp, ReplayState},
    policy::{Network, SecondFactor},
    ports::{Clock, Conversation, NoAnswer, Question},
    record::Origin,
    recovery::{RecoveryCode, RecoverySet, RecoverySetId},
    secret::Secret,
    throttle::Limits,
    time::UnixTime,
};
use twinlock_login::attempt::{Attempt, Login, Outcome, Prompts};
use twinlock_store::config::Config;
use zeroize::Zeroizing;

use crate::memory::Memory;

pub(crate) const RECOVERY: [&str; 2] = ["ABCD-EFGH-JKMN-PQRS", "0123-4567-89AB-CDEF"];
pub(crate) const ISSUED: &str = "SRQP-NMKJ-HGFE-DCBA";
pub(crate) const NOON: u64 = 1_800_000_000;

pub(crate) fn subject(name: &str) -> Subject {
    Subject { name: UserName::parse(name.as_bytes()).unwrap(), uid: 1001 }
}

pub(crate) fn id(text: &str) -> AuthenticatorId {
    AuthenticatorId::parse(text).unwrap()
}

pub(crate) fn set_id(text: &str) -> RecoverySetId {
    RecoverySetId::parse(text).unwrap()
}

pub(crate) fn phone(secret: u8) -> Authenticator {
    let factor = MovingFactor::Time { period: 30 };
    let otp = Otp::new(Secret::from_bytes(&[secret; 20]).unwrap(), Algorithm::Sha1, 6, factor).unwrap();
    Authenticator { id: id("phone"), label: Label::parse("phone").unwrap(), otp, created: None, suspended: false }
}

pub(crate) fn enrolment(name: &str) -> Enrolment {
    // Hashed once: a run of Argon2 costs more than all else of a test.
    static SET: LazyLock<RecoverySet> = LazyLock::new(|| {
        let codes = RECOVERY.map(|code| RecoveryCode::parse(code.replace('-', "").as_bytes()).unwrap());
        RecoverySet::hashed(set_id("set1"), UnixTime::default(), &codes, [1; 16]).unwrap()
    });
    Enrolment { user: subject(name).name, uid: Some(1001), authenticators: vec![phone(1)], recovery: Some(SET.clone()) }
}

/// The code [`ISSUED`] in a record, hashed as the recovery codes of [`enrolment`] are.
pub(crate) fn issued_code(issued: u64, expires: u64) -> IssuedCode {
    static HASH: LazyLock<[u8; IssuedCode::HASH]> = LazyLock::new(|| {
        let code = RecoveryCode::parse(ISSUED.replace('-', "").as_bytes()).unwrap();
        *enrolment("alice").recovery.unwrap().hash(&code).unwrap()
    });
    let [issued, expires] = [issued, expires].map(UnixTime::from_seconds);
    IssuedCode { set: set_id("set1"), hash: *HASH, issued, expires, by_uid: 0 }
}

/// A clock that stands still until it is moved.
#[derive(Default)]
pub(crate) struct StoppedClock(Cell<u64>);

impl Clock for StoppedClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.get())
    }
}

/// Answers in order, and what was asked.
struct Script<'a> {
    answers: Vec<String>,
    asked: Vec<String>,
    clock: &'a StoppedClock,
    seconds_an_answer: u64,
}

impl Conversation for Script<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.asked.push(question.prompt().to_owned());
        self.clock.0.set(self.clock.0.get() + self.seconds_an_answer);
        if self.answers.is_empty() {
            return Err(NoAnswer { code: 19 });
        }
        Ok(Zeroizing::new(self.answers.remove(0).into_bytes()))
    }
}

/// How an attempt ended, to be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With how many recovery codes left, if one was used.
    Granted(Option<usize>),
    NotAsked,
    Refused(Reason),
    TooSoon(Duration),
    NoAnswer(i32),
}

impl End {
    pub(crate) fn of(attempt: &Attempt) -> Self {
        match &attempt.outcome {
            Outcome::Granted(granted) => Self::Granted(granted.recovery_codes_left()),
            Outcome::NotAsked(_) => Self::NotAsked,
            Outcome::Refused(reason) => Self::Refused(*reason),
            Outcome::TooSoon(rest) => Self::TooSoon(*rest),
            Outcome::NoAnswer(none) => Self::NoAnswer(none.code),
        }
    }
}

/// A host with a store in memory, at noon.
pub(crate) struct Host {
    pub(crate) store: Memory,
    pub(crate) clock: StoppedClock,
    pub(crate) limits: Limits,
    pub(crate) policy: SecondFactor,
    pub(crate) seconds_an_answer: u64,
    /// Where alice is for the throttle.
    pub(crate) network: Option<Network>,
}

impl Host {
    /// With alice enrolled.
    pub(crate) fn with_alice() -> Self {
        let host = Self {
            store: Memory::default(),
            clock: StoppedClock::default(),
            limits: Config::default().limits(),
            policy: SecondFactor::Required,
            seconds_an_answer: 0,
            network: None,
        };
        host.clock.0.set(NOON);
        host.store.enrol(&subject("alice"), &enrolment("alice"));
        host
    }

    pub(crate) fn set_clock(&self, seconds: u64) {
        self.clock.0.set(seconds);
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.0.set(self.clock.0.get() + seconds);
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.clock.0.get()
    }

    /// The code of alice's phone, `offset` steps from now.
    pub(crate) fn code(&self, offset: i64) -> String {
        let otp = phone(1).otp;
        otp.code(otp.step_at(self.clock.now(), ReplayState::default()).saturating_add_signed(offset))
    }

    /// A code that is none of the window's.
    pub(crate) fn wrong_code(&self) -> String {
        let right: Vec<String> = (-4..=4).map(|offset| self.code(offset)).collect();
        (0..20).map(|number| format!("{number:06}")).find(|code| !right.contains(code)).unwrap()
    }

    /// One attempt of a user with these answers, and the prompts it made.
    pub(crate) fn attempt(&self, user: &str, answers: &[&str]) -> (Attempt, Vec<String>) {
        let from = Origin::from_text("192.0.2.7");
        let login = Login {
            credentials: &self.store,
            states: &self.store,
            clock: &self.clock,
            limits: self.limits,
            prompts: &Prompts::beginning_with("Code: ".into(), Catalogue::ENGLISH),
            from: from.as_ref(),
            network: self.network,
            client: None,
            audience: Audience::User,
            forecast: None,
        };
        let answers = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let mut script =
            Script { answers, asked: Vec::new(), clock: &self.clock, seconds_an_answer: self.seconds_an_answer };
        let subject = (user != "nobody-knows").then(|| subject(user));
        let attempt = login.attempt(subject.as_ref(), self.policy, &mut script);
        (attempt, script.asked)
    }

    /// The end of one attempt of alice.
    pub(crate) fn alice(&self, answers: &[&str]) -> End {
        End::of(&self.attempt("alice", answers).0)
    }

    /// `count` incorrect codes of alice, spaced so that each is looked at.
    pub(crate) fn wrong_codes(&self, count: u32) {
        for _ in 0..count {
            self.wait(10);
            let wrong = self.wrong_code();
            let _ = self.alice(&[&wrong, &wrong]);
        }
    }
}
