//! Why somebody's old second factor cannot be taken over: line and reason, never the text itself.

use twinlock_core::{otp::OtpError, secret::SecretError};

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

impl std::error::Error for ImportError {}
