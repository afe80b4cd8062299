//! What can be asked for, and what comes of it; `error.rs` has how it fails. The same values serve the command as root, in one process,
//! and everybody else, over the broker's socket; the names are part of the protocol.

use serde::{Deserialize, Serialize};
use twinlock_core::{credentials::Label, devices::DeviceChange, secret::Secret};
use twinlock_enrol::enrolment::Parameters;
use zeroize::Zeroizing;

use crate::{
    json::{DeviceChangeForm, ParametersForm, label},
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
    /// One more code beside the recovery codes, valid for so many seconds.
    IssueRecovery(u64),
    /// One code is enough again. For root and the help desk.
    Unlock,
    /// A change of one device, found by its id or label.
    Device(String, #[serde(with = "DeviceChangeForm")] DeviceChange),
    /// No second factor any more.
    Remove,
    /// A code tried.
    Verify,
    /// A clock or a counter set right by two codes.
    Resync,
    /// No more notices of what happened until now.
    Acknowledge,
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
    /// There is one more code.
    RecoveryIssued(Issued),
    /// One code is enough again.
    Unlocked,
    /// A device was changed.
    DeviceChanged(DeviceChanged),
    /// There is no second factor any more.
    Removed,
    /// The code was right, and is used; recovery codes left, if it was one.
    #[serde(rename = "right")]
    Verified(Option<usize>),
    /// The authenticator is set right.
    Resynced,
    /// The notices have ended, or there were none.
    Acknowledged,
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

/// An issued code. No `Debug`: it is a secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    pub code: Zeroizing<String>,
    /// RFC 3339; from when on it is refused.
    pub expires: String,
}

/// A device as it is after a change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceChanged {
    pub authenticator: String,
    /// How many devices of the user are switched on.
    pub active: usize,
}
