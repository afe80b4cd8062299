//! Other modules in sshd's stack that do not go well together with Twinlock.

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Warning},
        host::HostFacts,
    },
    messages,
    pam_stack::{Line, Phase},
};

/// Modules of other second factors.
const OTHERS: [&str; 8] = [
    "pam_google_authenticator.so",
    "pam_oath.so",
    "pam_duo.so",
    "pam_yubico.so",
    "pam_u2f.so",
    "pam_otpw.so",
    "pam_privacyidea.so",
    "pam_weblogin.so",
];

/// What counts wrong passwords, and where it stands.
pub(super) fn faillock(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let Some(ours) = facts.pam.auth.ours else {
        return Vec::new();
    };
    let says = |line: &Line, word: &str| {
        line.module() == "pam_faillock.so" && line.arguments().iter().any(|argument| argument == word)
    };
    let mut all = Vec::new();
    for (at, line) in (0..).zip(&stack) {
        if at > ours && says(line, "authfail") {
            all.push(Symptom::at(Warning, &line.place, messages::faillock_counts_codes()));
        } else if at < ours && says(line, "authsucc") {
            all.push(Symptom::at(Warning, &line.place, messages::faillock_forgets_early()));
        }
    }
    all
}

/// Two codes for one login.
pub(super) fn other_second_factor(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    if facts.pam.auth.ours.is_none() {
        return Vec::new();
    }
    let found = stack.into_iter().filter(|line| OTHERS.contains(&line.module()));
    found.map(|line| Symptom::at(Hint, &line.place, messages::other_second_factor(line.module()))).collect()
}
