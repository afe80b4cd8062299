//! How a user stands, as values for people and scripts. Never a secret. The field names are the stable JSON schema.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use twinlock_core::{
    account::Subject,
    credentials::{Authenticator, Enrolment},
    issued::IssuedCode,
    record::{Origin, Record},
    throttle::{Limits, Mode, Throttle},
    time::UnixTime,
};
use twinlock_store::{files::Reading, ports::StoreError};

/// One user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `pw_name`.
    pub user: String,
    /// Whether there is a second factor.
    pub enrolled: bool,
    /// Each app or device.
    pub authenticators: Vec<AuthenticatorStatus>,
    /// Recovery codes that can still be used.
    pub recovery_codes_left: usize,
    /// The same before any was used. A broker of an older version does not say.
    #[serde(default)]
    pub recovery_codes: usize,
    /// Issued codes that can still be used, beside those.
    #[serde(default)]
    pub issued_codes: Vec<IssuedCodeStatus>,
    /// Failures and what they lead to.
    pub throttle: ThrottleStatus,
    /// Logins for which no code is asked.
    pub remembered: Vec<RememberedStatus>,
}

/// A remembered login. Its key and network cannot be shown: only a keyed hash of both is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedStatus {
    /// RFC 3339; when the code was given.
    pub since: String,
    /// RFC 3339; when it ends.
    pub until: String,
}

/// An issued code. Never the code itself: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCodeStatus {
    /// RFC 3339; when it was issued.
    pub issued: String,
    /// RFC 3339; when it ends.
    pub expires: String,
    /// The account that issued it.
    pub by_uid: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One account among others. What is not known, because the user's files cannot be read, is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// `pw_name`.
    pub user: String,
    /// `pw_uid`.
    pub uid: u32,
    /// Whether there is a second factor.
    pub enrolled: Option<bool>,
    /// Each app or device.
    pub authenticators: Vec<AuthenticatorStatus>,
    /// RFC 3339; the last use of any of them.
    pub last_used: Option<String>,
    /// Where that came from; null if from the host itself.
    pub last_from: Option<String>,
    /// Whether that is the word of the user's own program. Left out where it is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub last_from_claimed: bool,
    /// Recovery codes that can still be used.
    pub recovery_codes_left: Option<usize>,
    /// Failures and what they lead to.
    pub throttle: Option<ThrottleStatus>,
    /// Why the user's files cannot be read.
    pub error: Option<String>,
}

impl Listed {
    /// The account, with its status or the reason why that is not known.
    #[must_use]
    pub fn new(subject: &Subject, found: Result<Status, StoreError>) -> Self {
        let (status, error) = match found {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let enrolled = status.as_ref().map(|status| status.enrolled);
        let recovery_codes_left = status.as_ref().map(|status| status.recovery_codes_left);
        let (authenticators, throttle) =
            status.map_or_else(Default::default, |status| (status.authenticators, Some(status.throttle)));
        // Times written alike are in the order of their letters.
        let last = authenticators.iter().max_by_key(|one| one.last_used.clone());
        let last_used = last.and_then(|one| one.last_used.clone());
        let last_from = last.and_then(|one| one.last_from.clone());
        let last_from_claimed = last.is_some_and(|one| one.last_from_claimed);
        Self {
            user: subject.name.to_string(),
            uid: subject.uid,
            enrolled,
            authenticators,
            last_used,
            last_from,
            last_from_claimed,
            recovery_codes_left,
            throttle,
            error,
        }
    }

    /// Whether its codes are refused until it is unlocked.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.throttle.as_ref().is_some_and(|throttle| throttle.mode == "disabled")
    }
}

/// One app or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthenticatorStatus {
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// `totp` or `hotp`.
    pub r#type: Cow<'static, str>,
    /// 6 to 8.
    pub digits: u8,
    /// Seconds a step lasts; null for `hotp`.
    pub period: Option<u32>,
    pub algorithm: Cow<'static, str>,
    /// RFC 3339.
    pub created: Option<String>,
    /// RFC 3339.
    pub last_used: Option<String>,
    /// Where the last use came from; null if from the host itself.
    pub last_from: Option<String>,
    /// Whether that is the word of the user's own program. Left out where it is not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub last_from_claimed: bool,
    /// Switched off for a while.
    pub suspended: bool,
}

/// The throttle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThrottleStatus {
    /// `normal`, `step-up` or `disabled`.
    pub mode: Cow<'static, str>,
    /// Wrong answers since the last success.
    pub failures: u32,
    /// Wrong answers left in the budget.
    pub budget_left: u32,
    /// RFC 3339; when an attempt is looked at next that comes from a network without failures, if not now. From the
    /// network of the last success it may be earlier, and from one that failed later.
    pub next_attempt: Option<String>,
}

impl Status {
    /// How `subject` stands at `now`, as the store has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(reading: &Reading, subject: &Subject, limits: &Limits, now: UnixTime) -> Result<Self, StoreError> {
        let (enrolment, record) = (reading.enrolment(subject)?, reading.record(subject)?);
        Ok(Self::new(subject, enrolment.as_ref(), record.as_ref(), limits, now))
    }

    /// How `subject` stands at `now`; no enrolment and no record are fine.
    #[must_use]
    pub fn new(
        subject: &Subject,
        enrolment: Option<&Enrolment>,
        record: Option<&Record>,
        limits: &Limits,
        now: UnixTime,
    ) -> Self {
        let fresh = Record::new(subject);
        let record = record.unwrap_or(&fresh);
        let set = enrolment.and_then(|enrolment| enrolment.recovery.as_ref());
        Self {
            user: subject.name.to_string(),
            enrolled: enrolment.is_some(),
            authenticators: enrolment.map(|enrolment| authenticators(enrolment, Some(record))).unwrap_or_default(),
            recovery_codes_left: enrolment.map_or(0, |enrolment| record.recovery_codes_left(enrolment)),
            recovery_codes: set.map_or(0, |set| set.ids().count()),
            issued_codes: enrolment.map(|enrolment| issued_codes(record, enrolment, now)).unwrap_or_default(),
            throttle: ThrottleStatus::new(&record.throttle, limits, now),
            remembered: remembered(record, now),
        }
    }
}

fn issued_codes(record: &Record, enrolment: &Enrolment, now: UnixTime) -> Vec<IssuedCodeStatus> {
    let one = |issued: &IssuedCode| IssuedCodeStatus {
        issued: issued.issued.to_string(),
        expires: issued.expires.to_string(),
        by_uid: issued.by_uid,
    };
    record.valid_issued_codes(&enrolment.recovery_set_id(), now).map(one).collect()
}

fn remembered(record: &Record, now: UnixTime) -> Vec<RememberedStatus> {
    let current = record.remembered.iter().flat_map(|remembered| remembered.current(now));
    current.map(|login| RememberedStatus { since: login.since.to_string(), until: login.until.to_string() }).collect()
}

/// Each app or device of an enrolment.
#[must_use]
pub fn authenticators(enrolment: &Enrolment, record: Option<&Record>) -> Vec<AuthenticatorStatus> {
    let one = |authenticator: &Authenticator| {
        let used = record.and_then(|record| record.use_of(&authenticator.id));
        let from = used.and_then(|used| used.last_from.as_ref());
        AuthenticatorStatus {
            id: authenticator.id.as_str().to_owned(),
            label: authenticator.label.as_str().to_owned(),
            r#type: authenticator.otp.kind().into(),
            digits: authenticator.otp.digits(),
            period: authenticator.otp.period(),
            algorithm: authenticator.otp.algorithm().name().into(),
            created: authenticator.created.map(|time| time.to_string()),
            last_used: used.map(|used| used.last_used.to_string()),
            last_from: from.map(|from| from.as_str().to_owned()),
            last_from_claimed: from.is_some_and(Origin::is_claimed),
            suspended: authenticator.suspended,
        }
    };
    enrolment.authenticators.iter().map(one).collect()
}

impl ThrottleStatus {
    fn new(throttle: &Throttle, limits: &Limits, now: UnixTime) -> Self {
        Self {
            mode: match throttle.mode(limits, now) {
                Mode::Normal => "normal",
                Mode::StepUp => "step-up",
                Mode::Disabled => "disabled",
            }
            .into(),
            failures: throttle.failures,
            budget_left: throttle.budget_left(limits, now),
            next_attempt: throttle.next_attempt(limits, now).map(|time| time.to_string()),
        }
    }
}
