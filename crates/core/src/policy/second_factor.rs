//! What a rule may say: whether a second factor is asked for.

use crate::messages;

/// Whether a second factor is asked for, from the most lenient to the strictest; the order is used where it is in doubt
/// which of two applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum SecondFactor {
    /// Nobody is asked.
    Skip,
    /// Users who are not enrolled pass; users who are enrolled must answer.
    Optional,
    /// No verified code, no login; but users who are not enrolled enrol inside the login.
    Enroll,
    /// No verified code, no login.
    #[default]
    Required,
}

impl SecondFactor {
    /// As the configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Enroll => "enroll",
            Self::Optional => "optional",
            Self::Skip => "skip",
        }
    }

    /// The policy of that name.
    ///
    /// # Errors
    /// What there is.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = [Self::Required, Self::Enroll, Self::Optional, Self::Skip];
        known.into_iter().find(|policy| policy.name() == name).ok_or_else(|| messages::not_a_second_factor(name))
    }

    /// The same under the module's `nullok`: who is not enrolled passes; nothing else changes.
    #[must_use]
    pub const fn nullok(self) -> Self {
        match self {
            Self::Required | Self::Enroll | Self::Optional => Self::Optional,
            Self::Skip => Self::Skip,
        }
    }
}
