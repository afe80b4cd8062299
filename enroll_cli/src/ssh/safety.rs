//! What speaks against switching Twinlock on: nobody who could mend it can get in, or nobody could when it fails.

use std::{collections::BTreeMap, path::Path};

use twinlock_core::{
    account::UserName,
    credentials::Enrolment,
    policy::{Facts, FirstFactors, SecondFactor, Source},
    ports::Clock,
};
use twinlock_store::{
    host::{
        SystemClock, SystemGroups,
        accounts::{self, Account},
    },
    ports::ReadCredentials,
};

use super::{plan::Plan, sshd::Candidate};
use crate::{
    cli::SshEnable,
    doctor,
    failure::Failure,
    output::note,
    pam_files::{self, Phase},
    scene::Scene,
    shadow::{Password, Shadow},
};

/// Refuses what nobody has overridden by name; that is noted.
pub(super) fn check(scene: &Scene, plan: &Plan, arguments: &SshEnable) -> Result<(), Failure> {
    for Finding { problem, hint, flag, overridden } in findings(scene, plan, arguments)? {
        if !overridden {
            return Err(Failure::refused(problem).hint(format!("{hint}; or do it all the same: {flag}")));
        }
        note(&format!("warning: {problem}"));
    }
    Ok(())
}

/// The same for who only wants to know.
pub(super) fn tell(scene: &Scene, plan: &Plan, arguments: &SshEnable) -> Result<(), Failure> {
    for Finding { problem, hint, .. } in findings(scene, plan, arguments)? {
        note(&format!("problem: {problem}\nhint: {hint}"));
    }
    Ok(())
}

struct Finding {
    problem: String,
    hint: String,
    flag: &'static str,
    overridden: bool,
}

fn findings(scene: &Scene, plan: &Plan, arguments: &SshEnable) -> Result<Vec<Finding>, Failure> {
    let candidate = Candidate::with(plan.drop_in())?;
    candidate.test()?;
    let administrators = administrators()?;
    let root_may = candidate.in_force("root")?.of("permitrootlogin") == "yes";
    let enters = |account: &&Account| account.subject.uid != 0 || root_may;
    let mut findings = Vec::new();
    if !administrators.iter().filter(enters).any(|account| is_enrolled(scene, account)) {
        findings.push(Finding {
            problem: "nobody with administrator rights is enrolled (members of sudo, wheel or admin; root only if \
                      `PermitRootLogin yes` lets it answer)"
                .into(),
            hint: "twinlock enroll NAME".into(),
            flag: "--without-enrolled-admin",
            overridden: arguments.without_enrolled_admin,
        });
    }
    if !has_break_glass(scene, &administrators, root_may)? {
        findings.push(Finding {
            problem:
                "no way in is left if codes fail: no administrator has a password for the console, whose PAM file \
                      (login) asks for no code, and no rule spares one the code"
                    .into(),
            hint: "give one a password (passwd NAME), or write a rule that spares one (docs/policy.md)".into(),
            flag: "--without-break-glass",
            overridden: arguments.without_break_glass,
        });
    }
    for doctor::Finding { id, found, place, mend, .. } in diagnosed(scene, plan, &candidate)? {
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        // Accounts without a key are named and do not stop it: many have a password for the console alone.
        let (problem, flag, overridden) = match id {
            doctor::NOT_ENROLLED => (found, "--deny-unenrolled", arguments.deny_unenrolled),
            doctor::NO_FIRST_FACTOR => (found, "", true),
            _ => (format!("{id}: {found}{place}"), "--despite-lockouts", arguments.despite_lockouts),
        };
        findings.push(Finding { problem, hint: mend, flag, overridden });
    }
    Ok(findings)
}

/// What the doctor finds of the host as it would be: who would be locked out, and who would be let in.
fn diagnosed(scene: &Scene, plan: &Plan, candidate: &Candidate) -> Result<Vec<doctor::Finding>, Failure> {
    let scope = doctor::Scope { host: candidate.host(plan.drop_in(), plan.stack()), ..doctor::Scope::default() };
    let mut found = doctor::findings(scene, &scope)?;
    found.retain(|finding| finding.severity < doctor::Severity::Warning || finding.id == doctor::NO_FIRST_FACTOR);
    Ok(found)
}

/// Warns of the accounts that are denied because they are not enrolled. It never fails: what is in place stays.
pub(super) fn warn_of_unenrolled(config: &Path) {
    let found = Scene::set(config).and_then(|scene| doctor::findings(&scene, &doctor::Scope::default()));
    match found {
        Ok(findings) => {
            for finding in findings.into_iter().filter(|finding| finding.id == doctor::NOT_ENROLLED) {
                note(&format!("warning: {}\nhint: {}", finding.found, finding.mend));
            }
        }
        Err(failure) => note(&format!("warning: cannot tell which accounts are denied: {}", failure.message())),
    }
}

/// The accounts with administrator rights that may log in at all; root is the first.
fn administrators() -> Result<Vec<Account>, Failure> {
    let failed = |error: std::io::Error| Failure::refused(format!("cannot ask the passwd database: {error}"));
    let local = accounts::of_passwd_file().map_err(failed)?;
    let mut groups = Vec::new();
    for name in accounts::ADMINISTRATORS {
        groups.extend(accounts::members(name).map_err(failed)?);
    }
    let mut known: BTreeMap<UserName, Account> = BTreeMap::new();
    for name in groups.iter().flat_map(accounts::Members::names) {
        if let Some(account) = accounts::find(&name).map_err(failed)? {
            known.insert(name, account);
        }
    }
    let is_one = |account: &Account| account.subject.uid == 0 || groups.iter().any(|group| group.contain(account));
    for account in local.into_iter().filter(is_one) {
        known.insert(account.subject.name.clone(), account);
    }
    let mut all: Vec<Account> = known.into_values().filter(Account::may_log_in).collect();
    all.sort_by_key(|account| account.subject.uid);
    Ok(all)
}

fn is_enrolled(scene: &Scene, account: &Account) -> bool {
    let found = scene.store.credentials.read(&account.subject);
    found.is_ok_and(|found| found.as_ref().is_some_and(|enrolment: &Enrolment| enrolment.active().next().is_some()))
}

/// A way in for an administrator that no code can bar: the console, if its stack does not ask for one and a password
/// opens it; or sshd, if a rule spares one the code.
fn has_break_glass(scene: &Scene, administrators: &[Account], root_may: bool) -> Result<bool, Failure> {
    let console = pam_files::of("login")
        .map_err(|error| Failure::refused(error.to_string()))?
        .is_some_and(|lines| lines.iter().all(|line| line.phase != Phase::Auth));
    let shadow = Shadow::read();
    // The passwords of a directory are not known here, so its users do not count.
    let has_password = |account: &Account| shadow.password(&account.subject.name) == Password::Hash;
    if console && administrators.iter().any(has_password) {
        return Ok(true);
    }
    let source = Source::of(None);
    for account in administrators.iter().filter(|account| account.subject.uid != 0 || root_may) {
        let facts = Facts {
            service: "sshd",
            user: Some(&account.subject.name),
            source: &source,
            first_factors: &FirstFactors::default(),
            now: SystemClock.now(),
        };
        let decision = scene.config.policy.decide(&facts, &SystemGroups);
        let decision = decision.map_err(|undecided| Failure::refused(undecided.to_string()))?;
        if decision.second_factor == SecondFactor::Skip {
            return Ok(true);
        }
    }
    Ok(false)
}
