//! How a user stands, as values for people and scripts. Never a secret. The field names are the stable JSON schema.

use serde::Serialize;

use crate::{
    account::Subject,
    credentials::Enrolment,
    record::Record,
    throttle::{Limits, Mode, Throttle},
    time::UnixTime,
};

/// One user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// `pw_name`.
    pub user: String,
    /// Whether there is a second factor.
    pub enrolled: bool,
    /// Each app or device.
    pub authenticators: Vec<AuthenticatorStatus>,
    /// Recovery codes that can still be used.
    pub recovery_codes_left: usize,
    /// Failures and what they lead to.
    pub throttle: ThrottleStatus,
}

/// One app or device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuthenticatorStatus {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// `totp` or `hotp`.
    pub r#type: &'static str,
    /// 6 to 8.
    pub digits: u8,
    /// Seconds a step lasts; null for `hotp`.
    pub period: Option<u32>,
    /// The hash.
    pub algorithm: &'static str,
    /// RFC 3339.
    pub created: Option<String>,
    /// RFC 3339.
    pub last_used: Option<String>,
    /// Switched off for a while.
    pub suspended: bool,
}

/// The throttle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThrottleStatus {
    /// `normal`, `step-up` or `disabled`.
    pub mode: &'static str,
    /// Wrong answers since the last success.
    pub failures: u32,
    /// Wrong answers left in the budget.
    pub budget_left: u32,
    /// RFC 3339; when the next attempt will be looked at, if not now.
    pub next_attempt: Option<String>,
}

impl Status {
    /// How `subject` stands at `now`; no enrolment and no record are fine.
    #[must_use]
    pub fn of(
        subject: &Subject,
        enrolment: Option<&Enrolment>,
        record: Option<&Record>,
        limits: &Limits,
        now: UnixTime,
    ) -> Self {
        let fresh = Record::new(subject);
        let record = record.unwrap_or(&fresh);
        Self {
            user: subject.name.to_string(),
            enrolled: enrolment.is_some(),
            authenticators: enrolment.map(|enrolment| authenticators(enrolment, Some(record))).unwrap_or_default(),
            recovery_codes_left: enrolment.map_or(0, |enrolment| record.recovery_codes_left(enrolment)),
            throttle: ThrottleStatus::of(&record.throttle, limits, now),
        }
    }
}

/// Each app or device of an enrolment.
#[must_use]
pub fn authenticators(enrolment: &Enrolment, record: Option<&Record>) -> Vec<AuthenticatorStatus> {
    let one = |authenticator: &crate::credentials::Authenticator| AuthenticatorStatus {
        id: authenticator.id.as_str().to_owned(),
        label: authenticator.label.as_str().to_owned(),
        r#type: authenticator.otp.kind(),
        digits: authenticator.otp.digits(),
        period: authenticator.otp.period(),
        algorithm: authenticator.otp.algorithm().name(),
        created: authenticator.created.map(|time| time.to_string()),
        last_used: record.and_then(|record| record.use_of(&authenticator.id)).map(|used| used.last_used.to_string()),
        suspended: authenticator.suspended,
    };
    enrolment.authenticators.iter().map(one).collect()
}

impl ThrottleStatus {
    fn of(throttle: &Throttle, limits: &Limits, now: UnixTime) -> Self {
        Self {
            mode: match throttle.mode(limits, now) {
                Mode::Normal => "normal",
                Mode::StepUp => "step-up",
                Mode::Disabled => "disabled",
            },
            failures: throttle.failures,
            budget_left: throttle.budget_left(limits, now),
            next_attempt: throttle.next_attempt(limits, now).map(|time| time.to_string()),
        }
    }
}
