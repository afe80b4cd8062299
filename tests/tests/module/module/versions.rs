//! The package is upgraded to a later version of the same format, and put back: nothing that was used is good again, and
//! what the later version keeps in `[extra]` is still there for the day on which it comes back.

use twinlock_tests::{PamCode, Setup, State, in_world};

use crate::module::end::{granted, granted_by_recovery, login, refused_by};
use crate::module::probe;

#[test]
fn a_key_of_a_later_version_outlives_the_way_back_and_no_used_code_comes_back() {
    let later = probe::module("extra-probe");
    Setup::new().enrolled(|alice| {
        let today = std::fs::read(alice.world.module_path()).unwrap();
        let install = |module: &[u8]| std::fs::write(alice.world.module_path(), module).unwrap();
        let mut codes = alice.codes();
        let (first, second) = (codes.next(), codes.next());
        assert_eq!(login(alice, &[&first]), granted());
        assert_eq!(State::of("alice").text("extra.probe"), "");
        install(&later);
        assert_eq!(login(alice, &[&second]), granted());
        let written = State::of("alice").text("extra.probe").to_owned();
        assert_eq!(written, "written by a later version");
        install(&today);
        for code in [second, first] {
            assert_eq!(login(alice, &[&code]), refused_by("totp", "0", PamCode::AuthErr, "replayed"));
            assert_eq!(State::of("alice").text("extra.probe"), written);
        }
        assert_eq!(login(alice, &[alice.recovery_code(0)]), granted_by_recovery());
        let after = State::of("alice");
        assert_eq!((after.text("extra.probe"), after.text("recovery.ids")), (written.as_str(), "[1]"));
    });
}

#[test]
#[ignore = "checks every crate of the module once more, as a release; the test below looks at what was built"]
fn a_release_that_writes_keys_of_no_version_does_not_build() {
    probe::is_refused_in_a_release("extra-probe");
}

#[test]
fn what_ships_writes_no_key_of_no_version() {
    in_world(|world| {
        world.install();
        let module = std::fs::read(world.module_path()).unwrap();
        let probe = b"written by a later version";
        assert!(!module.windows(probe.len()).any(|window| window == probe));
    });
}
