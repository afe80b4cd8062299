//! `twinlock recovery`.

use twinlock_service::status::IssuedCodeStatus;

use super::no_terminal;
use crate::failure::Failure;

/// There is nobody to show the new codes to.
pub(crate) fn without_terminal(user: &str) -> Failure {
    no_terminal(
        &format!("cannot show new recovery codes of {user}"),
        "connect with `ssh -t`; in scripts, use --no-confirm --json",
    )
}

/// The new codes replace the old ones.
pub(crate) fn renewed(user: &str) -> String {
    format!("Done: the new recovery codes of {user} are valid, and the old ones no longer work.")
}

/// How many codes are left, for a person.
pub(crate) fn left(left: usize, all: usize) -> String {
    format!("{left} of {} left\n", all.max(left))
}

/// Below the code that was issued.
pub(crate) fn issued(user: &str, expires: &str) -> String {
    format!(
        "{user} can use this code for one login until {expires}, in the place of a code from the app. It is not shown again. \
         Check who the user is before you read it out."
    )
}

/// An issued code that has not been used.
pub(crate) fn issued_code(IssuedCodeStatus { issued, expires, by_uid }: &IssuedCodeStatus) -> String {
    format!("1 issued code is valid until {expires}; uid {by_uid} issued it on {issued}")
}
