//! `twinlock recovery`.

use twinlock_core::catalogue::Phrase;
use twinlock_service::{self_service::SelfServiceText, status::IssuedCodeStatus};

use crate::{
    failure::Failure,
    language::{say, say_of},
};

/// There is nobody to show the new codes to.
pub(crate) fn without_terminal(user: &str) -> Failure {
    Failure::refused(say_of(user, SelfServiceText::NoTerminalForRecovery)).hint(say(SelfServiceText::TerminalOrJson))
}

/// The new codes replace the old ones.
pub(crate) fn renewed(user: &str) -> String {
    say_of(user, SelfServiceText::DoneRenewed)
}

/// How many codes are left, for a person.
pub(crate) fn left(left: usize, all: usize) -> String {
    let text = Phrase::from(SelfServiceText::RecoveryCodesOf).with("count", left).with("all", all.max(left));
    format!("{}\n", say(text))
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
