//! What users read while they enrol, in their language, and the errors of an enrolment. Nothing here decides anything.

use std::fmt;

use twinlock_core::{
    catalogue::{Catalogue, UserText},
    layout::{WIDTH, cells, push_wrapped, wrapped},
    time::UnixTime,
};

use crate::error::EnrolError;

/// Introduces the list of new recovery codes.
pub(crate) fn recovery_codes(catalogue: &Catalogue) -> String {
    format!("\n{}\n\n", wrapped(catalogue.get(UserText::RecoveryCodes)))
}

/// Asks for one of the recovery codes that were just shown.
pub(crate) fn saved_code_prompt(catalogue: &Catalogue) -> String {
    format!("\n{}", wrapped(&catalogue.prompt(UserText::SavedCodePrompt)))
}

/// The answer is not one of the recovery codes that were just shown.
pub(crate) fn not_a_shown_code(catalogue: &Catalogue) -> String {
    wrapped(catalogue.get(UserText::NotAShownCode))
}

/// The answer is not a code of the new hardware token.
pub(crate) fn token_code_mismatch(catalogue: &Catalogue) -> String {
    line(catalogue.get(UserText::TokenCodeMismatch))
}

/// The answer is not a current code of the new app; `now` is the host's time.
pub(crate) fn app_code_mismatch(catalogue: &Catalogue, now: UnixTime) -> String {
    line(&catalogue.fill(UserText::AppCodeMismatch, &[("time", &now.to_string())]))
}

/// A reason why the app may compute other codes: one of [`crate::enrolment::Parameters::doubts`].
pub(crate) fn possible_cause(doubt: &str) -> String {
    line(&format!("Possible cause: {doubt}."))
}

/// Why a login offers an enrolment, the last day of that, and the administrator's text on how to get help.
pub(crate) fn push_invitation(out: &mut String, catalogue: &Catalogue, until: Option<UnixTime>, help: &str) {
    let last_day = until.map(|end| {
        let second = UnixTime::from_seconds(end.seconds().saturating_sub(1)).to_string();
        second.split('T').next().unwrap_or_default().to_owned()
    });
    let until = last_day.map(|date| catalogue.fill(UserText::InvitationUntil, &[("date", &date)]));
    let help = Some(help).filter(|help| !help.is_empty());
    for text in [Some(catalogue.get(UserText::Invitation)), until.as_deref(), help].into_iter().flatten() {
        push_line(out, text);
    }
    out.push('\n');
}

/// Adds a text on lines of its own.
pub(crate) fn push_line(out: &mut String, text: &str) {
    push_wrapped(out, text);
    out.push('\n');
}

/// Adds the key of a new authenticator, and whose it is. The key is a secret: no other copy is made.
pub(crate) fn push_key(out: &mut String, key: &str, issuer: &str, user: &str) {
    let (owner, indent) = (format!("({issuer}: {user})"), "  ");
    let all = [indent, key, indent, &owner].into_iter().map(cells).sum::<usize>();
    let between = if all > WIDTH { "\n  " } else { indent };
    for part in [indent, key, between, &owner, "\n"] {
        out.push_str(part);
    }
}

fn line(text: &str) -> String {
    format!("{}\n", wrapped(text))
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
