//! What is measured: three modules, and what no module can save, the floor and libpam; and what they are given.

use twinlock_tests::PamCode;

/// Something that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// One durable write and nothing else: open, `pwrite` of 4 KiB, `fdatasync`, close.
    Floor,
    /// Ours.
    Twinlock,
    /// `pam_google_authenticator`.
    GoogleAuthenticator,
    /// `pam_oath`.
    Oath,
    /// libpam with `pam_permit.so`, which asks nothing and grants.
    Libpam,
}

/// What the prompt is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The code of the hour.
    Code,
    /// A code of no step near.
    WrongCode,
    /// A recovery code; google-authenticator's scratch code.
    RecoveryCode,
}

impl Given {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 3] = [Self::Code, Self::WrongCode, Self::RecoveryCode];

    /// As the report has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Code => "success",
            Self::WrongCode => "incorrect code",
            Self::RecoveryCode => "recovery code",
        }
    }
}

impl Contender {
    /// In the order of a round.
    pub(crate) const ALL: [Self; 5] =
        [Self::Floor, Self::Twinlock, Self::GoogleAuthenticator, Self::Oath, Self::Libpam];

    /// As the report has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Twinlock => "twinlock",
            Self::GoogleAuthenticator => "google-authenticator",
            Self::Oath => "pam_oath",
            Self::Libpam => "libpam",
        }
    }

    /// The module's file name; the floor has none.
    pub(crate) fn module(self) -> Option<&'static str> {
        match self {
            Self::Floor => None,
            Self::Twinlock => Some("pam_twinlock.so"),
            Self::GoogleAuthenticator => Some("pam_google_authenticator.so"),
            Self::Oath => Some("pam_oath.so"),
            Self::Libpam => Some("pam_permit.so"),
        }
    }

    /// The store with so many enrolled, below `/var/lib`, and the PAM service that uses it.
    pub(crate) fn store(self, enrolled: usize) -> String {
        match self {
            Self::Floor | Self::Twinlock => format!("twinlock-{enrolled}"),
            Self::GoogleAuthenticator => format!("google-{enrolled}"),
            Self::Oath => format!("oath-{enrolled}"),
            Self::Libpam => format!("libpam-{enrolled}"),
        }
    }

    /// Whether it knows such an answer.
    pub(crate) fn takes(self, given: Given) -> bool {
        match self {
            Self::Floor | Self::Twinlock | Self::GoogleAuthenticator => true,
            Self::Oath => given != Given::RecoveryCode,
            Self::Libpam => given == Given::Code,
        }
    }

    /// What libpam has to return, or the figure is worthless.
    pub(crate) fn verdict(given: Given) -> PamCode {
        match given {
            Given::Code | Given::RecoveryCode => PamCode::Success,
            Given::WrongCode => PamCode::AuthErr,
        }
    }

    /// What stands in the one log line of such a login; nothing for those that write none.
    pub(crate) fn log_words(self, given: Given) -> &'static [&'static str] {
        match (self, given) {
            (Self::Floor | Self::Oath | Self::Libpam, _) => &[],
            (Self::Twinlock, Given::Code) => &["result=granted", "method=totp"],
            (Self::Twinlock, Given::RecoveryCode) => &["result=granted", "method=recovery"],
            (Self::Twinlock, Given::WrongCode) => &["result=refused", "reason=wrong-code"],
            (Self::GoogleAuthenticator, Given::Code | Given::RecoveryCode) => &["Accepted google_authenticator for"],
            (Self::GoogleAuthenticator, Given::WrongCode) => &["Invalid verification code for"],
        }
    }
}
