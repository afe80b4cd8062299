//! Why Twinlock may not be switched on: no administrator could log in to repair it, now or when it fails.

use twinlock_core::{
    policy::{Facts, FirstFactors, SecondFactor, Source},
    ports::Clock,
};
use twinlock_store::host::{SystemClock, SystemGroups, accounts::Account};

use super::candidate::Candidate;
use crate::{
    HostError, Installation,
    administrators::{administrators, is_enrolled, without_code},
    doctor, messages,
    shadow::{Password, Shadow},
    trial::{Objection, ObjectionKind, plan::Plan},
};

/// Everything that speaks against a plan.
pub(crate) fn objections(installation: &Installation<'_>, plan: &Plan) -> Result<Vec<Objection>, HostError> {
    let candidate = Candidate::of_plan(plan)?;
    candidate.test()?;
    let administrators = administrators()?;
    let root_may = candidate.in_force("root")?.value("permitrootlogin") == "yes";
    let enters = |account: &&Account| account.subject.uid != 0 || root_may;
    let mut objections = Vec::new();
    if !administrators.iter().filter(enters).any(|account| is_enrolled(installation, account)) {
        let (problem, hint) = messages::no_enrolled_administrator();
        objections.push(Objection { kind: ObjectionKind::NoEnrolledAdministrator, problem, hint });
    }
    if !has_break_glass(installation, &administrators, root_may)? {
        let (problem, hint) = messages::no_way_in_without_codes();
        objections.push(Objection { kind: ObjectionKind::NoBreakGlass, problem, hint });
    }
    for doctor::Finding { id, found, place, fix, .. } in diagnosed(installation, plan, &candidate)? {
        let (kind, problem, hint) = match (id, &plan.taken_over) {
            (doctor::NOT_ENROLLED, Some(module)) => {
                (ObjectionKind::Unenrolled, found, messages::import_first(module, &fix))
            }
            (doctor::NOT_ENROLLED, None) => (ObjectionKind::Unenrolled, found, fix),
            (doctor::NO_FIRST_FACTOR, _) => (ObjectionKind::NoFirstFactor, found, fix),
            _ => (ObjectionKind::Lockout, messages::lockout(id, &found, place.as_deref()), fix),
        };
        objections.push(Objection { kind, problem, hint });
    }
    Ok(objections)
}

/// What the doctor finds of the host as it would be: who would be locked out, and who would be let in.
fn diagnosed(
    installation: &Installation<'_>,
    plan: &Plan,
    candidate: &Candidate,
) -> Result<Vec<doctor::Finding>, HostError> {
    let scope = doctor::Scope { host: candidate.host(plan), ..doctor::Scope::default() };
    let mut found = doctor::findings(installation, &scope)?;
    found.retain(|finding| finding.severity < doctor::Severity::Warning || finding.id == doctor::NO_FIRST_FACTOR);
    Ok(found)
}

/// A way in for an administrator that no code can bar: the console, if its stack does not ask for one and a password
/// opens it; or sshd, if a rule spares one the code.
fn has_break_glass(
    installation: &Installation<'_>,
    administrators: &[Account],
    root_may: bool,
) -> Result<bool, HostError> {
    let console = without_code("login")?;
    let shadow = Shadow::read();
    // The passwords of a directory are not known here, so its users do not count.
    let has_password = |account: &Account| shadow.password(&account.subject.name) == Password::Hash;
    if console && administrators.iter().any(has_password) {
        return Ok(true);
    }
    let source = Source::from_rhost(None);
    for account in administrators.iter().filter(|account| account.subject.uid != 0 || root_may) {
        let facts = Facts {
            service: "sshd",
            user: Some(&account.subject.name),
            source: &source,
            first_factors: &FirstFactors::default(),
            now: SystemClock.now(),
        };
        let decision = installation.config.policy.decide(&facts, &SystemGroups);
        let decision = decision.map_err(|undecided| HostError::refused(undecided.to_string()))?;
        if decision.second_factor == SecondFactor::Skip {
            return Ok(true);
        }
    }
    Ok(false)
}
