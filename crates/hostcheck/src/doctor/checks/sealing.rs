//! Sealed secrets: whether they open, also after a restart, and what the seal is worth.

use twinlock_store::seal_mode::SealMode;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Warning},
        host::{HostFacts, OwnKey, SealFacts},
    },
    messages,
    seal::Protection,
};

/// What is the matter with sealed secrets.
pub(super) fn sealed(facts: &HostFacts) -> Vec<Symptom> {
    found(&facts.store.seal)
}

fn found(facts: &SealFacts) -> Vec<Symptom> {
    let Some(mode) = facts.mode else { return Vec::new() };
    let mut all = Vec::new();
    if let Some(error) = &facts.key {
        all.push(Symptom::of_path(Lockout, &error.path, messages::seal_key_missing(error.to_string(), error.hint())));
    }
    match mode {
        SealMode::On(_) if !facts.in_clear.is_empty() => {
            all.push(Symptom::new(Lockout, None, messages::in_clear_on_sealed_host(&facts.in_clear)));
        }
        SealMode::Sealing(_) => all.push(Symptom::new(Warning, None, messages::seal_interrupted("enable"))),
        SealMode::Unsealing(_) => all.push(Symptom::new(Warning, None, messages::seal_interrupted("disable"))),
        SealMode::On(_) | SealMode::Off => {}
    }
    all.extend(facts.own.into_iter().flat_map(own_key));
    all
}

fn own_key(OwnKey { protection, is_loaded_at_boot, is_swapped }: OwnKey) -> Vec<Symptom> {
    let mut all = Vec::new();
    match protection {
        None => all.push(Symptom::new(Warning, None, messages::seal_blob_missing())),
        Some(Protection::Host) => all.push(Symptom::new(Hint, None, messages::seal_by_host_key())),
        Some(Protection::Nothing) => all.push(Symptom::new(Warning, None, messages::seal_by_nothing())),
        Some(Protection::TpmAndHost | Protection::Tpm | Protection::Unknown) => {}
    }
    if !is_loaded_at_boot {
        all.push(Symptom::new(Warning, None, messages::seal_unit_not_enabled()));
    }
    if is_swapped {
        all.push(Symptom::new(Warning, None, messages::seal_key_swapped()));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use twinlock_core::{account::UserName, sealed::KeyId};
    use twinlock_store::ports::{SealErrorKind, StoreError, StoreErrorKind};

    use super::*;

    fn key() -> KeyId {
        KeyId::from_bytes([7; 8])
    }

    fn told(facts: &SealFacts) -> Vec<(crate::doctor::finding::Severity, String)> {
        found(facts).into_iter().map(|one| (one.severity, one.text.found)).collect()
    }

    #[test]
    fn nothing_is_said_where_nothing_is_sealed_or_a_tpm_protects_the_key() {
        assert_eq!(told(&SealFacts::default()), []);
        let own = OwnKey { protection: Some(Protection::TpmAndHost), is_loaded_at_boot: true, is_swapped: false };
        assert_eq!(told(&SealFacts { mode: Some(SealMode::On(key())), own: Some(own), ..SealFacts::default() }), []);
        assert_eq!(told(&SealFacts { mode: Some(SealMode::On(key())), ..SealFacts::default() }), [], "the site's key");
    }

    #[test]
    fn each_thing_that_is_the_matter_is_found() {
        let kind = StoreErrorKind::Sealed(SealErrorKind::NoKey(key()));
        let missing = SealFacts {
            mode: Some(SealMode::On(key())),
            key: Some(StoreError { path: PathBuf::from("/run/twinlock-key/k"), kind }),
            in_clear: vec![UserName::parse(b"bob").unwrap()],
            own: Some(OwnKey { protection: None, is_loaded_at_boot: false, is_swapped: true }),
        };
        let severities: Vec<_> = told(&missing).into_iter().map(|(severity, _)| severity).collect();
        assert_eq!(severities, [Lockout, Lockout, Warning, Warning, Warning]);
        for (mode, protection, severity, said) in [
            (SealMode::Sealing(key()), Protection::Tpm, Warning, "`twinlock seal enable` was interrupted"),
            (SealMode::Unsealing(key()), Protection::Tpm, Warning, "`twinlock seal disable` was interrupted"),
            (SealMode::On(key()), Protection::Host, Hint, "secrets are sealed by a key on the same disk"),
            (SealMode::On(key()), Protection::Nothing, Warning, "the key of sealed secrets is not encrypted"),
        ] {
            let own = OwnKey { protection: Some(protection), is_loaded_at_boot: true, is_swapped: false };
            let facts = SealFacts { mode: Some(mode), own: Some(own), ..SealFacts::default() };
            assert_eq!(told(&facts), [(severity, said.to_owned())]);
        }
    }
}
