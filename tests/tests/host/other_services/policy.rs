//! Users who are not enrolled: refused where a second factor is required, and let in by the password where it is optional.

use twinlock_tests::{Launch, PASSWORD};

use crate::other_services::hosts::{CODE, Dialogue, Host, PASSWORD_PROMPT, SUDO_PASSWORD, on_each_host, ran};

const AS_ROOT: [&str; 4] = ["sudo", "sh", "-c", "echo ran as $(id -u)"];
const TO_BOB: [&str; 4] = ["su", "bob", "-c", "echo I am $(id -un)"];

fn console() -> Dialogue {
    Dialogue::begin(Launch::new(["login", "alice"]))
}

#[test]
fn under_required_who_is_not_enrolled_is_refused_everywhere() {
    on_each_host(|host| {
        let mark = host.world.log_mark();
        let sudo = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, "123456");
        assert!(!sudo.refused_with("Sorry, try again.").contains("ran as 0"), "{:?}", host.family);
        let su = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, "123456").end();
        assert!(su.code == Some(1) && !su.stdout.contains("I am bob"), "{:?}: {su:#?}", host.family);
        let login = console().answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, "123456").refused_with("Login incorrect");
        assert!(!login.contains("$ "), "{:?}: {login}", host.family);
        assert_eq!(host.reasons_since(mark), ["not-enrolled"; 3], "{:?}", host.family);
    });
}

/// Everybody gets in by the password, and nobody without it.
fn the_password_decides(host: &Host<'_>) {
    let sudo = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).end();
    assert!(ran(&sudo, "ran as 0") && !sudo.stdout.contains(CODE), "{:?}: {sudo:#?}", host.family);
    let su = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, PASSWORD).end();
    assert!(ran(&su, "I am bob") && !su.stdout.contains(CODE), "{:?}: {su:#?}", host.family);
    let login = console().answer(PASSWORD_PROMPT, PASSWORD).answer("$ ", "exit").end();
    assert!(login.code == Some(0) && !login.stdout.contains(CODE), "{:?}: {login:#?}", host.family);

    let su = host.alice_runs(&TO_BOB).answer(PASSWORD_PROMPT, "wrong").end();
    assert!(su.code == Some(1) && !su.stdout.contains("I am bob"), "{:?}: {su:#?}", host.family);
}

#[test]
fn under_optional_who_is_not_enrolled_gets_in_by_the_password() {
    on_each_host(|host| {
        host.configure("second_factor = \"optional\"\n");
        the_password_decides(host);
    });
}

#[test]
fn under_skip_who_is_enrolled_gets_in_by_the_password() {
    on_each_host(|host| {
        host.world.enrol("alice");
        host.world.enrol("bob");
        host.configure("second_factor = \"skip\"\n");
        the_password_decides(host);
    });
}
