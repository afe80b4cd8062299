//! `twinlock check`: what `sshd -t` is to sshd. Reads the configuration, its rules, every file of the store, and where the
//! module stands in PAM files; changes nothing.

use std::path::Path;

use nix::unistd::{AccessFlags, access};
use serde::Serialize;
use twinlock_core::{
    account::{Subject, UserName},
    help_desk::HelpDesk,
    policy::{Grade, Groups as _, Rule, review},
    ports::Clock,
};
use twinlock_hostcheck::{
    messages,
    pam_files::{self, Line, Phase},
};
use twinlock_service::self_service::all_texts;
use twinlock_store::{
    document::line_and_column,
    files::load_catalogue,
    host::{self, SystemClock, SystemGroups},
    ports::{ReadCredentials, StoreError, WriteCredentials as _},
};

use crate::{
    cli::Check,
    context::CommandContext,
    failure::Failure,
    output::{print, print_json, print_note},
};

pub(crate) fn run(config: &Path, arguments: &Check) -> Result<(), Failure> {
    let config = arguments.config_only.as_deref().unwrap_or(config);
    let (context, text) = CommandContext::load_with_text(config)?;
    let mut report = GradedFindings::default();
    of_rules(&context, config, &text, &mut report)?;
    of_help_desk(&context, config, &mut report)?;
    of_mail(&context, config, &mut report);
    of_catalogue(&context, config, &mut report);
    let passed = if arguments.config_only.is_some() {
        messages::config_check_passed(config)
    } else {
        of_guards(context.config.policy.enrolls_in(SSHD, SystemClock.now()), &mut report);
        of_sources(&context, config, &text, &mut report);
        of_services(&context, config, &text, &mut report);
        let users = of_store(&context, &mut report);
        messages::check_passed(config, &context.config.store.directory, users)
    };
    let (errors, warnings) = (report.count(Grade::Error), report.count(Grade::Warning));
    if arguments.json {
        print_json(&report.0)?;
    } else if report.0.is_empty() {
        print(&passed)?;
    } else {
        for GradedFinding { grade, found, hint } in &report.0 {
            print_note(&messages::graded(grade, found, hint));
        }
    }
    let summary = messages::check_summary(errors, warnings);
    match (errors, warnings) {
        (0, 0) => Ok(()),
        (0, _) if arguments.strict => Err(Failure::warnings_only(summary)),
        (0, _) => {
            print_note(&summary);
            Ok(())
        }
        (_, _) => Err(Failure::refused(summary)),
    }
}

/// What was found, in the order in which it is said.
#[derive(Default)]
struct GradedFindings(Vec<GradedFinding>);

/// One thing, as JSON has it.
#[derive(Serialize)]
struct GradedFinding {
    grade: &'static str,
    found: String,
    hint: String,
}

impl GradedFindings {
    fn add(&mut self, grade: Grade, found: impl Into<String>, hint: impl Into<String>) {
        self.0.push(GradedFinding { grade: grade.name(), found: found.into(), hint: hint.into() });
    }

    fn add_error_of_store(&mut self, error: &StoreError) {
        self.add(Grade::Error, error.to_string(), error.hint());
    }

    fn count(&self, grade: Grade) -> usize {
        self.0.iter().filter(|found| found.grade == grade.name()).count()
    }
}

/// Rules that never decide anything, or not here and today.
fn of_rules(context: &CommandContext, config: &Path, text: &[u8], report: &mut GradedFindings) -> Result<(), Failure> {
    let flaws = review(&context.config.policy, SystemClock.now(), &SystemGroups)
        .map_err(|error| Failure::refused(messages::names_not_looked_up(&error)))?;
    for flaw in flaws {
        let place = place_of(flaw.rule, config, text);
        report.add(flaw.grade, messages::rule_problem(&place, flaw.rule.title(), &flaw.problem), flaw.hint);
    }
    Ok(())
}

fn place_of(rule: &Rule, config: &Path, text: &[u8]) -> String {
    let (line, _) = line_and_column(text, rule.offset);
    format!("{}:{line}", config.display())
}

/// Groups of the help desk that the host lacks.
fn of_help_desk(context: &CommandContext, config: &Path, report: &mut GradedFindings) -> Result<(), Failure> {
    let HelpDesk { group, protected_groups } = &context.config.help_desk;
    for group in Some(group).filter(|group| !group.is_empty()).into_iter().chain(protected_groups) {
        let members = SystemGroups.members(group);
        if members.map_err(|error| Failure::refused(messages::names_not_looked_up(&error)))?.is_none() {
            let (found, hint) = messages::help_desk_without_group(config, group);
            report.add(Grade::Warning, found, hint);
        }
    }
    Ok(())
}

/// Mails that nothing sends: the change is made, and its owner does not hear of it.
fn of_mail(context: &CommandContext, config: &Path, report: &mut GradedFindings) {
    let notify = &context.config.notify;
    if !notify.mail {
        return;
    }
    if let Err(error) = access(&notify.sendmail, AccessFlags::X_OK) {
        let (found, hint) = messages::no_sendmail(config, &notify.sendmail, &error);
        report.add(Grade::Warning, found, hint);
    }
}

/// The texts of the language that is set: what is wrong with them is said in English.
fn of_catalogue(context: &CommandContext, config: &Path, report: &mut GradedFindings) {
    let language = context.config.language.as_str();
    match load_catalogue(&context.config.language) {
        Ok(catalogue) => {
            // English needs none.
            let flaws = if context.config.language.is_english() { Vec::new() } else { catalogue.flaws(&all_texts()) };
            if !flaws.is_empty() {
                let (found, hint) = messages::incomplete_catalogue(config, language, &flaws);
                report.add(Grade::Warning, found, hint);
            }
        }
        Err(error) => {
            let (found, hint) = messages::no_catalogue(config, language, &error);
            report.add(Grade::Warning, found, hint);
        }
    }
}

/// Every file of the store. How many users it has.
fn of_store(context: &CommandContext, report: &mut GradedFindings) -> usize {
    let files = match context.store.credentials.file_names() {
        Ok(files) => {
            let _ = context.store.check_identity().inspect_err(|error| report.add_error_of_store(error));
            files
        }
        Err(error) => {
            report.add_error_of_store(&error);
            Vec::new()
        }
    };
    for file in &files {
        if let Ok(name) = UserName::from_file_name(file) {
            of_user(context, name, report);
        } else {
            let problem = messages::credentials_problem(file, messages::NAME_OF_NO_USER);
            report.add(Grade::Error, problem, messages::leaver_hint(None));
        }
    }
    let states = context.store.states.users().unwrap_or_default();
    for user in states.into_iter().filter(|user| !files.contains(&user.file_name())) {
        if let Ok(Some(subject)) = host::account(&user) {
            let read = context.store.credentials.read(&subject);
            let _ = read.inspect_err(|error| report.add_error_of_store(error));
        }
    }
    files.len()
}

/// The files of one user who is enrolled.
fn of_user(context: &CommandContext, name: UserName, report: &mut GradedFindings) {
    match host::account(&name) {
        Ok(Some(subject)) => {
            let read = context.store.credentials.read(&subject);
            let _ = read.inspect_err(|error| report.add_error_of_store(error));
            let look = context.store.states.look(&subject);
            let _ = look.inspect_err(|error| report.add_error_of_store(error));
        }
        Ok(None) => of_leaver(context, name, report),
        Err(error) => {
            let problem = messages::credentials_problem(&name.file_name(), &messages::no_passwd_database(&error));
            report.add(Grade::Error, problem, messages::PASSWD_HINT);
        }
    }
}

/// A record without an account. An account that has another name now is refused until something is done.
fn of_leaver(context: &CommandContext, name: UserName, report: &mut GradedFindings) {
    let problem = messages::credentials_problem(&name.file_name(), &messages::no_account(&name));
    let hint = messages::leaver_hint(Some(&name));
    let held = context.store.credentials.read_any_uid(&Subject { name, uid: 0 });
    let uid = held.ok().flatten().and_then(|enrolment| enrolment.uid);
    let was_renamed = uid.is_some_and(|uid| !matches!(host::account_of(uid), Ok(None)));
    report.add(if was_renamed { Grade::Error } else { Grade::Warning }, problem, hint);
}

/// Services whose account phase runs without the auth phase: always, or where root or a ticket spares the question.
const WITHOUT_AUTH: [&str; 11] =
    ["atd", "cron", "crond", "polkit-1", "runuser", "runuser-l", "su", "su-l", "sudo", "sudo-i", "systemd-user"];

const SSHD: &str = "sshd";

/// Services whose daemons tell PAM where a login comes from, some of them by a name that they do not check.
const FROM_THE_NETWORK: [&str; 15] = [
    "cockpit",
    "dovecot",
    "ftp",
    "imap",
    "netatalk",
    "openvpn",
    "pop3",
    "proftpd",
    "pure-ftpd",
    "remote",
    "rlogin",
    "rsh",
    "smtp",
    "vsftpd",
    "xrdp-sesman",
];

/// Rules with networks that are meant for a service whose source is not believed unless the rule names it.
fn of_sources(context: &CommandContext, config: &Path, text: &[u8], report: &mut GradedFindings) {
    for rule in context.config.policy.rules.iter().filter(|rule| rule.from.is_some()) {
        let means = |service: &str| rule.services.as_ref().is_none_or(|services| services.contain(service));
        for service in FROM_THE_NETWORK.into_iter().filter(|service| means(service) && !rule.trusts_source_of(service))
        {
            if our_lines(service, report).iter().any(|line| line.phase == Phase::Auth) {
                let (problem, hint) = messages::unverified_source(service);
                let place = place_of(rule, config, text);
                report.add(Grade::Error, messages::rule_problem(&place, rule.title(), &problem), hint);
            }
        }
    }
}

/// Rules for services that this host lacks, where it has one of almost the same name. A service that it lacks altogether may be
/// another host's, with which the configuration is shared.
fn of_services(context: &CommandContext, config: &Path, text: &[u8], report: &mut GradedFindings) {
    let known = pam_files::services();
    for rule in &context.config.policy.rules {
        let named = rule.services.iter().flat_map(|services| services.wanted.iter().chain(&services.unwanted));
        for service in named.filter(|service| !known.contains(*service)) {
            if let Some(similar) = known.iter().find(|other| differs_by_its_last_letter(service, other)) {
                let (problem, hint) = messages::misspelled_service_of_rule(service, similar);
                let place = place_of(rule, config, text);
                report.add(Grade::Warning, messages::rule_problem(&place, rule.title(), &problem), hint);
            }
        }
    }
}

/// As `ssh` and `sshd`, `crond` and `cron`.
fn differs_by_its_last_letter(one: &str, other: &str) -> bool {
    let is_longer = |short: &str, long: &str| long.strip_prefix(short).is_some_and(|rest| rest.chars().count() == 1);
    is_longer(one, other) || is_longer(other, one)
}

/// The guard belongs into sshd's file alone; and without it, what is enrolled inside a login is stored by nobody.
fn of_guards(enrolls: bool, report: &mut GradedFindings) {
    let mut misplaced: Vec<(String, Vec<&str>)> = Vec::new();
    for service in WITHOUT_AUTH {
        for line in our_lines(service, report).into_iter().filter(|line| line.phase == Phase::Account) {
            let place = line.place.to_string();
            match misplaced.iter_mut().find(|(known, _)| *known == place) {
                Some((_, services)) if services.last() == Some(&service) => {}
                Some((_, services)) => services.push(service),
                None => misplaced.push((place, vec![service])),
            }
        }
    }
    for (place, services) in misplaced {
        let (problem, hint) = messages::misplaced_guard(&place, &services);
        report.add(Grade::Error, problem, hint);
    }
    let sshd = our_lines(SSHD, report);
    let has = |phase| sshd.iter().any(|line| line.phase == phase);
    // Without the auth line nobody enrols, either: Twinlock is not switched on yet.
    if enrolls && has(Phase::Auth) && !has(Phase::Account) {
        let (problem, hint) = messages::ENROLMENTS_NOT_STORED;
        report.add(Grade::Error, problem, hint);
    }
}

fn our_lines(service: &str, report: &mut GradedFindings) -> Vec<Line> {
    match pam_files::read_service(service) {
        Ok(lines) => lines.unwrap_or_default(),
        Err(error) => {
            report.add(Grade::Error, error.to_string(), messages::PAM_FILE_HINT);
            Vec::new()
        }
    }
}
