//! Why something about the host could not be read or changed: what happened, and what to do about it.

use std::fmt;

use twinlock_store::ports::StoreError;

/// What happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    message: String,
    hint: Option<String>,
}

impl HostError {
    /// An error without a hint.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// What happened, without what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What happened, and what to do.
    #[must_use]
    pub fn into_parts(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

impl From<StoreError> for HostError {
    fn from(error: StoreError) -> Self {
        Self::refused(error.to_string()).hint(error.hint())
    }
}
