//! What a user holds, as values that cannot be wrong.

use std::borrow::Cow;

pub use crate::id::AuthenticatorId;
use crate::{
    account::UserName,
    otp::Otp,
    recovery::{RecoveryError, RecoverySet, RecoverySetId},
    text::is_hidden,
    time::UnixTime,
};

/// A user's second factors. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Enrolment {
    pub user: UserName,
    /// The uid it was made for; absent where configuration management deploys the file.
    pub uid: Option<u32>,
    /// At least one and at most [`Enrolment::MOST_AUTHENTICATORS`], each with an id of its own.
    pub authenticators: Vec<Authenticator>,
    /// The recovery codes, if there are any.
    pub recovery: Option<RecoverySet>,
}

/// One app or device.
#[derive(Clone)]
pub struct Authenticator {
    /// Its name in the state and in the log.
    pub id: AuthenticatorId,
    /// Its name for people.
    pub label: Label,
    /// How its codes are made.
    pub otp: Otp,
    /// When it was enrolled.
    pub created: Option<UnixTime>,
    /// Switched off for a while: its codes open nothing, and its user is enrolled all the same.
    pub suspended: bool,
}

/// What a person calls an authenticator: 1 to 64 characters, none a control character. A new one has no hidden character
/// either ([`is_hidden`]); one that was stored before may have some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

impl Enrolment {
    /// Authenticators one user may have; the state of all of them must fit a slot.
    pub const MOST_AUTHENTICATORS: usize = 16;

    /// What tells this enrolment from what it may become: which authenticators are there, which of them are switched on,
    /// and which set of recovery codes. All these names are random.
    #[must_use]
    pub fn identity(&self) -> String {
        let one = |held: &Authenticator| format!("{}{} ", held.id.as_str(), if held.suspended { "-" } else { "+" });
        let devices: String = self.authenticators.iter().map(one).collect();
        devices + self.recovery.as_ref().map_or("", |set| set.set.as_str())
    }

    /// What answers that look like a recovery code are compared with.
    ///
    /// # Errors
    /// As for [`RecoverySet::without_codes`].
    pub fn recovery_set(&self) -> Result<Cow<'_, RecoverySet>, RecoveryError> {
        self.recovery
            .as_ref()
            .map_or_else(|| RecoverySet::without_codes(&self.user).map(Cow::Owned), |set| Ok(Cow::Borrowed(set)))
    }

    /// The id of that.
    #[must_use]
    pub fn recovery_set_id(&self) -> RecoverySetId {
        self.recovery.as_ref().map_or_else(RecoverySetId::none, |set| set.set.clone())
    }

    /// The authenticators whose codes count.
    pub fn active(&self) -> impl Iterator<Item = &Authenticator> {
        self.authenticators.iter().filter(|authenticator| !authenticator.suspended)
    }

    /// Whether there are as many authenticators as there may be, each with an id of its own.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let all = &self.authenticators;
        let twice = || all.iter().zip(1..).any(|(one, rest)| all.iter().skip(rest).any(|other| other.id == one.id));
        (1..=Self::MOST_AUTHENTICATORS).contains(&all.len()) && !twice()
    }
}

impl Label {
    /// What a new label must be.
    pub const RULE: &str = crate::messages::LABEL_RULE;
    /// Longest label in characters.
    pub const LONGEST: usize = 64;

    /// Takes a new label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_store(text).filter(|_| !text.chars().any(is_hidden))
    }

    /// Takes a label that was stored, perhaps before hidden characters were refused.
    #[must_use]
    pub fn from_store(text: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// A word, and behind it the number where it is not the first of that word.
    ///
    /// # Panics
    /// Never: a short word and a number are a label.
    #[must_use]
    pub fn numbered(word: &'static str, number: usize) -> Self {
        let text = if number <= 1 { word.to_owned() } else { format!("{word}-{number}") };
        Self::parse(&text).expect("a short word and a number are a label")
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
