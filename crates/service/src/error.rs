//! Why something was not done. The texts are in `messages.rs`.

use std::{io, process::ExitStatus, time::Duration};

use lettre::address::AddressError;
use serde::{Deserialize, Serialize};
use twinlock_core::{
    catalogue::{Catalogue, Phrase},
    credentials::Enrolment,
};

use crate::self_service::SelfServiceText;

/// Why it was not done: what happened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestError {
    pub cause: RequestErrorKind,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Both as texts of self-service, where they are. What came over a socket is in the caller's language already.
    #[serde(skip)]
    phrases: (Option<Phrase<SelfServiceText>>, Option<Phrase<SelfServiceText>>),
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
        Self { cause, message: message.into(), hint: None, phrases: (None, None) }
    }

    /// A refusal that users read in their language.
    #[must_use]
    pub fn with_text(cause: RequestErrorKind, phrase: impl Into<Phrase<SelfServiceText>>) -> Self {
        let phrase = phrase.into();
        Self { phrases: (Some(phrase), None), ..Self::new(cause, String::new()) }.in_language(Catalogue::ENGLISH)
    }

    /// The same with what to do about it, in the user's language.
    #[must_use]
    pub fn advice(mut self, phrase: impl Into<Phrase<SelfServiceText>>) -> Self {
        self.phrases.1 = Some(phrase.into());
        self.in_language(Catalogue::ENGLISH)
    }

    /// The same in a language; in English what is for administrators.
    #[must_use]
    pub fn in_language(mut self, catalogue: &Catalogue) -> Self {
        let (message, hint) = &self.phrases;
        if let Some(phrase) = message {
            self.message = phrase.in_language(catalogue);
        }
        if let Some(phrase) = hint {
            self.hint = Some(phrase.in_language(catalogue));
        }
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), phrases: (self.phrases.0, None), ..self }
    }
}

impl std::error::Error for RequestError {}

/// What a user's codes come from: the advice is about these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owned {
    /// Apps, whose clocks can be wrong.
    Phones,
    /// Tokens, whose counters can have run ahead.
    Tokens,
    /// Some of each.
    Both,
}

impl Owned {
    /// The devices that are not suspended. Where nothing can be read, it is phones, which most have.
    pub(crate) fn by(enrolment: Option<&Enrolment>) -> Self {
        let clocks = || enrolment.into_iter().flat_map(Enrolment::active).map(|device| device.otp.period());
        match (clocks().any(|period| period.is_some()), clocks().any(|period| period.is_none())) {
            (true, true) => Self::Both,
            (false, true) => Self::Tokens,
            (_, false) => Self::Phones,
        }
    }
}

/// Why no mail went out. What it was to tell of has happened all the same.
#[derive(Debug)]
pub enum MailError {
    /// The name of the account or of the host is none that mail knows.
    Address(AddressError),
    /// The mail could not be written.
    Message(lettre::error::Error),
    /// sendmail could not be run.
    Run(io::Error),
    /// sendmail did not take it.
    Refused(ExitStatus),
    /// sendmail took too long, and was stopped.
    TooLong(Duration),
}

impl std::error::Error for MailError {}
