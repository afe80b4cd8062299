//! Who must answer. One setting for everybody so far.

use serde::Deserialize;

/// Whether a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecondFactor {
    /// No verified code, no login.
    #[default]
    Required,
    /// Who is not enrolled passes; who is enrolled must answer.
    Optional,
    /// Nobody is asked.
    Skip,
}

impl SecondFactor {
    /// As the configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Skip => "skip",
        }
    }

    /// The same under the module's `nullok`: required becomes optional, nothing else changes.
    #[must_use]
    pub const fn nullok(self) -> Self {
        match self {
            Self::Required | Self::Optional => Self::Optional,
            Self::Skip => Self::Skip,
        }
    }
}
