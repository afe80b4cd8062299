//! `twinlock explain`: which rule decides a login, and what that login will look like. What `sshd -T -C` is to sshd.
//! Reads, and changes nothing.

use std::{fmt::Write as _, path::Path, time::Duration};

use serde::Serialize;
use twinlock_core::{
    account::{Subject, UserName},
    module_arguments::ModuleArgument,
    policy::{Decision, Facts, FirstFactors, KeyType, SecondFactor, Source, is_sshd},
    ports::Clock,
    record::Record,
    throttle::Mode,
    time::UnixTime,
};
use twinlock_hostcheck::{
    forecast::{Codes, FactorStatus, Forecast, by_key_alone, login},
    messages::{self, Remembering},
    pam_files::{self, Line, Phase, has},
};
use twinlock_store::{
    config::{DEFAULT_PATH, place_of},
    document::line_and_column,
    host::{self, SystemClock, SystemGroups},
    ports::{ReadCredentials, StoreError},
};

use crate::{
    cli::Explain,
    context::{CommandContext, user_name},
    failure::Failure,
    output::{print, print_json},
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
    enrolled: Option<bool>,
    outcome: &'static str,
    key_alone: Option<&'static str>,
    notes: Vec<String>,
}

/// Which rule, and where it stands.
#[derive(Serialize)]
struct DecidingRule<'a> {
    number: usize,
    name: Option<&'a str>,
    file: &'a str,
    line: usize,
}

/// What is asked about.
struct LoginQuestion<'a> {
    context: &'a CommandContext,
    /// The configuration: where it is, and its text.
    file: &'a str,
    text: &'a [u8],
    arguments: &'a Explain,
    service: &'a str,
    subject: Option<&'a Subject>,
    source: Source,
    at: UnixTime,
}

pub(crate) fn run(config: &Path, arguments: &Explain) -> Result<(), Failure> {
    let (context, text) = CommandContext::load_with_text(config)?;
    let file = std::path::absolute(config).unwrap_or_else(|_| config.to_owned()).display().to_string();
    let subject = account(&arguments.user)?;
    let question = LoginQuestion {
        context: &context,
        file: &file,
        text: &text,
        arguments,
        service: &arguments.service.to_ascii_lowercase(),
        subject: subject.as_ref(),
        source: Source::from_rhost(arguments.from.as_deref()),
        at: arguments.at.unwrap_or_else(|| SystemClock.now()),
    };
    question.answer()?;
    match subject {
        Some(_) => Ok(()),
        None => Err(crate::messages::no_account(&user_name(&arguments.user)?)),
    }
}

/// Somebody who does not exist is explained as well: strangers try every name.
fn account(typed: &str) -> Result<Option<Subject>, Failure> {
    let Ok(name) = UserName::parse(typed.as_bytes()) else {
        return Ok(None);
    };
    host::account(&name).map_err(|error| Failure::refused(messages::no_passwd_database(&error)))
}

impl LoginQuestion<'_> {
    fn answer(&self) -> Result<(), Failure> {
        let mut notes = Vec::new();
        let ours = self.our_lines(&mut notes);
        self.note_unverified_source(&mut notes);
        let key_type = self.arguments.key_type;
        let decision = self.decide(&key_type.map_or_else(FirstFactors::default, FirstFactors::with_key_of))?;
        let (status, remembered) = self.status();
        let second_factor = under(&ours, Phase::Auth, decision.second_factor);
        let (outcome, means) = (login(second_factor, &status), messages::forecast(second_factor, &status));
        if outcome == Forecast::Enrolls && unguarded(&ours) {
            notes.push(messages::ENROLMENT_NOT_STORED.into());
        }
        let guard = self.guard(&decision, &ours, &status)?;
        let explained = Explained {
            user: &self.arguments.user,
            service: self.service,
            from: self.arguments.from.as_deref().filter(|from| !from.is_empty()),
            key_type: key_type.map(KeyType::name),
            at: self.at.to_string(),
            rule: self.deciding(&decision),
            second_factor: decision.second_factor.name(),
            remember: decision.remember.map(spelled),
            doubt: decision.doubt.map(|doubt| doubt.to_string()),
            enrolled: status.enrolled(),
            outcome: outcome.name(),
            key_alone: guard.as_ref().map(|(outcome, _)| outcome.name()),
            notes,
        };
        if self.arguments.json {
            return print_json(&explained);
        }
        let remembering = self.remembering(&decision, &ours, remembered).filter(|_| outcome == Forecast::Asked);
        let told = Told { otherwise: self.otherwise(), means, remembering, guard: guard.map(|(_, told)| told) };
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = describe(&mut text, &explained, &told);
        print(&text)
    }

    fn decide(&self, first_factors: &FirstFactors) -> Result<Decision<'_>, Failure> {
        let facts = Facts {
            service: self.service,
            user: self.subject.map(|subject| &subject.name),
            source: &self.source,
            first_factors,
            now: self.at,
        };
        let decision = self.context.config.policy.decide(&facts, &SystemGroups);
        decision.map_err(|undecided| Failure::refused(undecided.to_string()).hint(messages::UNDECIDED_HINT))
    }

    /// The module's lines in the service's PAM file, and what is to be said of them.
    fn our_lines(&self, notes: &mut Vec<String>) -> Vec<Line> {
        let service = self.service;
        let ours = match pam_files::read_service(service) {
            Ok(Some(ours)) => ours,
            Ok(None) => {
                notes.push(messages::service_without_file(service));
                return Vec::new();
            }
            Err(error) => {
                notes.push(messages::service_not_read(service, &error));
                return Vec::new();
            }
        };
        if !ours.iter().any(|line| line.phase == Phase::Auth) {
            notes.push(messages::service_without_auth_line(service));
        }
        for line in &ours {
            if has(line, ModuleArgument::Nullok) {
                notes.push(messages::lets_unenrolled_pass(&line.place));
            }
            if pam_files::requires_key(line) && self.arguments.key_type.is_none() {
                notes.push(messages::denies_without_key(&line.place));
            }
            let read = pam_files::value(line, ModuleArgument::Config).unwrap_or(DEFAULT_PATH);
            if read != self.file {
                notes.push(messages::reads_other_config(&line.place, read, self.file));
            }
        }
        ours
    }

    /// Says of which rules the networks are not compared with the source that this service gives.
    fn note_unverified_source(&self, notes: &mut Vec<String>) {
        let Source::Address(address) = self.source else {
            return;
        };
        for (number, rule) in (1..).zip(&self.context.config.policy.rules) {
            let means_service = rule.services.as_ref().is_none_or(|services| services.contain(self.service));
            if means_service && rule.from.is_some() && !rule.trusts_source_of(self.service) {
                notes.push(messages::source_not_compared(number, rule.title(), self.service, address));
            }
        }
    }

    /// How the user stands, and how many logins are remembered.
    fn status(&self) -> (FactorStatus, usize) {
        let Some(subject) = self.subject else {
            return (FactorStatus::Unknown, 0);
        };
        self.enrolled(subject).unwrap_or_else(|error| (FactorStatus::Unreadable(error.to_string()), 0))
    }

    fn enrolled(&self, subject: &Subject) -> Result<(FactorStatus, usize), StoreError> {
        let Some(enrolment) = self.context.store.credentials.read(subject)? else {
            return Ok((FactorStatus::NotEnrolled, 0));
        };
        let record = self.context.store.states.look(subject)?.unwrap_or_else(|| Record::new(subject));
        let codes = match record.throttle.mode(&self.context.config.limits(), self.at) {
            Mode::Normal | Mode::StepUp | Mode::Disabled if enrolment.active().next().is_none() => Codes::Suspended,
            Mode::Normal => Codes::One,
            Mode::StepUp => Codes::Two,
            Mode::Disabled => Codes::Disabled,
        };
        let remembered = record.remembered.as_ref().map_or(0, |logins| logins.current(self.at).count());
        let recovery_codes_left = record.recovery_codes_left(&enrolment);
        // Nobody is recognised while more than one code is wanted.
        let remembered = if codes == Codes::One { remembered } else { 0 };
        Ok((FactorStatus::Enrolled { codes, recovery_codes_left }, remembered))
    }

    /// What becomes of a login by key alone, of which sshd shows PAM no key, and which only the guard sees.
    fn guard(
        &self,
        decision: &Decision<'_>,
        ours: &[Line],
        status: &FactorStatus,
    ) -> Result<Option<(Forecast, String)>, Failure> {
        if !is_sshd(self.service) {
            return Ok(None);
        }
        let unseen = self.decide(&FirstFactors::default())?;
        if unguarded(ours) {
            return Ok(Some((Forecast::Passes, messages::GUARD_MISSING.to_owned())));
        }
        let outcome = by_key_alone(under(ours, Phase::Account, unseen.second_factor), status);
        let told = match outcome {
            Forecast::Passes => messages::GUARD_PASSES.to_owned(),
            Forecast::Asked | Forecast::Enrolls | Forecast::Refused => {
                messages::guard_denies(unseen.doubt, unseen.rule != decision.rule)
            }
        };
        Ok(Some((outcome, told)))
    }

    fn deciding<'d>(&'d self, decision: &Decision<'d>) -> Option<DecidingRule<'d>> {
        let rule = decision.rule?;
        let before = self.context.config.policy.rules.iter().position(|known| known.offset == rule.offset)?;
        let (line, _) = line_and_column(self.text, rule.offset);
        Some(DecidingRule { number: before.saturating_add(1), name: rule.name.as_deref(), file: self.file, line })
    }

    /// Where it stands what holds if no rule fits.
    fn otherwise(&self) -> String {
        let line = place_of(self.text, "second_factor").map(|offset| line_and_column(self.text, offset).0);
        messages::decides_otherwise(line.map(|line| (self.file, line)))
    }

    fn remembering(&self, decision: &Decision<'_>, ours: &[Line], remembered: usize) -> Option<String> {
        let span = spelled(decision.remember?);
        let which = match (self.arguments.key_type, self.source.neighbourhood()) {
            _ if ours.iter().any(|line| has(line, ModuleArgument::ForwardPass)) => Remembering::ForwardPass,
            (None, _) => Remembering::WithKey,
            (_, None) => Remembering::FromAddress,
            (_, Some(network)) => Remembering::From { network: network.to_string(), now: remembered },
        };
        Some(messages::remembering(&span, &which))
    }
}

/// What holds under the words of the PAM file.
fn under(ours: &[Line], phase: Phase, policy: SecondFactor) -> SecondFactor {
    let nullok = ours.iter().any(|line| line.phase == phase && has(line, ModuleArgument::Nullok));
    if nullok { policy.nullok() } else { policy }
}

/// Whether the PAM file asks, and has no guard.
fn unguarded(ours: &[Line]) -> bool {
    !ours.is_empty() && ours.iter().all(|line| line.phase == Phase::Auth)
}

fn spelled(span: Duration) -> String {
    humantime::format_duration(span).to_string()
}

/// What is said to people and not to programs.
struct Told {
    otherwise: String,
    means: String,
    remembering: Option<String>,
    guard: Option<String>,
}

fn describe(out: &mut String, explained: &Explained<'_>, told: &Told) -> std::fmt::Result {
    let Explained { user, service, from, key_type, at, .. } = explained;
    writeln!(out, "login:    {}", messages::explained_login(user, service, *from, *key_type, at))?;
    let rule = match &explained.rule {
        Some(DecidingRule { number, name, file, line }) => messages::deciding_rule(*number, *name, file, *line),
        None => messages::no_deciding_rule(&told.otherwise),
    };
    writeln!(out, "rule:     {rule}\npolicy:   second_factor = \"{}\"", explained.second_factor)?;
    if let Some(doubt) = &explained.doubt {
        writeln!(out, "because:  {}", messages::in_doubt(doubt))?;
    }
    writeln!(out, "outcome:  {}: {user} {}", explained.outcome, told.means)?;
    for (heading, text) in [("remember", &told.remembering), ("guard", &told.guard)] {
        if let Some(text) = text {
            writeln!(out, "{:<10}{text}", format!("{heading}:"))?;
        }
    }
    for note in &explained.notes {
        writeln!(out, "note:     {note}")?;
    }
    Ok(())
}
