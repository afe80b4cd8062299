//! Why somebody's old second factor cannot be taken over: line and reason, never the text itself.

use std::fmt;

use twinlock_core::{credentials::Enrolment, otp::OtpError, recovery::RecoverySet, secret::SecretError};

/// A refusal. Nothing of that user is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Counted from 1; `None` where it is about the whole.
    pub line: Option<usize>,
    pub reason: ImportErrorKind,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportErrorKind {
    /// There is nothing in it.
    Empty,
    /// It has more than so many bytes.
    TooLarge(usize),
    /// Not UTF-8, or control characters.
    NotText,
    /// The last line does not end.
    CutShort,
    /// The key is not one.
    Secret(SecretError),
    /// The key of a line of users.oath is not hexadecimal.
    Hexadecimal,
    /// Digits or period are out of range.
    Otp(OtpError),
    /// What stands there cannot be the value of the option or parameter of that name.
    Value(&'static str),
    /// The option or parameter of that name stands there twice.
    Twice(&'static str),
    /// The option or parameter of that name is missing.
    Missing(&'static str),
    /// Neither an option nor a scratch code.
    Line,
    /// Neither `TOTP_AUTH` nor `HOTP_COUNTER`.
    NoFactor,
    /// More scratch codes than recovery codes may be.
    ScratchCodes,
    /// More devices than a user may have.
    Devices,
    /// Fields are missing, or there are too many.
    Fields,
    /// No token type that `pam_oath` knows.
    TokenType,
    /// No name that an account can have.
    UserName,
    /// Not an `otpauth://` address.
    Scheme,
    /// An export of many entries, which is no `otpauth://` address.
    Migration,
    /// More than one line.
    Lines,
    /// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
    PercentEncoding,
    /// The parameter with this number has no value.
    Parameter(usize),
    /// The label has control characters.
    Label,
}

impl ImportErrorKind {
    pub(super) const fn at(self, line: usize) -> ImportError {
        ImportError { line: Some(line), reason: self }
    }

    pub(super) const fn nowhere(self) -> ImportError {
        ImportError { line: None, reason: self }
    }
}

impl ImportError {
    /// What can be done about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self.reason {
            ImportErrorKind::Empty
            | ImportErrorKind::TooLarge(_)
            | ImportErrorKind::NotText
            | ImportErrorKind::Line
            | ImportErrorKind::NoFactor => "is it the right file? `twinlock enroll USER` gives a new second factor",
            ImportErrorKind::CutShort => "if the file is whole, add the end of its last line",
            ImportErrorKind::Secret(SecretError::Length) => {
                "the secret is too weak or too long to be kept: `twinlock enroll USER` makes a new one"
            }
            ImportErrorKind::Otp(_) => "Twinlock has no such codes: `twinlock enroll USER` gives a new second factor",
            ImportErrorKind::Secret(SecretError::Encoding)
            | ImportErrorKind::Hexadecimal
            | ImportErrorKind::Value(_)
            | ImportErrorKind::Twice(_)
            | ImportErrorKind::Missing(_)
            | ImportErrorKind::ScratchCodes
            | ImportErrorKind::Devices
            | ImportErrorKind::Fields
            | ImportErrorKind::TokenType
            | ImportErrorKind::UserName => "mend the line, or `twinlock enroll USER` gives a new second factor",
            ImportErrorKind::Scheme
            | ImportErrorKind::Lines
            | ImportErrorKind::PercentEncoding
            | ImportErrorKind::Parameter(_)
            | ImportErrorKind::Label => "wanted: otpauth://totp/LABEL?secret=BASE32&issuer=..., on one line",
            ImportErrorKind::Migration => "export one entry as otpauth://, or enrol anew with `twinlock enroll USER`",
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        self.reason.fmt(out)
    }
}

impl fmt::Display for ImportErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "there is nothing in it"),
            Self::TooLarge(limit) => write!(out, "it is larger than {limit} bytes"),
            Self::NotText => write!(out, "this is not plain text"),
            Self::CutShort => write!(out, "the line does not end: the file seems to be cut short"),
            Self::Secret(bad) => bad.fmt(out),
            Self::Hexadecimal => write!(out, "the secret is not hexadecimal"),
            Self::Otp(bad) => bad.fmt(out),
            Self::Value(name) => write!(out, "{name} has a value that it cannot have"),
            Self::Twice(name) => write!(out, "{name} is there twice"),
            Self::Missing(name) => write!(out, "{name} is missing"),
            Self::Line => write!(out, "neither an option nor a scratch code of 8 digits"),
            Self::NoFactor => write!(out, "neither TOTP_AUTH nor HOTP_COUNTER is there: it never accepted a code"),
            Self::ScratchCodes => write!(out, "there are more than {} scratch codes", RecoverySet::LARGEST),
            Self::Devices => write!(out, "a user has at most {} devices", Enrolment::MOST_AUTHENTICATORS),
            Self::Fields => write!(out, "wanted: TYPE USER PIN KEY and at most COUNTER, OTP and TIME"),
            Self::TokenType => {
                write!(out, "the type is none of HOTP, HOTP/E, HOTP/T30 and HOTP/T60, with or without /6, /7 or /8")
            }
            Self::UserName => write!(out, "this is not the name of an account"),
            Self::Scheme => write!(out, "this is not an otpauth://totp/ or otpauth://hotp/ address"),
            Self::Migration => write!(out, "this is an app's export of many entries, not an otpauth:// address"),
            Self::Lines => write!(out, "there is more than one line"),
            Self::PercentEncoding => write!(out, "its percent-encoding is broken"),
            Self::Parameter(number) => write!(out, "parameter {number} has no name or no value"),
            Self::Label => write!(out, "its label has control characters"),
        }
    }
}

impl std::error::Error for ImportError {}
