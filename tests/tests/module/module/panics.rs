//! A panic inside the module: it denies, it is logged, and the host lives on and hears nothing.
//!
//! A test of another build than the one that ships, which refuses to be built with the feature.

use std::sync::OnceLock;

use twinlock_tests::{Operation, PamCode, Setup, in_world};

use crate::module::end::{granted, run};
use crate::module::probe;

/// The module with the probe.
fn with_probe() -> &'static [u8] {
    static BUILT: OnceLock<Vec<u8>> = OnceLock::new();
    BUILT.get_or_init(|| probe::module("panic-probe"))
}

#[test]
fn a_panic_is_a_system_error_and_one_line_in_the_log() {
    let module = with_probe();
    Setup::new().enrolled(|alice| {
        std::fs::write(alice.world.module_path(), module).unwrap();
        let stack = "auth required pam_twinlock.so\naccount required pam_twinlock.so\nauth required pam_permit.so\n";
        alice.world.service("twinlock-panic", stack);
        let attempt = twinlock_tests::Attempt::new("twinlock-panic").user("alice").answer(alice.codes().next());
        let operations = [Operation::Authenticate, Operation::Authenticate, Operation::AcctMgmt];
        let mark = alice.world.log_mark();
        let outcome = attempt.operations(operations).run(alice.world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [PamCode::SystemErr, PamCode::SystemErr, PamCode::PermDenied]);
        assert_eq!((outcome.signal(), outcome.output.stdout.as_str(), outcome.output.stderr.as_str()), (None, "", ""));
        assert_eq!(outcome.before, outcome.after);
        let texts: Vec<_> = alice.world.entries_since(mark).into_iter().map(|entry| entry.text).collect();
        let line = "result=refused reason=internal user=- method=- authenticator=- service=twinlock-panic rhost=- failures=- \
             detail=\"a bug in pam_twinlock.so stopped this attempt; please report it\"";
        assert_eq!(&texts[..2], [line, line]);
        assert!(texts.len() == 3 && texts[2].contains("reason=bypass user=alice"), "{texts:?}");
    });
}

#[test]
fn the_probe_answers_to_its_own_service_alone() {
    let module = with_probe();
    Setup::new().enrolled(|alice| {
        std::fs::write(alice.world.module_path(), module).unwrap();
        assert_eq!(run(alice.world, alice.attempt().answer(alice.codes().next())).1, granted());
    });
}

#[test]
#[ignore = "checks every crate of the module once more, as a release; what_ships_has_no_probe looks at what was built"]
fn a_release_with_the_probe_does_not_build() {
    probe::is_refused_in_a_release("panic-probe");
}

#[test]
fn what_ships_has_no_probe() {
    in_world(|world| {
        world.install();
        let module = std::fs::read(world.module_path()).unwrap();
        let probe = b"twinlock-panic";
        assert!(!module.windows(probe.len()).any(|window| window == probe));
    });
}
