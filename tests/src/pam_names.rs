//! The names of Linux-PAM's numbers (`<security/_pam_types.h>`).

use serde::{Deserialize, Serialize};

macro_rules! pam_codes {
    ($($name:ident = $number:literal),* $(,)?) => {
        /// A return code of libpam.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are libpam's own")]
        pub enum PamCode { $($name,)* Unknown(i32) }

        impl From<i32> for PamCode {
            fn from(number: i32) -> Self {
                match number { $($number => Self::$name,)* other => Self::Unknown(other) }
            }
        }

        impl From<PamCode> for i32 {
            fn from(code: PamCode) -> Self {
                match code { $(PamCode::$name => $number,)* PamCode::Unknown(other) => other }
            }
        }
    };
}

// Both directions from one table.
pam_codes! {
    Success = 0, OpenErr = 1, SymbolErr = 2, ServiceErr = 3, SystemErr = 4, BufErr = 5, PermDenied = 6, AuthErr = 7,
    CredInsufficient = 8, AuthinfoUnavail = 9, UserUnknown = 10, MaxTries = 11, NewAuthtokReqd = 12, AcctExpired = 13,
    SessionErr = 14, CredUnavail = 15, CredExpired = 16, CredErr = 17, NoModuleData = 18, ConvErr = 19,
    AuthtokErr = 20, AuthtokRecoveryErr = 21, AuthtokLockBusy = 22, AuthtokDisableAging = 23, TryAgain = 24,
    Ignore = 25, Abort = 26, AuthtokExpired = 27, ModuleUnknown = 28, BadItem = 29, ConvAgain = 30, Incomplete = 31,
}

/// What an application asks of libpam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// `pam_authenticate`
    Authenticate,
    /// `pam_setcred` with `PAM_ESTABLISH_CRED`
    SetCred,
    /// `pam_setcred` with `PAM_DELETE_CRED`
    DeleteCred,
    /// `pam_acct_mgmt`
    AcctMgmt,
    /// `pam_open_session`
    OpenSession,
    /// `pam_close_session`
    CloseSession,
    /// `pam_chauthtok`
    ChAuthTok,
}

/// The style of a message in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// `PAM_PROMPT_ECHO_OFF`
    EchoOff,
    /// `PAM_PROMPT_ECHO_ON`
    EchoOn,
    /// `PAM_ERROR_MSG`
    ErrorMessage,
    /// `PAM_TEXT_INFO`
    TextInfo,
    /// Anything else
    Unknown(i32),
}

impl From<twinlock_pam_app::Style> for Style {
    fn from(style: twinlock_pam_app::Style) -> Self {
        match style {
            twinlock_pam_app::Style::EchoOff => Self::EchoOff,
            twinlock_pam_app::Style::EchoOn => Self::EchoOn,
            twinlock_pam_app::Style::ErrorMessage => Self::ErrorMessage,
            twinlock_pam_app::Style::TextInfo => Self::TextInfo,
            twinlock_pam_app::Style::Unknown(number) => Self::Unknown(number),
        }
    }
}

impl Style {
    /// Whether an answer is awaited.
    pub fn is_prompt(self) -> bool {
        self == Self::EchoOff || self == Self::EchoOn
    }
}
