//! How a command fails: what happened, what to do, and the exit status that scripts read.

use std::process::ExitCode;

use twinlock_hostcheck::HostError;
use twinlock_service::lifecycle::{RequestError, RequestErrorKind};
use twinlock_store::{files::ConfigFileError, ports::StoreError};

use crate::{language, messages};

/// A command that did not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Exit status 1.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { status: 1, message: message.into(), hint: None }
    }

    /// Exit status 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { status: 2, message: message.into(), hint: None }
    }

    /// Exit status 3.
    pub(crate) fn not_permitted(message: impl Into<String>) -> Self {
        Self { status: 3, message: message.into(), hint: None }
    }

    /// Exit status 3 of `check --strict`.
    pub(crate) fn warnings_only(message: impl Into<String>) -> Self {
        Self { status: 3, message: message.into(), hint: None }
    }

    /// Exit status 4.
    pub(crate) fn not_enrolled(user: &str) -> Self {
        RequestError::not_enrolled(user).into()
    }

    /// Exit status 4, where the output has said so already.
    pub(crate) const fn not_enrolled_as_shown() -> Self {
        Self { status: 4, message: String::new(), hint: None }
    }

    /// Exit status 1, where the output has said so already.
    pub(crate) const fn as_shown() -> Self {
        Self { status: 1, message: String::new(), hint: None }
    }

    /// The same with what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Whether the exit status is 4.
    pub(crate) const fn is_not_enrolled(&self) -> bool {
        self.status == 4
    }

    /// What happened, without what to do.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What is said on stderr, in two halves, and the exit status.
    pub(crate) fn into_parts(self) -> (String, ExitCode) {
        (messages::failure(&self.message, self.hint.as_deref()), ExitCode::from(self.status))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        RequestError::from(error).into()
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let (message, hint) = error.into_parts();
        Self { hint, ..Self::refused(message) }
    }
}

impl From<ConfigFileError> for Failure {
    fn from(fault: ConfigFileError) -> Self {
        let picture = match &fault {
            ConfigFileError::Content { bad, .. } => {
                bad.picture().map_or_else(String::new, |picture| format!("\n{picture}"))
            }
            ConfigFileError::File(_) => String::new(),
        };
        Self::refused(format!("{fault}{picture}")).hint(fault.hint())
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let RequestError { cause, message, hint, .. } = error.in_language(language::catalogue());
        let status = match cause {
            RequestErrorKind::Refused | RequestErrorKind::Host => 1,
            RequestErrorKind::NotPermitted => 3,
            RequestErrorKind::NotEnrolled => 4,
        };
        Self { status, message, hint }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // The reader of the output has gone, which needs no message.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self::as_shown()
        } else {
            messages::output_not_written(&error)
        }
    }
}
