//! What a login will look like, from the policy that applies and the user's status: the module's own steps
//! (`auth.rs`, `account.rs`, `twinlock_login::attempt`) told beforehand. Pure; the recipes of docs/policy.md hold it to what the module does.

use twinlock_core::policy::SecondFactor;

/// How a login ends, as far as it is Twinlock's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// A code is asked for, and a right one opens.
    Asked,
    /// The user is shown a QR code and enrols.
    Enrolls,
    /// Nothing is asked.
    Passes,
    /// Nothing that the user could answer opens.
    Refused,
}

/// The status of a user's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactorStatus {
    /// There is no such account.
    Unknown,
    /// There is no second factor.
    NotEnrolled,
    /// The files cannot be used, and why.
    Unreadable(String),
    /// There is one.
    Enrolled {
        /// What its codes are worth.
        codes: Codes,
        /// Recovery codes that can still be used.
        recovery_codes_left: usize,
    },
}

/// What the codes of the user's authenticators are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codes {
    /// One opens.
    One,
    /// Two consecutive ones open.
    Two,
    /// None does until `twinlock unlock`.
    Disabled,
    /// None does, because every authenticator is suspended.
    Suspended,
}

impl Forecast {
    /// As people and JSON have it; stable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Enrolls => "enrolls",
            Self::Passes => "passes",
            Self::Refused => "refused",
        }
    }
}

impl FactorStatus {
    /// Whether there is a second factor, where that can be told.
    #[must_use]
    pub const fn enrolled(&self) -> Option<bool> {
        match self {
            Self::Unreadable(_) => None,
            Self::Unknown | Self::NotEnrolled => Some(false),
            Self::Enrolled { .. } => Some(true),
        }
    }
}

/// How a login ends that runs the auth phase.
#[must_use]
pub const fn login(second_factor: SecondFactor, status: &FactorStatus) -> Forecast {
    match (second_factor, status) {
        (SecondFactor::Skip, _) | (SecondFactor::Optional, FactorStatus::NotEnrolled) => Forecast::Passes,
        (SecondFactor::Enroll, FactorStatus::NotEnrolled) => Forecast::Enrolls,
        (
            _,
            FactorStatus::Enrolled { codes: Codes::One | Codes::Two, .. }
            | FactorStatus::Enrolled { recovery_codes_left: 1.., .. },
        ) => Forecast::Asked,
        (
            SecondFactor::Optional | SecondFactor::Enroll | SecondFactor::Required,
            FactorStatus::Unknown
            | FactorStatus::NotEnrolled
            | FactorStatus::Unreadable(_)
            | FactorStatus::Enrolled { .. },
        ) => Forecast::Refused,
    }
}

/// A login that sshd admits by a key alone, so that only the guard sees it: passes or refused.
#[must_use]
pub fn by_key_alone(second_factor: SecondFactor, status: &FactorStatus) -> Forecast {
    match (second_factor, status) {
        (SecondFactor::Skip, _) | (SecondFactor::Optional, FactorStatus::NotEnrolled) => Forecast::Passes,
        (SecondFactor::Optional | SecondFactor::Enroll | SecondFactor::Required, _) => Forecast::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_of_every_policy_for_everybody() {
        use Forecast::{Asked, Enrolls, Passes, Refused};
        use SecondFactor::{Enroll, Optional, Required, Skip};
        let enrolled = |codes, recovery_codes_left| FactorStatus::Enrolled { codes, recovery_codes_left };
        for (status, wanted) in [
            (FactorStatus::Unknown, [Refused, Refused, Refused, Passes]),
            (FactorStatus::NotEnrolled, [Refused, Enrolls, Passes, Passes]),
            (FactorStatus::Unreadable("torn".into()), [Refused, Refused, Refused, Passes]),
            (enrolled(Codes::One, 0), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Two, 3), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Disabled, 1), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Disabled, 0), [Refused, Refused, Refused, Passes]),
            (enrolled(Codes::Suspended, 0), [Refused, Refused, Refused, Passes]),
        ] {
            let told = [Required, Enroll, Optional, Skip].map(|policy| login(policy, &status));
            assert_eq!(told, wanted, "{status:?}");
            let alone = [Required, Enroll, Optional, Skip].map(|policy| by_key_alone(policy, &status));
            let optional = if status == FactorStatus::NotEnrolled { Passes } else { Refused };
            assert_eq!(alone, [Refused, Refused, optional, Passes], "{status:?}");
        }
    }
}
