//! Where Twinlock stands in sshd's PAM stack.

use twinlock_core::policy::SecondFactor;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Open, Warning},
        host::HostFacts,
        questions::is_condition,
    },
    messages,
    pam_files::OURS,
    pam_stack::{Line, Phase},
};

/// Its file, under a name that libpam looks for.
pub(super) fn service_name(facts: &HostFacts) -> Vec<Symptom> {
    let one = |file: &std::path::PathBuf| {
        Symptom::of_path(Warning, file, messages::misspelled_service(file, &facts.pam.service))
    };
    facts.pam.misspelled.iter().map(one).collect()
}

/// Our auth line.
pub(super) fn line(facts: &HostFacts) -> Option<Symptom> {
    let service = &facts.pam.service;
    if let Some(error) = &facts.pam.unreadable {
        return Some(Symptom::new(Lockout, None, messages::pam_file_unreadable(service, error)));
    }
    let (file, text) = match &facts.pam.file {
        Some(_) if facts.pam.auth.ours.is_some() => return None,
        Some(file) => (file.file.display().to_string(), messages::no_auth_line()),
        None => (format!("/etc/pam.d/{service}"), messages::no_pam_file(service)),
    };
    Some(Symptom::new(Open, Some(file), text))
}

/// What leads past our auth line.
pub(super) fn order(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let lines =
        facts.pam.auth.bypasses.iter().filter_map(|at| stack.get(*at)).filter(|_| facts.pam.auth.ours.is_some());
    let one = |line: &&Line| {
        let told = describe_line(line);
        if is_condition(line.module()) {
            return Symptom::at(Hint, &line.place, messages::exempts_from_code(&told));
        }
        let included_at = line.included_by.as_ref().filter(|_| line.control.eq_ignore_ascii_case("sufficient"));
        Symptom::at(Open, &line.place, messages::bypasses_code(&told, included_at))
    };
    lines.map(one).collect()
}

/// A control value by which an incorrect code does not deny the login.
pub(super) fn control(facts: &HostFacts) -> Option<Symptom> {
    let line = our_line(facts, facts.pam.auth.ignored_refusal)?;
    Some(Symptom::at(Open, &line.place, messages::ignores_refusal(&describe_line(line))))
}

/// A stack that lets nobody in.
pub(super) fn refuses(facts: &HostFacts) -> Option<Symptom> {
    let line = our_line(facts, facts.pam.auth.refuses)?;
    Some(Symptom::at(Lockout, &line.place, messages::denies_everybody()))
}

/// Users who are asked for no code.
pub(super) fn ignored(facts: &HostFacts) -> Option<Symptom> {
    let answers = &facts.pam.auth;
    let line = our_line(facts, answers.refuses_ignored && !answers.refuses)?;
    let lenient = |policy| matches!(policy, SecondFactor::Skip | SecondFactor::Optional);
    let policy = &facts.config.policy;
    let now = lenient(policy.otherwise) || policy.rules.iter().any(|rule| lenient(rule.second_factor));
    Some(Symptom::at(if now { Lockout } else { Hint }, &line.place, messages::denies_exempt(now)))
}

/// `sudo -i` and `su -`, which may have a PAM file of their own.
pub(super) fn login_shell(facts: &HostFacts) -> Vec<Symptom> {
    let one = |(plain, file): &(&str, std::path::PathBuf)| {
        Symptom::of_path(Warning, file, messages::shell_without_code(plain))
    };
    facts.pam.shells_without_code.iter().map(one).collect()
}

/// Our auth line, if there is one and something is wrong.
fn our_line(facts: &HostFacts, is_wrong: bool) -> Option<&Line> {
    let at = facts.pam.auth.ours.filter(|_| is_wrong)?;
    facts.stack(Phase::Auth).get(at).copied()
}

/// Our account line.
pub(super) fn guard(facts: &HostFacts) -> Vec<Symptom> {
    let (Some(file), Some(_)) = (&facts.pam.file, facts.pam.auth.ours) else {
        return Vec::new();
    };
    let stack = facts.stack(Phase::Account);
    let answers = &facts.pam.account;
    let Some(line) = answers.ours.and_then(|at| stack.get(at)) else {
        let enrolls = facts.config.policy.enrolls_in(&facts.pam.service, facts.now);
        let severity = if enrolls { Lockout } else { Warning };
        return vec![Symptom::of_path(severity, &file.file, messages::no_guard(enrolls))];
    };
    let ignored = answers
        .ignored_refusal
        .then(|| Symptom::at(Warning, &line.place, messages::ignores_guard(&describe_line(line))));
    let bypass = |line: &&Line| {
        let told = describe_line(line);
        if exempts(line) {
            Symptom::at(Hint, &line.place, messages::exempts_from_guard(&told))
        } else {
            Symptom::at(Warning, &line.place, messages::bypasses_guard(&told))
        }
    };
    let bypasses = answers.bypasses.iter().filter_map(|at| stack.get(*at)).map(bypass);
    ignored.into_iter().chain(bypasses).collect()
}

/// A condition that the administrator wrote for it, and not one that RHEL has there for the password's sake.
fn exempts(line: &Line) -> bool {
    is_condition(line.module()) && !["pam_localuser.so", "pam_usertype.so"].contains(&line.module())
}

/// A line as it is written, more or less.
fn describe_line(line: &Line) -> String {
    let control = if line.control.contains('=') { format!("[{}]", line.control) } else { line.control.clone() };
    let arguments = if line.module() == OURS { &[] } else { line.arguments() };
    let words = [line.phase.name(), &control, line.module()].into_iter().chain(arguments.iter().map(String::as_str));
    words.collect::<Vec<_>>().join(" ")
}
