//! `twinlock remove`.

use twinlock_core::policy::SecondFactor;

use super::no_terminal;
use crate::failure::Failure;

/// What the user can do without a second factor, as the end of a sentence.
pub(crate) fn consequence(otherwise: SecondFactor, has_rules: bool) -> String {
    let consequence = match otherwise {
        SecondFactor::Required => "cannot log in until enrolled again",
        SecondFactor::Enroll => "enrols again at the next login",
        SecondFactor::Optional | SecondFactor::Skip => LOGS_IN,
    };
    let rules = if has_rules { ", unless a policy rule says otherwise" } else { "" };
    format!("{consequence}{rules}")
}

/// The same of users who may remove their own second factor.
pub(crate) const LOGS_IN: &str = "logs in with the first factor alone";

/// There is no second factor to remove.
pub(crate) fn not_enrolled(user: &str) -> Failure {
    Failure::not_enrolled(user).hint("there is nothing to remove")
}

/// Asks for `yes`.
pub(crate) fn confirmation(user: &str, consequence: &str) -> String {
    format!("Without a second factor, {user} {consequence}.\nRemove the second factor of {user}? Type yes: ")
}

/// The answer is not `yes`.
pub(crate) fn not_confirmed(user: &str) -> Failure {
    Failure::refused(format!("not confirmed, so {user} keeps the second factor"))
        .hint("type the word yes to confirm, or use --yes")
}

/// There is nobody to ask.
pub(crate) fn without_terminal(user: &str) -> Failure {
    no_terminal(
        &format!("cannot ask whether to remove the second factor of {user}"),
        "use --yes to remove it without a question",
    )
}

/// The second factor is removed.
pub(crate) fn removed(user: &str, consequence: &str) -> String {
    format!("{user}: second factor removed; {user} {consequence}")
}
