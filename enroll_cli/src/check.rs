//! `twinlock check`: what `sshd -t` is to sshd. Reads the configuration, its rules, every file of the store, and where the
//! module stands in PAM files; changes nothing.

use std::path::Path;

use twinlock_core::{
    account::UserName,
    policy::{Rule, review},
    ports::Clock,
};
use twinlock_hostcheck::{
    messages,
    pam_files::{self, Line, Phase},
};
use twinlock_store::{
    document::line_and_column,
    host::{self, SystemClock, SystemGroups},
    ports::{ReadCredentials, StoreError},
};

use crate::{
    context::CommandContext,
    failure::Failure,
    output::{print, print_note},
};

pub(crate) fn run(config: &Path) -> Result<(), Failure> {
    let (context, text) = CommandContext::load_with_text(config)?;
    let mut found = 0usize;
    let mut report = |problem: &str, hint: &str| {
        found = found.saturating_add(1);
        print_note(&messages::problem(problem, hint));
    };
    let policy = &context.config.policy;
    let now = SystemClock.now();
    let flaws =
        review(policy, now, &SystemGroups).map_err(|error| Failure::refused(messages::names_not_looked_up(&error)))?;
    for flaw in flaws {
        let (line, _) = line_and_column(&text, flaw.rule.offset);
        let place = format!("{}:{line}", config.display());
        report(&messages::rule_problem(&place, flaw.rule.title(), &flaw.problem), &flaw.hint);
    }
    of_pam_files(policy.enrolls_in(SSHD, now), &mut report);
    for rule in policy.rules.iter().filter(|rule| rule.from.is_some()) {
        let (line, _) = line_and_column(&text, rule.offset);
        of_sources(rule, &format!("{}:{line}", config.display()), &mut report);
    }
    let mut of_store = |error: &StoreError| report(&error.to_string(), &error.hint());
    let files = match context.store.credentials.file_names() {
        Ok(files) => {
            let _ = context.store.check_identity().inspect_err(&mut of_store);
            files
        }
        Err(error) => {
            of_store(&error);
            Vec::new()
        }
    };
    for file in &files {
        match subject(file) {
            Err(problem) => {
                let name = UserName::from_file_name(file).ok();
                report(&messages::credentials_problem(file, &problem), &messages::leaver_hint(name.as_ref()));
            }
            Ok(subject) => {
                let mut of_store = |error: &StoreError| report(&error.to_string(), &error.hint());
                let _ = context.store.credentials.read(&subject).inspect_err(&mut of_store);
                let _ = context.store.states.look(&subject).inspect_err(&mut of_store);
            }
        }
    }
    let states = context.store.states.users().unwrap_or_default();
    for user in states.iter().filter(|user| !files.contains(&user.file_name())) {
        let mut of_store = |error: &StoreError| report(&error.to_string(), &error.hint());
        if let Ok(subject) = subject(&user.file_name()) {
            let _ = context.store.credentials.read(&subject).inspect_err(&mut of_store);
        }
    }
    if found > 0 {
        return Err(Failure::refused(messages::check_failed(found)));
    }
    print(&messages::check_passed(config, &context.config.store.directory, files.len()))
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

/// A rule with networks that is meant for a service whose source is not believed unless the rule names it.
fn of_sources(rule: &Rule, place: &str, report: &mut dyn FnMut(&str, &str)) {
    let means = |service: &str| rule.services.as_ref().is_none_or(|services| services.contain(service));
    for service in FROM_THE_NETWORK.into_iter().filter(|service| means(service) && !rule.trusts_source_of(service)) {
        if our_lines(service, report).iter().any(|line| line.phase == Phase::Auth) {
            let (problem, hint) = messages::unverified_source(service);
            report(&messages::rule_problem(place, rule.title(), &problem), &hint);
        }
    }
}

/// The guard belongs into sshd's file alone; and without it, what is enrolled inside a login is stored by nobody.
fn of_pam_files(enrolls: bool, report: &mut dyn FnMut(&str, &str)) {
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
        report(&problem, hint);
    }
    let sshd = our_lines(SSHD, report);
    let has = |phase| sshd.iter().any(|line| line.phase == phase);
    // Without the auth line nobody enrols, either: Twinlock is not switched on yet.
    if enrolls && has(Phase::Auth) && !has(Phase::Account) {
        let (problem, hint) = messages::ENROLMENTS_NOT_STORED;
        report(problem, hint);
    }
}

fn our_lines(service: &str, report: &mut dyn FnMut(&str, &str)) -> Vec<Line> {
    match pam_files::read_service(service) {
        Ok(lines) => lines.unwrap_or_default(),
        Err(error) => {
            report(&error.to_string(), messages::PAM_FILE_HINT);
            Vec::new()
        }
    }
}

fn subject(file: &str) -> Result<twinlock_core::account::Subject, String> {
    let name = UserName::from_file_name(file).map_err(|bad| bad.to_string())?;
    let account = host::account(&name).map_err(|error| messages::no_passwd_database(&error))?;
    account.ok_or_else(|| messages::no_account(&name))
}
