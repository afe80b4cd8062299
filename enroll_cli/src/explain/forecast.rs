//! What a login will look like, from the policy that holds and from how the user stands: the module's own steps
//! (`auth.rs`, `account.rs`, `twinlock_login::attempt`) told beforehand. Pure; the recipes of docs/policy.md hold it to what the module does.

use twinlock_core::policy::SecondFactor;

/// How a login ends, as far as it is Twinlock's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forecast {
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
pub(crate) enum Standing {
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
pub(crate) enum Codes {
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
    pub(crate) const fn name(self) -> &'static str {
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
    pub(crate) const fn enrolled(&self) -> Option<bool> {
        match self {
            Self::Unreadable(_) => None,
            Self::Unknown | Self::NotEnrolled => Some(false),
            Self::Enrolled { .. } => Some(true),
        }
    }
}

/// A login that runs the auth phase: how it ends, and what the user meets, to be said behind the name.
pub(crate) fn login(second_factor: SecondFactor, standing: &Standing) -> (Forecast, String) {
    let said = |outcome, text: &str| (outcome, text.to_owned());
    match (second_factor, standing) {
        (SecondFactor::Skip, Standing::Unknown) => {
            said(Forecast::Passes, "does not exist and is asked for no code; the first factor refuses")
        }
        (SecondFactor::Skip, _) => said(Forecast::Passes, "is asked for no code; the first factor decides"),
        (SecondFactor::Optional, Standing::NotEnrolled) => {
            said(Forecast::Passes, "is not enrolled and is asked for no code; the first factor decides")
        }
        (SecondFactor::Enroll, Standing::NotEnrolled) => said(
            Forecast::Enrolls,
            "is not enrolled; after the first factor (a key that sshd has checked, or a password that this service has asked \
             for) comes a QR code, and a code of the app and one of the recovery codes are asked for",
        ),
        (SecondFactor::Enroll, Standing::Unknown) => {
            said(Forecast::Refused, "does not exist, is shown what everybody is shown, and refused; nothing is stored")
        }
        (SecondFactor::Optional | SecondFactor::Required, Standing::Unknown) => {
            said(Forecast::Refused, "does not exist, is asked like everybody and refused whatever the answer is")
        }
        (SecondFactor::Required, Standing::NotEnrolled) => {
            said(Forecast::Refused, "is not enrolled, is asked like everybody and refused whatever the answer is")
        }
        (_, Standing::Unreadable(why)) => {
            (Forecast::Refused, format!("is asked like everybody and refused whatever the answer is: {why}"))
        }
        (_, Standing::Enrolled { codes, recovery_codes_left }) => enrolled(*codes, *recovery_codes_left),
    }
}

fn enrolled(codes: Codes, recovery_codes_left: usize) -> (Forecast, String) {
    let code = match codes {
        Codes::One => "is enrolled and is asked for a code",
        Codes::Two => "is enrolled and, because of wrong codes before, is asked for two in a row",
        Codes::Disabled => {
            "is disabled and is asked for a code; those of apps and tokens are refused until `twinlock unlock`"
        }
        Codes::Suspended => {
            "is enrolled and is asked for a code; apps and tokens are suspended, and theirs are refused"
        }
    };
    let useless = matches!(codes, Codes::Disabled | Codes::Suspended);
    match (recovery_codes_left, useless) {
        (0, true) => (Forecast::Refused, format!("{code}, and no recovery code is left")),
        (0, false) => (Forecast::Asked, format!("{code}; no recovery code is left")),
        (_, true) => (Forecast::Asked, format!("{code}, and a recovery code opens")),
        (_, false) => (Forecast::Asked, format!("{code}; a recovery code does as well")),
    }
}

/// A login that sshd admits by a key alone, so that only the guard sees it: passes or refused.
pub(crate) fn by_key_alone(second_factor: SecondFactor, standing: &Standing) -> Forecast {
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
            let told = [Required, Enroll, Optional, Skip].map(|policy| login(policy, &standing).0);
            assert_eq!(told, wanted, "{standing:?}");
            let alone = [Required, Enroll, Optional, Skip].map(|policy| by_key_alone(policy, &standing));
            let optional = if standing == Standing::NotEnrolled { Passes } else { Refused };
            assert_eq!(alone, [Refused, Refused, optional, Passes], "{standing:?}");
        }
    }
}
