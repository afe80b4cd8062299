//! The file of the module.

use super::Symptom;
use crate::doctor::{
    finding::Severity::{Lockout, Open},
    host::HostFacts,
    module_file::ModuleFile,
};

pub(super) fn module(facts: &HostFacts) -> Vec<Symptom> {
    facts.modules.iter().flat_map(one).collect()
}

fn one(module: &ModuleFile) -> Vec<Symptom> {
    let path = module.path.display();
    let place = Some(path.to_string());
    let refused = "libpam cannot load the module, and then refuses every login";
    if !module.there {
        let found = format!("{path} is not there");
        return vec![Symptom::new(
            Lockout,
            place,
            found,
            refused,
            "install the module, or mend the path in the PAM file",
        )];
    }
    let mut all = Vec::new();
    if let Some((part, who)) = &module.not_roots {
        let found = format!("{}: {who}", part.display());
        let fix = format!("`chown root: {0}` and `chmod go-w {0}`", part.display());
        all.push(Symptom::new(Open, place.clone(), found, "whoever writes it runs as root at the next login", fix));
    }
    if !module.fits {
        let found = format!("{path} is not a library for this machine");
        all.push(Symptom::new(Lockout, place.clone(), found, refused, "install the one that was built for it"));
    }
    if !module.missing.is_empty() {
        let found = format!("{path} needs what is not there: {}", module.missing.join(", "));
        all.push(Symptom::new(Lockout, place, found, refused, "install these libraries"));
    }
    all
}
