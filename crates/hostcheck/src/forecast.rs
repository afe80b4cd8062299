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

/// How the user stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
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

impl Standing {
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
pub const fn login(second_factor: SecondFactor, standing: &Standing) -> Forecast {
    match (second_factor, standing) {
        (SecondFactor::Skip, _) | (SecondFactor::Optional, Standing::NotEnrolled) => Forecast::Passes,
        (SecondFactor::Enroll, Standing::NotEnrolled) => Forecast::Enrolls,
        (
            _,
            Standing::Enrolled { codes: Codes::One | Codes::Two, .. }
            | Standing::Enrolled { recovery_codes_left: 1.., .. },
        ) => Forecast::Asked,
        (
            SecondFactor::Optional | SecondFactor::Enroll | SecondFactor::Required,
            Standing::Unknown | Standing::NotEnrolled | Standing::Unreadable(_) | Standing::Enrolled { .. },
        ) => Forecast::Refused,
    }
}

/// A login that sshd admits by a key alone, so that only the guard sees it: passes or refused.
#[must_use]
pub fn by_key_alone(second_factor: SecondFactor, standing: &Standing) -> Forecast {
    match (second_factor, standing) {
        (SecondFactor::Skip, _) | (SecondFactor::Optional, Standing::NotEnrolled) => Forecast::Passes,
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
        let enrolled = |codes, recovery_codes_left| Standing::Enrolled { codes, recovery_codes_left };
        for (standing, wanted) in [
            (Standing::Unknown, [Refused, Refused, Refused, Passes]),
            (Standing::NotEnrolled, [Refused, Enrolls, Passes, Passes]),
            (Standing::Unreadable("torn".into()), [Refused, Refused, Refused, Passes]),
            (enrolled(Codes::One, 0), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Two, 3), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Disabled, 1), [Asked, Asked, Asked, Passes]),
            (enrolled(Codes::Disabled, 0), [Refused, Refused, Refused, Passes]),
            (enrolled(Codes::Suspended, 0), [Refused, Refused, Refused, Passes]),
        ] {
            let told = [Required, Enroll, Optional, Skip].map(|policy| login(policy, &standing));
            assert_eq!(told, wanted, "{standing:?}");
            let alone = [Required, Enroll, Optional, Skip].map(|policy| by_key_alone(policy, &standing));
            let optional = if standing == Standing::NotEnrolled { Passes } else { Refused };
            assert_eq!(alone, [Refused, Refused, optional, Passes], "{standing:?}");
        }
    }
}
