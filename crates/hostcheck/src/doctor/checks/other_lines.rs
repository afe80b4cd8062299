//! Other modules in sshd's stack that do not go well together with Twinlock.

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Warning},
        host::HostFacts,
    },
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
        let place = Some(line.place.to_string());
        if at > ours && says(line, "authfail") {
            let found = "pam_faillock counts failures behind Twinlock's line";
            let why = "a wrong code counts as a wrong password, and locks the account";
            let fix = "put `authfail` right behind the password's module, before Twinlock's line, which has a count of its own";
            all.push(Symptom::new(Warning, place, found, why, fix));
        } else if at < ours && says(line, "authsucc") {
            let found = "pam_faillock forgets the failures before Twinlock's line";
            let why = "a right password clears the count of an account whose code was never right";
            all.push(Symptom::new(Warning, place, found, why, "put `authsucc` behind Twinlock's line"));
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
    found
        .map(|(line, import)| {
            let told = format!("{} asks for a second factor, too", line.module());
            let fix = match import {
                Some(import) => format!("`{import}` takes over what users have; then take the line out"),
                None => "take the line out, or leave it if both are wanted".to_owned(),
            };
            Symptom::new(Hint, Some(line.place.to_string()), told, "people are asked twice", fix)
        })
        .collect()
}
