//! `twinlock explain`: which rule decides a login, and what that login will look like. What `sshd -T -C` is to sshd.

use std::{fmt::Write as _, path::Path};

use serde::Serialize;
use twinlock_core::{
    account::{Subject, UserName},
    config::line_and_column,
    host::{self, SystemClock, SystemGroups},
    policy::{Decision, Facts, FirstFactors, Policy, SecondFactor, Source},
    ports::{Clock, ReadCredentials},
    time::UnixTime,
};

use crate::{
    cli::Explain,
    failure::Failure,
    output::{print, print_json},
    scene::Scene,
};

/// What `--json` prints. The names are stable.
#[derive(Serialize)]
struct Explained<'a> {
    user: &'a str,
    service: &'a str,
    from: Option<&'a str>,
    key_type: Option<&'static str>,
    at: String,
    rule: Option<DecidingRule<'a>>,
    second_factor: &'static str,
    remember: Option<String>,
    doubt: Option<String>,
    enrolled: bool,
    outcome: &'static str,
}

/// Which rule, and where it stands.
#[derive(Serialize)]
struct DecidingRule<'a> {
    number: usize,
    name: Option<&'a str>,
    file: String,
    line: usize,
}

/// How a login will go, as far as policy decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passes,
    Asked,
    Enrolls,
    Refused,
}

pub(crate) fn run(config: &Path, arguments: &Explain) -> Result<(), Failure> {
    let (scene, text) = Scene::set_with_text(config)?;
    let file = std::path::absolute(config).unwrap_or_else(|_| config.to_owned()).display().to_string();
    let subject = account(&arguments.user)?;
    let now = arguments.at.unwrap_or_else(|| SystemClock.now());
    let source = Source::of(arguments.from.as_deref());
    let first_factors = arguments.key_type.map_or_else(FirstFactors::default, FirstFactors::with_key_of);
    let service = arguments.service.to_ascii_lowercase();
    let user = subject.as_ref().map(|subject| &subject.name);
    let facts = Facts { service: &service, user, source: &source, first_factors: &first_factors, now };
    let policy = &scene.config.policy;
    let decision = policy
        .decide(&facts, &SystemGroups)
        .map_err(|undecided| Failure::refused(undecided.to_string()).hint(DENIED))?;
    let enrolled = match &subject {
        Some(subject) => scene.store.credentials.read(subject)?.is_some(),
        None => false,
    };
    let explained = Explained {
        user: &arguments.user,
        service: &service,
        from: arguments.from.as_deref(),
        key_type: arguments.key_type.map(|key_type| key_type.name()),
        at: now.to_string(),
        rule: deciding(policy, &decision, &file, &text),
        second_factor: decision.second_factor.name(),
        remember: decision.remember.map(|span| humantime::format_duration(span).to_string()),
        doubt: decision.doubt.map(|doubt| doubt.to_string()),
        enrolled,
        outcome: outcome(&decision, subject.as_ref(), enrolled).name(),
    };
    if arguments.json {
        return print_json(&explained);
    }
    print(&described(&explained, outcome(&decision, subject.as_ref(), enrolled), &scene, subject.is_some(), &file))
}

const DENIED: &str = "such a login is refused until the group database answers again (getent group NAME)";

/// Somebody who does not exist is explained as well: strangers try every name.
fn account(typed: &str) -> Result<Option<Subject>, Failure> {
    let Ok(name) = UserName::parse(typed.as_bytes()) else {
        return Ok(None);
    };
    host::account(&name).map_err(|error| Failure::refused(format!("cannot ask the passwd database: {error}")))
}

fn deciding<'p>(policy: &'p Policy, decision: &Decision<'p>, file: &str, text: &[u8]) -> Option<DecidingRule<'p>> {
    let rule = decision.rule?;
    let before = policy.rules.iter().position(|known| known.offset == rule.offset)?;
    let (line, _) = line_and_column(text, rule.offset);
    Some(DecidingRule { number: before.saturating_add(1), name: rule.name.as_deref(), file: file.to_owned(), line })
}

const fn outcome(decision: &Decision<'_>, subject: Option<&Subject>, enrolled: bool) -> Outcome {
    match (decision.second_factor, subject.is_some(), enrolled) {
        (SecondFactor::Skip, ..) | (SecondFactor::Optional, true, false) => Outcome::Passes,
        (SecondFactor::Optional | SecondFactor::Enroll | SecondFactor::Required, true, true) => Outcome::Asked,
        (SecondFactor::Enroll, true, false) => Outcome::Enrolls,
        (SecondFactor::Required, true, false)
        | (SecondFactor::Optional | SecondFactor::Enroll | SecondFactor::Required, false, _) => Outcome::Refused,
    }
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Asked => "asked",
            Self::Enrolls => "enrolls",
            Self::Refused => "refused",
        }
    }
}

fn described(explained: &Explained<'_>, outcome: Outcome, scene: &Scene, known: bool, file: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = describe(&mut text, explained, outcome, scene, known, file);
    text
}

fn describe(
    out: &mut String,
    explained: &Explained<'_>,
    outcome: Outcome,
    scene: &Scene,
    known: bool,
    file: &str,
) -> std::fmt::Result {
    let Explained { user, service, at, .. } = explained;
    let from = explained.from.unwrap_or("this host");
    let key = explained.key_type.map_or("no key that sshd tells of".to_owned(), |name| format!("a key {name}"));
    writeln!(out, "login:    {user} by {service} from {from}, with {key}, at {at}")?;
    match &explained.rule {
        Some(rule) => {
            let name = rule.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
            writeln!(out, "rule:     {}{name}, {}:{}", rule.number, rule.file, rule.line)?;
        }
        None => writeln!(out, "rule:     none fits; second_factor of {file} holds")?,
    }
    writeln!(out, "says:     second_factor = \"{}\"", explained.second_factor)?;
    if let Some(doubt) = &explained.doubt {
        writeln!(out, "because:  {doubt}; the strictest of what the rules could mean holds")?;
    }
    let means = match (outcome, known) {
        (Outcome::Passes, true) => "not asked for a code; the first factor decides".to_owned(),
        (Outcome::Passes, false) => {
            "not asked for a code; there is no such account, so the first factor refuses".into()
        }
        (Outcome::Asked, _) => format!("{user} is enrolled and is asked for a code: {:?}", scene.config.prompt),
        (Outcome::Enrolls, _) => format!("{user} is not enrolled and enrols inside the login, after the first factor"),
        (Outcome::Refused, true) => {
            format!("{user} is not enrolled, is asked like everybody and refused whatever the answer is")
        }
        (Outcome::Refused, false) => "there is no such account; it is asked like everybody and refused".into(),
    };
    writeln!(out, "outcome:  {}: {means}", outcome.name())?;
    if let Some(remember) = &explained.remember {
        writeln!(out, "remember: {remember} for the same key from the same network, once a code was given")?;
    }
    if outcome != Outcome::Passes && explained.service == "sshd" {
        writeln!(out, "guard:    a login by key alone, which asks nothing, is refused")?;
    }
    Ok(())
}

/// A day (its noon, so that no time zone makes another of it) or a time.
pub(crate) fn point_in_time(text: &str) -> Result<UnixTime, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T12:00:00Z") };
    UnixTime::parse(&whole)
        .map_err(|_| "a day such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z, is wanted".into())
}
