//! Why Twinlock may not be enabled for sudo or su: nobody could become root to repair it, now or when codes fail.

use twinlock_core::{
    account::UserName,
    policy::{Facts, FirstFactors, SecondFactor, Source},
    ports::Clock,
};
use twinlock_store::host::{
    SystemClock, SystemGroups,
    accounts::{self, Account},
};

use crate::{
    HostError, Installation,
    administrators::{administrators, is_enrolled, without_code},
    doctor,
    host_files::Host,
    messages,
    shadow::{Password, Shadow},
    trial::{ChangedService, Objection, ObjectionKind, plan::Plan},
};

/// Findings about the service that are judged here by the accounts, or are sshd's.
const NOT_ABOUT_IT: [&str; 2] = ["sshd-config", "guard"];

/// Everything that speaks against a plan; `invoker` ran sudo to run this command.
pub(crate) fn objections(
    installation: &Installation<'_>,
    plan: &Plan,
    invoker: Option<&UserName>,
) -> Result<Vec<Objection>, HostError> {
    let service = plan.change.service;
    let shadow = Shadow::read();
    let has_password = |account: &Account| shadow.password(&account.subject.name) == Password::Hash;
    let administrators = administrators()?;
    let (roots, others): (Vec<Account>, Vec<Account>) =
        administrators.iter().cloned().partition(|account| account.subject.uid == 0);
    let asked = match service {
        ChangedService::Su => with_passwords(&has_password)?,
        ChangedService::Ssh | ChangedService::Sudo => with_invoker(others.clone(), invoker)?,
    };
    let mut denied = Vec::new();
    let mut is_exempt = false;
    for account in &asked {
        let second_factor = second_factor(installation, service, account)?;
        is_exempt |= second_factor == SecondFactor::Skip;
        if matches!(second_factor, SecondFactor::Enroll | SecondFactor::Required) && !is_enrolled(installation, account)
        {
            denied.push(account.subject.name.to_string());
        }
    }
    let mut objections = Vec::new();
    let mut object = |kind, (problem, hint): (String, String)| objections.push(Objection { kind, problem, hint });
    if service == ChangedService::Sudo && denied.len() == asked.len() {
        object(ObjectionKind::NoEnrolledAdministrator, messages::no_enrolled_sudo_user());
    }
    if !denied.is_empty() {
        object(ObjectionKind::Unenrolled, messages::denied_by(service, &denied));
    }
    let root_has_password = roots.iter().any(has_password);
    let other_way = match service {
        ChangedService::Su => others.iter().any(has_password) && without_code("sudo")?,
        ChangedService::Ssh | ChangedService::Sudo => root_has_password && without_code("su")?,
    };
    if !(is_exempt || other_way || root_has_password && without_code("login")?) {
        object(ObjectionKind::NoBreakGlass, messages::no_way_to_root_without_codes());
    }
    for file in &plan.change.files {
        let changed = plan.change.files.iter().map(|file| (file.path.path().into(), plan.text_after(file.path)));
        let host = Host { changed: changed.collect(), sshd_config: None };
        for finding in doctor::findings(installation, &doctor::Scope::of_service(file.path.name, host))? {
            let doctor::Finding { id, severity, found, place, fix, .. } = finding;
            if severity < doctor::Severity::Warning && !NOT_ABOUT_IT.contains(&id) {
                object(ObjectionKind::Lockout, (messages::lockout(id, &found, place.as_deref()), fix));
            }
        }
    }
    objections.dedup();
    Ok(objections)
}

/// Those who may use sudo, as far as that is known, with the account that has just used it.
fn with_invoker(mut known: Vec<Account>, invoker: Option<&UserName>) -> Result<Vec<Account>, HostError> {
    let is_known = |name: &UserName| known.iter().any(|account| account.subject.name == *name);
    if let Some(name) = invoker.filter(|name| !is_known(name)) {
        let found = accounts::find(name).map_err(|error| HostError::refused(messages::no_passwd_database(&error)))?;
        known.extend(found.filter(|account| account.subject.uid != 0));
    }
    Ok(known)
}

/// Those to whom one can change today by giving their password.
fn with_passwords(has_password: &impl Fn(&Account) -> bool) -> Result<Vec<Account>, HostError> {
    let local = accounts::of_passwd_file().map_err(|error| HostError::refused(messages::no_passwd_database(&error)))?;
    Ok(local.into_iter().filter(|account| account.may_log_in() && has_password(account)).collect())
}

fn second_factor(
    installation: &Installation<'_>,
    service: ChangedService,
    account: &Account,
) -> Result<SecondFactor, HostError> {
    // sudo gives PAM the host's own name.
    let source = Source::from_rhost((service == ChangedService::Sudo).then_some("localhost"));
    let facts = Facts {
        service: service.verb(),
        user: Some(&account.subject.name),
        source: &source,
        first_factors: &FirstFactors::default(),
        now: SystemClock.now(),
    };
    let decision = installation.config.policy.decide(&facts, &SystemGroups);
    Ok(decision.map_err(|undecided| HostError::refused(undecided.to_string()))?.second_factor)
}
