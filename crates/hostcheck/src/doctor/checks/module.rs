//! The file of the module, and whether it asks anybody.

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Lockout, Open, Warning},
        host::HostFacts,
        module_file::ModuleFile,
    },
    emergency::EmergencyStatus,
    messages,
};

/// Second factors that are off for a while.
pub(super) fn emergency(facts: &HostFacts) -> Option<Symptom> {
    match &facts.emergency {
        EmergencyStatus::NotInForce => None,
        EmergencyStatus::InForce(end) => Some(Symptom::new(Warning, None, messages::emergency(end))),
        EmergencyStatus::Unusable(error) => {
            Some(Symptom::of_path(Warning, &error.path, messages::unusable_emergency(error)))
        }
    }
}

pub(super) fn module(facts: &HostFacts) -> Vec<Symptom> {
    facts.modules.iter().flat_map(one).collect()
}

fn one(module: &ModuleFile) -> Vec<Symptom> {
    let ModuleFile { path, there, not_roots, fits, missing } = module;
    let symptom = |severity, text| Symptom::of_path(severity, path, text);
    if !there {
        return vec![symptom(Lockout, messages::module_missing(path))];
    }
    let writable = not_roots.as_ref().map(|(part, by)| symptom(Open, messages::module_writable(part, *by)));
    let foreign = (!fits).then(|| symptom(Lockout, messages::module_of_another_machine(path)));
    let broken = (!missing.is_empty()).then(|| symptom(Lockout, messages::libraries_missing(path, missing)));
    writable.into_iter().chain(foreign).chain(broken).collect()
}
