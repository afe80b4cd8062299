//! Attack on Twinlock, 2026-11-30: second factors that were set up inside logins which were then refused.

use twinlock_tests::{Authenticator, Family, FirstFactor, Login, PASSWORD, Sshd, World, in_sshd_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A02",
        flaw: "A password alone enrolled, in a login that sshd then denied",
        origin: Some("Twinlock 0.1.0"),
        trial: Trial::Ours(a02_a_login_without_its_key_enrols_nobody),
    },
    Row {
        id: "A20",
        flaw: "A denied account was enrolled before it was denied",
        origin: Some("Twinlock 0.1.0"),
        trial: Trial::Ours(a20_a_refused_account_is_not_enrolled),
    },
];

/// Debian's host as shipped for the password and the code, where users enrol inside their logins.
fn host(world: &World) -> Sshd<'_> {
    let sshd = world.ship(Family::Debian, FirstFactor::Password);
    world.write("/etc/twinlock/config.toml", "fail_delay = \"0s\"\nsecond_factor = \"enroll\"\n");
    world.account("alice");
    sshd
}

/// Gives the password and enrols.
fn enrol(sshd: &Sshd<'_>, has_key: bool) -> Login {
    let login = sshd.login("alice");
    let mut session = if has_key { login.terminal() } else { login.without_key().terminal() };
    session.expect("Password: ");
    session.send_line(PASSWORD);
    let shown = session.expect("Enter the code that the app shows now: ");
    let key = shown.rsplit_once("by hand:\n  ").unwrap().1.split_once("  (").unwrap().0.replace(' ', "");
    session.send_line(&Authenticator::from_base32(&key).codes().next());
    let shown = session.expect("to confirm that you saved them: ");
    let code = shown.split_whitespace().find(|word| word.len() == 19 && word.matches('-').count() == 3).unwrap();
    session.send_line(code);
    session.finish()
}

fn is_enrolled(world: &World) -> bool {
    world.twinlock(&["status", "alice"]).code == Some(0)
}

fn a02_a_login_without_its_key_enrols_nobody() -> String {
    in_sshd_world(|world| {
        let sshd = host(world);
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "AuthenticationMethods keyboard-interactive,publickey\n");
        assert!(!enrol(&sshd, false).granted);
        assert!(!is_enrolled(world), "by the password alone");
        assert!(enrol(&sshd, true).granted && is_enrolled(world), "with the key");
    });
    "password alone: denied, not enrolled; then key: enrolled".into()
}

fn a20_a_refused_account_is_not_enrolled() -> String {
    const REFUSALS: [&str; 3] = ["perm_denied", "acct_expired", "auth_err"];
    in_sshd_world(|world| {
        let sshd = host(world);
        let stack = std::fs::read_to_string("/etc/pam.d/sshd").unwrap();
        for code in REFUSALS {
            let refuses = format!("@include common-account\naccount required pam_debug.so acct={code}\n");
            world.service("sshd", &stack.replace("@include common-account\n", &refuses));
            assert!(!enrol(&sshd, false).granted, "{code}");
            assert!(!is_enrolled(world), "{code}");
        }
        world.service("sshd", &stack);
        assert!(enrol(&sshd, false).granted && is_enrolled(world));
    });
    format!("{} denials after the guard: not enrolled; otherwise enrolled", REFUSALS.len())
}
