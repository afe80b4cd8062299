//! What users read while they enrol, and the errors of an enrolment. Nothing here decides anything.
//!
//! Lines of the dialogue have at most 76 characters: together with the QR code they have to fit a terminal of 80x24.

use std::fmt::{self, Write as _};

use twinlock_core::time::UnixTime;

use crate::error::EnrolError;

/// Asks for a code of a new app.
pub(crate) const APP_CODE_PROMPT: &str = "Enter the code that the app shows now: ";

/// Asks for a code of a new hardware token.
pub(crate) const TOKEN_CODE_PROMPT: &str = "Press the button of the token and enter the code that it shows: ";

/// Asks for one of the recovery codes that were just shown.
pub(crate) const SAVED_CODE_PROMPT: &str = "\nEnter one of these codes to confirm that you saved them: ";

/// Introduces the list of new recovery codes.
pub(crate) const RECOVERY_CODES: &str = "\nThese are your recovery codes. Each one replaces a code from the app once, for\n\
     example when you do not have your phone. Write them down or print them now,\n\
     and keep them apart from the phone. They are not shown again.\n\n";

/// The answer is not one of the recovery codes that were just shown.
pub(crate) const NOT_A_SHOWN_CODE: &str = "That is not one of the codes above.";

/// The answer is not a code of the new hardware token.
pub(crate) const TOKEN_CODE_MISMATCH: &str = "That code does not match: it is not among the token's next hundred codes. Check\n\
     that you use the new token, and that --counter is its count of button presses.\n";

/// The answer is not a current code of the new app; `now` is the host's time.
pub(crate) fn app_code_mismatch(now: UnixTime) -> String {
    format!(
        "That code does not match. Check that your phone sets its time automatically\n\
         (this host's clock says {now}) and that you opened the entry\n\
         you just scanned. Then enter the next code.\n"
    )
}

/// A reason why the app may compute other codes: one of [`crate::enrolment::Parameters::doubts`].
pub(crate) fn possible_cause(doubt: &str) -> String {
    format!("Possible cause: {doubt}.\n")
}

/// Adds the text below the QR code, in a dialogue that consists of prompts. The key is a secret: no other copy is made.
pub(crate) fn push_scan_or_type(out: &mut String, key: &str, issuer: &str, user: &str) {
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "Scan this QR code with an authenticator app, or enter this key by hand:\n  {key}  ({issuer}: {user})\n\
         Cannot scan it? Answer a for plain characters, or i to swap light and dark.\n"
    );
}

/// Apps that ignore SHA256.
pub(crate) const SHA256_DOUBT: &str =
    "Microsoft Authenticator, Authy and Duo ignore SHA256 and compute codes with SHA1, which this host refuses";

/// Apps that do not know SHA512.
pub(crate) const SHA512_DOUBT: &str = "few apps support SHA512; Authy and 1Password do not";

/// Apps that ignore the number of digits.
pub(crate) const DIGITS_DOUBT: &str = "Google Authenticator and Microsoft Authenticator always show 6 digits";

/// Apps that ignore the period.
pub(crate) const PERIOD_DOUBT: &str =
    "Google Authenticator and Microsoft Authenticator always change the code every 30 seconds";

/// Log: an enrolment inside a login that ended without a correct code.
pub(crate) const ABANDONED_WITHOUT_CODE: &str =
    "the enrolment inside this login was abandoned: no correct code of the new authenticator was entered";

/// Log: an enrolment inside a login that ended without a recovery code.
pub(crate) const ABANDONED_WITHOUT_RECOVERY_CODE: &str =
    "the enrolment inside this login was abandoned: none of the new recovery codes was entered";

/// Log: an enrolment inside a login that failed.
pub(crate) fn cannot_enrol(error: &EnrolError) -> String {
    format!("cannot enrol: {error}")
}

impl fmt::Display for EnrolError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyEnrolled => write!(out, "the account is already enrolled"),
            Self::NotEnrolled => write!(out, "the account is not enrolled"),
            Self::ChangedMeanwhile => write!(out, "another login or command changed the enrolment in the meantime"),
            Self::Randomness(error) => write!(out, "cannot get random numbers from the kernel: {error}"),
            Self::Parameters(error) => error.fmt(out),
            Self::Recovery(error) => error.fmt(out),
            Self::Device(error) => error.fmt(out),
            Self::Store(error) => error.fmt(out),
        }
    }
}
