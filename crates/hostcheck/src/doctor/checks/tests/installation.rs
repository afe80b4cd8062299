//! The module, the store, the clock and the broker.

use std::path::{Path, PathBuf};

use twinlock_store::ports::{StoreError, StoreErrorKind};

use crate::{
    doctor::{
        checks::all,
        clock::ClockState,
        finding::{
            Finding,
            Severity::{Hint, Lockout, Open, Warning},
        },
        host::{Broker, HostFacts, Labels, StoreFacts},
        module_file::ModuleFile,
    },
    messages::OtherWriter,
};

const STORE: &str = "/var/lib/twinlock";

/// The one finding.
#[track_caller]
fn only(facts: &HostFacts) -> Finding {
    let mut found = all(facts);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn with_store(store: StoreFacts) -> HostFacts {
    HostFacts { store, ..HostFacts::sound() }
}

#[test]
fn a_module_that_libpam_cannot_load_or_others_can_change_is_found() {
    let path = "/lib/security/pam_twinlock.so";
    let sound = || ModuleFile { path: path.into(), there: true, fits: true, ..ModuleFile::default() };
    let not_roots = Some((PathBuf::from("/lib/security"), OtherWriter::Owner(1001)));
    for (module, severity, found, fix) in [
        (ModuleFile { there: false, ..sound() }, Lockout, "pam_twinlock.so does not exist", "install the module"),
        (
            ModuleFile { not_roots, ..sound() },
            Open,
            "/lib/security: it belongs to uid 1001",
            "chmod go-w /lib/security",
        ),
        (ModuleFile { fits: false, ..sound() }, Lockout, "is not a library for this machine", "architecture"),
        (
            ModuleFile { missing: vec!["libpbm.so.0".into()], ..sound() },
            Lockout,
            "needs libraries that are missing: libpbm.so.0",
            "install these libraries",
        ),
    ] {
        let one = only(&HostFacts { modules: vec![module], ..HostFacts::sound() });
        assert_eq!((one.id, one.severity, one.place.as_deref()), ("module", severity, Some(path)));
        assert!(one.found.ends_with(found) && one.fix.contains(fix), "{one:#?}");
    }
}

#[test]
fn a_clock_is_judged_by_how_far_it_is_off_and_by_whether_something_keeps_it() {
    for (clock, severity) in [
        (ClockState::Unknown, Hint),
        (ClockState::OfContainersHost, Hint),
        (ClockState::Unsynchronised, Warning),
        (ClockState::Off(20), Warning),
        (ClockState::Off(45), Warning),
        (ClockState::Off(46), Lockout),
    ] {
        let one = only(&HostFacts { clock, ..HostFacts::sound() });
        assert_eq!((one.id, one.severity, one.place), ("clock", severity, None), "{clock:?}");
    }
}

#[test]
fn a_store_that_is_not_trusted_or_cannot_be_written_is_a_lockout() {
    let path = PathBuf::from("/var/lib/twinlock/state");
    let fault = StoreError { path, kind: StoreErrorKind::Missing };
    let labels = Labels::Other("/var/lib/twinlock/credentials/alice.toml".into(), "var_lib_t".into());
    for (store, id, place, found) in [
        (StoreFacts { faults: vec![fault], ..StoreFacts::default() }, "store", "/var/lib/twinlock/state", "state"),
        (StoreFacts { read_only: true, ..StoreFacts::default() }, "store", STORE, "read-only"),
        (
            StoreFacts { labels, ..StoreFacts::default() },
            "store",
            "/var/lib/twinlock/credentials/alice.toml",
            "var_lib_t",
        ),
        (StoreFacts { free_bytes: Some(0), ..StoreFacts::default() }, "store-space", STORE, "0 KiB"),
        (StoreFacts { free_files: Some(0), ..StoreFacts::default() }, "store-space", STORE, "room for 0 more files"),
        (
            StoreFacts { missing_mount: Some("/var/lib".into()), ..StoreFacts::default() },
            "store-mount",
            "/var/lib",
            "nothing is mounted",
        ),
    ] {
        let one = only(&with_store(store));
        assert_eq!((one.id, one.severity, one.place.as_deref()), (id, Lockout, Some(place)));
        assert!(one.found.contains(found), "{one:#?}");
    }
}

#[test]
fn little_room_is_a_warning_and_labels_that_cannot_be_read_are_a_hint() {
    let enough = StoreFacts { free_bytes: Some(16 << 20), free_files: Some(1000), ..StoreFacts::default() };
    assert_eq!(all(&with_store(enough)), []);
    for (store, id, severity) in [
        (StoreFacts { free_bytes: Some((16 << 20) - 1), ..StoreFacts::default() }, "store-space", Warning),
        (StoreFacts { free_files: Some(999), ..StoreFacts::default() }, "store-space", Warning),
        (StoreFacts { labels: Labels::Unknown, ..StoreFacts::default() }, "store", Hint),
    ] {
        let one = only(&with_store(store));
        assert_eq!((one.id, one.severity, one.place.as_deref()), (id, severity, Some(STORE)));
    }
}

#[test]
fn a_broker_without_its_socket_is_a_hint() {
    let path = Path::new("/run/twinlock/broker.sock");
    let fault = Broker::Fault(StoreError { path: path.into(), kind: StoreErrorKind::NotASocket });
    for (broker, place) in [(Broker::NotStarted, None), (fault, path.to_str())] {
        let one = only(&HostFacts { broker, ..HostFacts::sound() });
        assert_eq!((one.id, one.severity, one.place.as_deref()), ("broker", Hint, place));
    }
}
