//! Where Twinlock stands in sshd's PAM stack.

use std::path::Path;

use twinlock_core::policy::SecondFactor;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Open, Warning},
        host::HostFacts,
        questions::is_condition,
    },
    pam_files::OURS,
    pam_stack::{Line, Phase},
};

/// Its file, under a name that libpam looks for.
pub(super) fn service_name(facts: &HostFacts) -> Vec<Symptom> {
    let wanted = Path::new("/etc/pam.d").join(&facts.pam.service);
    let one = |file: &std::path::PathBuf| {
        let found = format!("{} is never read: libpam looks for {}", file.display(), facts.pam.service);
        let why = "libpam looks for the name of a service in small letters, and what stands in this file does not hold";
        Symptom::new(
            Warning,
            Some(file.display().to_string()),
            found,
            why,
            format!("put its lines into {}", wanted.display()),
        )
    };
    facts.pam.misspelled.iter().map(one).collect()
}

/// Our auth line.
pub(super) fn line(facts: &HostFacts) -> Vec<Symptom> {
    let service = &facts.pam.service;
    if let Some(error) = &facts.pam.unreadable {
        let found = format!("the PAM file of {service} cannot be read: {error}");
        return vec![Symptom::new(
            Lockout,
            None,
            found,
            "libpam refuses every login then",
            "mend the file or its permissions",
        )];
    }
    let Some(file) = &facts.pam.file else {
        let found = format!("{service} has no PAM file: /etc/pam.d/other holds");
        let place = Some(format!("/etc/pam.d/{service}"));
        return vec![Symptom::new(
            Open,
            place,
            found,
            "Twinlock is not asked",
            "install the shipped file of your distribution",
        )];
    };
    if facts.pam.auth.ours.is_some() {
        return Vec::new();
    }
    let found = "there is no auth line of pam_twinlock.so";
    let fix = "add `auth required pam_twinlock.so`, as the shipped file of your distribution has it";
    vec![Symptom::new(Open, Some(file.file.display().to_string()), found, "nobody is asked for a code", fix)]
}

/// What leads past our auth line.
pub(super) fn order(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let lines =
        facts.pam.auth.bypasses.iter().filter_map(|at| stack.get(*at)).filter(|_| facts.pam.auth.ours.is_some());
    lines
        .map(|line| {
            let place = Some(line.place.to_string());
            if is_condition(line.module()) {
                let found = format!("whom `{}` means is not asked for a code", describe_line(line));
                return Symptom::new(
                    Hint,
                    place,
                    found,
                    "these accounts have one factor",
                    "nothing, if they are meant to be exempt",
                );
            }
            let found = format!(
                "`{}` ends the login or jumps past Twinlock's line when it succeeds, so no code is asked for",
                describe_line(line)
            );
            Symptom::new(Open, place, found, "the first factor alone is enough", order_mend(line))
        })
        .collect()
}

fn order_mend(line: &Line) -> String {
    match &line.included_by {
        Some(by) if line.control.eq_ignore_ascii_case("sufficient") => {
            format!(
                "write `substack` in place of `include` at {by}: what is sufficient there then ends the included part only"
            )
        }
        _ => "put Twinlock's line before it, or make it `required`, or let it jump less far".into(),
    }
}

/// A control value by which a wrong code is no refusal.
pub(super) fn control(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let Some(line) = facts.pam.auth.ours.filter(|_| facts.pam.auth.ignored_refusal).and_then(|at| stack.get(at)) else {
        return Vec::new();
    };
    let found = format!("a login can succeed though Twinlock refused it: `{}`", describe_line(line));
    let why = "a wrong code does not keep anybody out";
    vec![Symptom::new(Open, Some(line.place.to_string()), found, why, "make it `required`")]
}

/// A stack that lets nobody in.
pub(super) fn refuses(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let Some(line) = facts.pam.auth.ours.filter(|_| facts.pam.auth.refuses).and_then(|at| stack.get(at)) else {
        return Vec::new();
    };
    let found = "no login succeeds, however right the code: a line behind Twinlock's or its control value refuses all";
    let fix = "compare with the shipped file: nothing behind Twinlock's line may refuse everybody, such as pam_deny.so";
    vec![Symptom::new(Lockout, Some(line.place.to_string()), found, "nobody gets in", fix)]
}

/// Users whom Twinlock asks nothing.
pub(super) fn ignored(facts: &HostFacts) -> Vec<Symptom> {
    let stack = facts.stack(Phase::Auth);
    let answers = &facts.pam.auth;
    let Some(line) = answers.ours.filter(|_| answers.refuses_ignored && !answers.refuses).and_then(|at| stack.get(at))
    else {
        return Vec::new();
    };
    let lenient = |policy| matches!(policy, SecondFactor::Skip | SecondFactor::Optional);
    let policy = &facts.config.policy;
    let now = lenient(policy.otherwise) || policy.rules.iter().any(|rule| lenient(rule.second_factor));
    let found = "where Twinlock asks nobody, nothing else succeeds, and libpam refuses a stack without a success";
    let why = if now {
        "whoever a rule lets off, or is not enrolled where that is optional, does not get in"
    } else {
        "a rule that lets somebody off would lock them out"
    };
    let fix = "add `auth required pam_permit.so` behind Twinlock's line";
    vec![Symptom::new(if now { Lockout } else { Hint }, Some(line.place.to_string()), found, why, fix)]
}

/// Our account line.
pub(super) fn guard(facts: &HostFacts) -> Vec<Symptom> {
    let (Some(file), Some(_)) = (&facts.pam.file, facts.pam.auth.ours) else {
        return Vec::new();
    };
    let stack = facts.stack(Phase::Account);
    let answers = &facts.pam.account;
    let add = "add `account required pam_twinlock.so` before all other account lines, as the shipped file has it";
    let Some(line) = answers.ours.and_then(|at| stack.get(at)) else {
        let enrolls = facts.config.policy.enrolls_in(&facts.pam.service, facts.now);
        let (severity, why) = if enrolls {
            (
                Lockout,
                "an enrolment inside a login is kept by that line until the login has passed: without it nobody's is stored",
            )
        } else {
            (
                Warning,
                "a lost or mistyped AuthenticationMethods would turn the second factor off, and nobody would notice",
            )
        };
        let found = "there is no account line of pam_twinlock.so, the guard";
        return vec![Symptom::new(severity, Some(file.file.display().to_string()), found, why, add)];
    };
    let mut all = Vec::new();
    if answers.ignored_refusal {
        let found = format!("a login can succeed though the guard refused it: `{}`", describe_line(line));
        all.push(Symptom::new(
            Warning,
            Some(line.place.to_string()),
            found,
            "a login by key alone would pass",
            "make it `required`",
        ));
    }
    for line in answers.bypasses.iter().filter_map(|at| stack.get(*at)) {
        let place = Some(line.place.to_string());
        all.push(if exempts(line) {
            let found = format!("whom `{}` means is not looked at by the guard", describe_line(line));
            Symptom::new(Hint, place, found, "they log in by a key alone", "nothing, if they are meant to be exempt")
        } else {
            let found = format!("`{}` can end the account phase before the guard", describe_line(line));
            Symptom::new(Warning, place, found, "a login by key alone would pass there", add)
        });
    }
    all
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
