//! The filter of fail2ban, by its own `fail2ban-regex`, on lines that the module wrote.

use std::fs;

use twinlock_tests::{Attempt, World, in_sshd_world, in_world};

use crate::packages::built::{Folder, has, text};

const ADDRESS: &str = "198.51.100.7";

/// Every line of the world's log as rsyslog writes it.
fn lines(world: &World) -> String {
    let lines: Vec<_> = world.log().iter().map(|line| format!("Nov 24 13:00:00 world {line}\n")).collect();
    lines.concat()
}

/// The addresses that fail2ban would count, one for each line that it takes.
fn counted(log: &str) -> Vec<String> {
    let folder = Folder::new(&format!("fail2ban-{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    with_ours(&folder);
    let file = folder.0.join("log");
    fs::write(&file, log).unwrap();
    let found = text("fail2ban-regex", &["--config", folder.text(), "--out", "ip", file.to_str().unwrap(), "twinlock"]);
    found.lines().map(str::to_owned).collect()
}

/// The settings of fail2ban as they are on this host, with ours copied beside them.
fn with_ours(folder: &Folder) {
    text("cp", &["-r", "/etc/fail2ban/.", folder.text()]);
    text("cp", &["-r", "packaging/fail2ban/.", folder.text()]);
}

/// What the module logs about one answer of alice.
fn log_of(rhost: &str, answers: impl FnOnce(&World) -> Vec<String> + Send) -> String {
    let mut log = String::new();
    in_world(|world| {
        world.account("alice");
        world.service("sshd", "auth required pam_twinlock.so\n");
        world.write("/etc/twinlock/config.toml", "fail_delay = \"0s\"\n");
        for answer in answers(world) {
            Attempt::new("sshd").user("alice").rhost(rhost).answer(&answer).run(world);
        }
        log = lines(world);
    });
    log
}

#[test]
fn guesses_are_counted_whatever_their_kind() {
    if !has("fail2ban-regex") {
        return;
    }
    let log = log_of(ADDRESS, |world| {
        let alice = world.enrol("alice");
        let (right, wrong) = (alice.codes().next(), alice.authenticator.wrong_code());
        vec![right.clone(), right, wrong.clone(), wrong.clone(), wrong]
    });
    for reason in ["replayed", "wrong-code"] {
        assert!(log.contains(&format!("reason={reason}")), "{log}");
    }
    assert!(log.contains("result=granted"), "{log}");
    assert_eq!(counted(&log), [ADDRESS; 4], "all but the right one: {log}");
}

#[test]
fn who_goes_on_guessing_while_throttled_is_counted_too() {
    if !has("fail2ban-regex") {
        return;
    }
    let log = log_of("2001:db8::7", |world| {
        world.write(
            "/etc/twinlock/config.toml",
            "fail_delay = \"0s\"\n[throttle]\nfree_failures = 1\nspacing = \"1h\"\n",
        );
        let wrong = world.enrol("alice").authenticator.wrong_code();
        vec![wrong.clone(), wrong.clone(), wrong]
    });
    assert!(log.contains("reason=throttled"), "{log}");
    let log = log.replacen("failures=1", "failures=1 now=disabled", 1);
    assert_eq!(counted(&log), ["2001:db8::7"; 3], "{log}");
}

#[test]
fn what_is_no_guess_is_not_counted() {
    if !has("fail2ban-regex") {
        return;
    }
    let nobody_enrolled = log_of(ADDRESS, |world| {
        world.account("bob");
        world.enrol("bob");
        vec!["123456".into()]
    });
    assert!(nobody_enrolled.contains("reason=not-enrolled"), "{nobody_enrolled}");
    let junk = log_of(ADDRESS, |world| {
        world.enrol("alice");
        vec!["my password".into(), String::new()]
    });
    assert!(junk.contains("reason=junk"), "{junk}");
    let broken = log_of(ADDRESS, |world| {
        world.write("/etc/twinlock/config.toml", "second_factor = 7\n");
        vec!["123456".into()]
    });
    assert!(broken.contains("reason=config"), "{broken}");
    for log in [nobody_enrolled, junk, broken] {
        assert_eq!(counted(&log), [""; 0], "{log}");
    }
}

#[test]
fn only_an_address_is_banned_and_nobody_can_write_one_into_the_log() {
    if !has("fail2ban-regex") {
        return;
    }
    let forged = format!("x user=bob rhost={ADDRESS} failures=1");
    for rhost in ["gateway.example", "", forged.as_str()] {
        let log = log_of(rhost, |world| vec![world.enrol("alice").authenticator.wrong_code()]);
        assert!(log.contains("reason=wrong-code"), "{log}");
        assert_eq!(counted(&log), [""; 0], "{log}");
    }
    let user = format!("alice rhost={ADDRESS} failures=1");
    let mut log = String::new();
    in_world(|world| {
        world.service("sshd", "auth required pam_twinlock.so\n");
        Attempt::new("sshd").user(&user).rhost("gateway.example").answer("123456").run(world);
        log = lines(world);
    });
    assert_eq!(counted(&log), [""; 0], "{log}");
}

#[test]
fn guesses_through_the_broker_come_from_this_host_and_are_not_counted() {
    if !has("fail2ban-regex") {
        return;
    }
    let mut log = String::new();
    in_sshd_world(|world| {
        world.broker_service();
        world.write("/etc/twinlock/config.toml", "");
        let alice = world.account("alice");
        let wrong = world.enrol("alice").authenticator.wrong_code();
        let _broker = world.broker();
        let output = world.twinlock_as(&alice, &["verify"]).run_with_input(format!("{wrong}\n").as_bytes());
        assert_eq!(output.code, Some(1), "{output:?}");
        log = lines(world);
    });
    if !log.is_empty() {
        assert!(log.contains("twinlockd[") && log.contains("reason=wrong-code"), "{log}");
        assert_eq!(counted(&log), [""; 0], "{log}");
    }
}

#[test]
fn the_jail_is_off_until_somebody_switches_it_on() {
    if !has("fail2ban-regex") {
        return;
    }
    let jail = fs::read_to_string("../packaging/fail2ban/jail.d/twinlock.conf").unwrap();
    let settings: Vec<_> = jail.lines().filter(|line| line.starts_with("enabled")).collect();
    assert_eq!(settings, ["enabled  = false"]);

    // fail2ban reads it beside its own files, and once it is on it finds the filter.
    let folder = Folder::new("jail");
    with_ours(&folder);
    let off = text("fail2ban-client", &["-c", folder.text(), "--dump"]);
    assert!(!off.contains("'twinlock'"), "{off}");
    fs::write(folder.0.join("jail.local"), "[twinlock]\nenabled = true\n").unwrap();
    let on = text("fail2ban-client", &["-c", folder.text(), "--dump"]);
    assert!(on.contains("['add', 'twinlock'") && on.contains("pam_twinlock"), "{on}");
}
