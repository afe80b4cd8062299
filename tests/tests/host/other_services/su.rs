//! su: it asks for the password and the code of the account that one changes to.

use twinlock_tests::{Launch, PASSWORD, STORE, Snapshot};

use crate::other_services::hosts::{CODE, PASSWORD_PROMPT, on_each_host, ran, right_and_wrong};

const TO_BOB: [&str; 4] = ["su", "bob", "-c", "echo I am $(id -un)"];
const REFUSED: &str = "su: Authentication failure";

#[test]
fn the_password_and_the_code_of_the_target_change_to_it_once() {
    on_each_host(|host| {
        let code = host.world.enrol("bob").codes().next();
        let output = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &code).end();
        assert!(ran(&output, "I am bob"), "{:?}: {output:#?}", host.family);

        let mark = host.world.log_mark();
        let again = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &code).end();
        assert!(again.code == Some(1) && again.stdout.contains(REFUSED), "{:?}: {again:#?}", host.family);
        assert_eq!(host.reasons_since(mark), ["replayed"], "{:?}", host.family);
    });
}

#[test]
fn root_needs_the_code_of_root_and_not_ones_own() {
    on_each_host(|host| {
        let (own, roots) = (host.world.enrol("alice").codes().next(), host.world.enrol("root").codes().next());
        let to_root = ["su", "-c", "echo I am $(id -un)"];
        let refused = host.alice_runs(&to_root).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &own).end();
        assert!(refused.code == Some(1) && refused.stdout.contains(REFUSED), "{:?}: {refused:#?}", host.family);
        let output = host.alice_runs(&to_root).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &roots).end();
        assert!(ran(&output, "I am root"), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn a_wrong_code_is_refused() {
    on_each_host(|host| {
        let (_, wrong) = right_and_wrong(&host.world.enrol("bob"));
        let mark = host.world.log_mark();
        let output = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &wrong).end();
        assert!(output.code == Some(1) && output.stdout.contains(REFUSED), "{:?}: {output:#?}", host.family);
        assert_eq!(host.reasons_since(mark), ["wrong-code"], "{:?}", host.family);
    });
}

#[test]
fn a_wrong_password_is_refused_before_the_code_and_charges_nobody() {
    on_each_host(|host| {
        host.world.enrol("bob");
        let store = Snapshot::of(STORE);
        let output = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, "wrong").end();
        assert!(output.code == Some(1) && output.stdout.contains(REFUSED), "{:?}: {output:#?}", host.family);
        assert!(!output.stdout.contains(CODE), "{:?}: {output:#?}", host.family);
        assert_eq!(Snapshot::of(STORE), store, "{:?}", host.family);
    });
}

#[test]
fn a_login_shell_needs_the_code_too() {
    on_each_host(|host| {
        let (right, wrong) = right_and_wrong(&host.world.enrol("bob"));
        let shell = ["su", "-", "bob", "-c", "echo I am $(id -un)"];
        let refused = host.alice_runs(&shell).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &wrong).end();
        assert!(refused.code == Some(1) && refused.stdout.contains(REFUSED), "{:?}: {refused:#?}", host.family);
        let output = host.alice_runs(&shell).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &right).end();
        assert!(ran(&output, "I am bob"), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn root_is_asked_for_nothing_whether_the_target_is_enrolled_or_not() {
    on_each_host(|host| {
        host.world.enrol("alice");
        let store = Snapshot::of(STORE);
        for user in ["alice", "bob"] {
            for shell in [&["su", user][..], &["su", "-", user][..]] {
                let output = Launch::new([shell, &["-c", "echo I am $(id -un)"]].concat()).run();
                let expected = (Some(0), format!("I am {user}\n"));
                assert_eq!((output.code, output.stdout.clone()), expected, "{:?}: {output:#?}", host.family);
            }
        }
        assert_eq!(Snapshot::of(STORE), store, "{:?}", host.family);
    });
}

#[test]
fn a_guard_would_refuse_root() {
    on_each_host(|host| {
        host.add_guard("su");
        let mark = host.world.log_mark();
        let output = Launch::new(["su", "alice", "-c", "echo in"]).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{:?}: {output:#?}", host.family);
        assert_eq!(host.reasons_since(mark), ["bypass"], "{:?}", host.family);
    });
}
