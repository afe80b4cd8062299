//! login: at the console, it asks for the password and the code of the user who logs in.

use twinlock_tests::{Launch, PASSWORD, STORE, Snapshot};

use crate::other_services::hosts::{CODE, Dialogue, PASSWORD_PROMPT, on_each_host, right_and_wrong};

const REFUSED: &str = "Login incorrect";
const SAY: &str = "echo I am $(id -un)";
const SAID: &str = "I am alice";

/// As getty starts it.
fn console() -> Dialogue {
    Dialogue::begin(Launch::new(["login", "alice"]))
}

#[test]
fn the_right_password_and_code_log_in_once() {
    on_each_host(|host| {
        let code = host.world.enrol("alice").codes().next();
        let shell = console().answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &code);
        let output = shell.answer("$ ", SAY).expect(SAID).answer("$ ", "exit").end();
        assert_eq!(output.code, Some(0), "{:?}: {output:#?}", host.family);

        let mark = host.world.log_mark();
        let shown = console().answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &code).refused_with(REFUSED);
        assert!(!shown.contains("$ "), "{:?}: {shown}", host.family);
        assert_eq!(host.reasons_since(mark), ["replayed"], "{:?}", host.family);
    });
}

#[test]
fn a_wrong_code_is_refused() {
    on_each_host(|host| {
        let (_, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let mark = host.world.log_mark();
        let shown = console().answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &wrong).refused_with(REFUSED);
        assert!(!shown.contains("$ "), "{:?}: {shown}", host.family);
        assert_eq!(host.reasons_since(mark), ["wrong-code"], "{:?}", host.family);
    });
}

#[test]
fn a_wrong_password_is_refused_before_the_code_and_charges_nobody() {
    on_each_host(|host| {
        host.world.enrol("alice");
        let store = Snapshot::of(STORE);
        let shown = console().answer(PASSWORD_PROMPT, "wrong").refused_with(REFUSED);
        assert!(!shown.contains(CODE), "{:?}: {shown}", host.family);
        assert_eq!(Snapshot::of(STORE), store, "{:?}", host.family);
    });
}

#[test]
fn who_root_has_vouched_for_is_asked_for_nothing() {
    on_each_host(|host| {
        host.world.enrol("alice");
        let shell = Dialogue::begin(Launch::new(["login", "-f", "alice"]));
        let output = shell.answer("$ ", SAY).expect(SAID).answer("$ ", "exit").end();
        assert!(output.code == Some(0) && !output.stdout.contains(CODE), "{:?}: {output:#?}", host.family);
    });
}
