//! What sshd and PAM are to ask for.

use serde::{Deserialize, Serialize};

/// The two factors of a login, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EnableMode {
    /// A key, then a code.
    #[serde(rename = "key+code")]
    KeyAndCode,
    /// A password, then a code.
    #[serde(rename = "password+code")]
    PasswordAndCode,
}

/// How a distribution asks for the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `@include common-auth`.
    Debian,
    /// `auth substack password-auth`.
    Rhel,
    /// `auth include common-auth`.
    Suse,
}

impl EnableMode {
    /// As it is typed and stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyAndCode => "key+code",
            Self::PasswordAndCode => "password+code",
        }
    }
}
