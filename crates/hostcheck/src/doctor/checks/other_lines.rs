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

/// Modules of other second factors, and how `twinlock import` takes theirs over.
const OTHERS: [(&str, Option<&str>); 8] = [
    ("pam_google_authenticator.so", Some("twinlock import google-authenticator --all")),
    ("pam_oath.so", Some("twinlock import oath FILE")),
    ("pam_duo.so", None),
    ("pam_yubico.so", None),
    ("pam_u2f.so", None),
    ("pam_otpw.so", None),
    ("pam_privacyidea.so", None),
    ("pam_weblogin.so", None),
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
    let known = |line: &&Line| OTHERS.iter().find(|(module, _)| *module == line.module()).map(|(_, import)| *import);
    let found = stack.into_iter().filter_map(|line| Some((line, known(&line)?)));
    let symptom = |(line, import): (&Line, _)| {
        Symptom::at(Hint, &line.place, messages::other_second_factor(line.module(), import))
    };
    found.map(symptom).collect()
}
