//! Who must answer. One setting for everybody so far.

/// Whether a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

    /// The policy of that name.
    ///
    /// # Errors
    /// What there is.
    pub fn named(name: &str) -> Result<Self, String> {
        let known = [Self::Required, Self::Optional, Self::Skip];
        known
            .into_iter()
            .find(|policy| policy.name() == name)
            .ok_or_else(|| format!("`{name}` is none of `required`, `optional`, `skip`"))
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
