//! What can be asked for, what comes of it, and how it fails. The same values serve the command as root, in one process,
//! and everybody else, over the broker's socket; the names are part of the protocol.

use serde::{Deserialize, Serialize};
use twinlock_core::{credentials::Label, devices::DeviceChange, ports::NoAnswer, secret::Secret};
use twinlock_enrol::{dialogue::GivenUp, enrolment::Parameters};
use twinlock_store::ports::StoreError;
use zeroize::Zeroizing;

use crate::{
    json::{DeviceChangeForm, ParametersForm, label},
    messages,
    status::Status,
};

/// What is wanted.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How the user stands.
    Status,
    /// A new authenticator.
    Enroll(Box<NewAuthenticator>),
    /// A new set of recovery codes.
    RenewRecovery(Confirm),
    /// A change of one device, found by its id or label.
    Device(String, #[serde(with = "DeviceChangeForm")] DeviceChange),
    /// No second factor any more.
    Remove,
    /// A code tried.
    Verify,
    /// A clock or a counter set right by two codes.
    Resync,
}

/// A new authenticator, as it is wished for.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAuthenticator {
    /// What becomes of those that the user has.
    #[serde(rename = "place")]
    pub mode: EnrolMode,
    /// Its name for people.
    #[serde(with = "label")]
    pub label: Label,
    /// The issuer that the app shows; `None` for what the configuration says.
    pub issuer: Option<String>,
    /// How its codes are made.
    #[serde(with = "ParametersForm")]
    pub parameters: Parameters,
    /// A secret from elsewhere. From root alone, and never over a socket.
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// Whether a code of it must come back first.
    pub confirm: Confirm,
}

/// What becomes of the authenticators that the user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolMode {
    /// The user has none.
    First,
    /// They stay, and the new one is added.
    #[serde(rename = "beside")]
    Add,
    /// The new one replaces them all.
    #[serde(rename = "instead")]
    Replace,
}

/// Whether the user must show that the app or the codes are at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    Ask,
    /// No: provisioning, by root alone.
    Skip,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Done {
    /// How the user stands.
    Status(Status),
    /// There is a new authenticator.
    Enrolled(Enrolled),
    /// There are new recovery codes.
    RecoveryRenewed(Zeroizing<Vec<String>>),
    /// A device was changed.
    DeviceChanged(DeviceChanged),
    /// There is no second factor any more.
    Removed,
    /// The code was right, and is used; recovery codes left, if it was one.
    #[serde(rename = "right")]
    Verified(Option<usize>),
    /// The authenticator is set right.
    Resynced,
}

/// A new authenticator, with what its owner must keep. No `Debug`: it holds secrets.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    pub authenticator: String,
    /// Its name for people.
    pub label: String,
    /// `totp` or `hotp`.
    pub r#type: String,
    /// The address that an app scans.
    pub uri: Zeroizing<String>,
    /// The new recovery codes, if there are any.
    pub recovery_codes: Zeroizing<Vec<String>>,
}

/// A device as it is after a change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceChanged {
    pub authenticator: String,
    /// How many devices of the user are switched on.
    pub active: usize,
}

/// Why it was not done: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestError {
    pub cause: RequestErrorKind,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Kinds of refusals, which the command turns into its exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestErrorKind {
    /// Refused or failed.
    Refused,
    /// Not permitted to the caller.
    NotPermitted,
    /// The user has no second factor.
    NotEnrolled,
    /// The host is not in order. Callers who are not root are not told how.
    Host,
}

impl RequestError {
    /// A refusal of some kind.
    #[must_use]
    pub fn new(cause: RequestErrorKind, message: impl Into<String>) -> Self {
        Self { cause, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The user has no second factor.
    #[must_use]
    pub fn not_enrolled(user: &str) -> Self {
        messages::not_enrolled(user)
    }
}

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        messages::store_error(&error)
    }
}

impl From<NoAnswer> for RequestError {
    fn from(_: NoAnswer) -> Self {
        messages::not_confirmed()
    }
}

impl From<GivenUp> for RequestError {
    fn from(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::NoAnswer(none) => none.into(),
            GivenUp::NoCode | GivenUp::NoRecoveryCode => NoAnswer { code: 0 }.into(),
        }
    }
}

impl std::error::Error for RequestError {}
