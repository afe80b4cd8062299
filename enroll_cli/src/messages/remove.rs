//! `twinlock remove`.

use twinlock_core::{catalogue::Phrase, policy::SecondFactor};
use twinlock_service::self_service::SelfServiceText;

use crate::{
    failure::Failure,
    language::{catalogue, say, say_of},
};

/// What becomes of the user's logins without a second factor.
pub(crate) fn consequence(user: &str, otherwise: SecondFactor, has_rules: bool) -> String {
    let consequence = match otherwise {
        SecondFactor::Required => say_of(user, SelfServiceText::WithoutDenied),
        SecondFactor::Enroll => say_of(user, SelfServiceText::WithoutEnrols),
        SecondFactor::Optional | SecondFactor::Skip => logs_in(user),
    };
    if has_rules { format!("{consequence} {}", say(SelfServiceText::UnlessRule)) } else { consequence }
}

/// The same of users who may remove their own second factor.
pub(crate) fn logs_in(user: &str) -> String {
    say_of(user, SelfServiceText::WithoutLogsIn)
}

/// There is no second factor to remove.
pub(crate) fn not_enrolled(user: &str) -> Failure {
    Failure::not_enrolled(user).hint(say(SelfServiceText::NothingToRemove))
}

/// Asks for `yes`.
pub(crate) fn confirmation(user: &str, consequence: &str) -> String {
    let question =
        Phrase::from(SelfServiceText::RemoveConfirm).with("user", user).with("yes", say(SelfServiceText::Yes));
    format!("{consequence}\n{} ", say(question))
}

/// Whether an answer is `yes`, in English or in the language of the question, however its keyboard spells it.
pub(crate) fn is_yes(answer: &[u8]) -> bool {
    let [own, ascii] = [catalogue(), &catalogue().in_ascii()].map(|texts| texts.get(SelfServiceText::Yes).to_owned());
    [b"yes", own.as_bytes(), ascii.as_bytes()].contains(&answer)
}

/// The answer is not `yes`.
pub(crate) fn not_confirmed(user: &str) -> Failure {
    Failure::refused(say_of(user, SelfServiceText::NotRemoved))
        .hint(say(Phrase::from(SelfServiceText::TypeYes).with("yes", say(SelfServiceText::Yes))))
}

/// There is nobody to ask.
pub(crate) fn without_terminal(user: &str) -> Failure {
    Failure::refused(say_of(user, SelfServiceText::NoTerminalToRemove)).hint(say(SelfServiceText::RemoveUnasked))
}

/// The second factor is removed.
pub(crate) fn removed(user: &str, consequence: &str) -> String {
    format!("{} {consequence}", say_of(user, SelfServiceText::FactorRemoved))
}
