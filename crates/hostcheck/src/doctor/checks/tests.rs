//! The checks as a table over facts: a sound host gives nothing, and each planted fault is found where it is.

mod host;
mod installation;
mod logins;
mod people;
mod server;
mod stack;

use twinlock_store::{
    files::EMERGENCY_PATH,
    ports::{StoreError, StoreErrorKind},
};

use super::all;
use crate::{
    doctor::{
        clock::ClockState,
        finding::Severity::{self, Hint, Lockout, Open, Warning},
        host::{HostFacts, Person, fixtures::STACK},
    },
    emergency::EmergencyStatus,
};

/// The name, the severity and the place of each finding.
fn found(facts: &HostFacts) -> Vec<(&'static str, Severity, Option<String>)> {
    all(facts).into_iter().map(|finding| (finding.id, finding.severity, finding.place)).collect()
}

#[test]
fn a_sound_host_gives_nothing() {
    assert_eq!(all(&HostFacts::sound()), []);
}

#[test]
fn each_fault_is_found_where_it_is() {
    let guard = "account    required     pam_twinlock.so\n";
    let without_guard = STACK.replace(guard, "");
    let line =
        |text: &str| format!("/etc/pam.d/sshd:{}", 1 + STACK.lines().position(|line| line.starts_with(text)).unwrap());
    let optional = STACK.replace("auth       required     pam_twinlock.so", "auth       optional     pam_twinlock.so");
    let unenrolled = Person { enrolled: false, recovery_codes_left: None, ..Person::sound("bob", 1001) };
    let forged = StoreError { path: EMERGENCY_PATH.into(), kind: StoreErrorKind::Owner(1000) };
    let without_codes = Person { recovery_codes_left: Some(0), ..Person::sound("alice", 1000) };
    for (facts, id, severity, place) in [
        (HostFacts { sshd: None, ..HostFacts::sound() }, "sshd-config", Hint, None),
        (HostFacts::sound().with_setting("usepam", "no"), "use-pam", Open, None),
        (HostFacts::sound().with_stack(&without_guard), "guard", Warning, Some("/etc/pam.d/sshd".to_owned())),
        (
            HostFacts::sound().with_stack(&optional),
            "pam-control",
            Open,
            Some(line("auth       required     pam_twinlock.so")),
        ),
        (HostFacts::sound().with_config("second_factor = \"enroll\"\n"), "grace-time", Warning, None),
        (HostFacts { clock: ClockState::Off(61), ..HostFacts::sound() }, "clock", Lockout, None),
        (
            HostFacts { emergency: EmergencyStatus::InForce("05:12:03 UTC".into()), ..HostFacts::sound() },
            "emergency",
            Warning,
            None,
        ),
        (
            HostFacts { emergency: EmergencyStatus::Unusable(forged), ..HostFacts::sound() },
            "emergency",
            Warning,
            Some(EMERGENCY_PATH.to_owned()),
        ),
        (HostFacts::sound().with_people(vec![unenrolled]), "not-enrolled", Lockout, None),
        (HostFacts::sound().with_people(vec![without_codes]), "recovery-codes", Warning, None),
    ] {
        let found = found(&facts);
        assert!(found.contains(&(id, severity, place.clone())), "{id} {place:?}: {found:#?}");
    }
}
