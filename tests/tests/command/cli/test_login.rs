//! `twinlock test-login`: the real PAM stack, run outside of sshd.

use std::fs;

use twinlock_tests::{Enrolled, Family, FirstFactor, Launch, Output, PASSWORD, STORE, Snapshot, World, in_world};

const STACK: &str = "/etc/pam.d/sshd";

fn with_host(first: FirstFactor, test: impl FnOnce(&World, &Enrolled) + Send) {
    in_world(|world| {
        world.ship(Family::Debian, first);
        world.account("alice");
        let alice = world.deploy("alice");
        test(world, &alice);
    });
}

fn try_it(world: &World, answers: &[&str]) -> Output {
    try_with(world, &[], answers)
}

fn behind_a_key(world: &World, answers: &[&str]) -> Output {
    try_with(world, &["--key-type", "ssh-ed25519"], answers)
}

fn try_with(world: &World, options: &[&str], answers: &[&str]) -> Output {
    let lines: String = answers.iter().flat_map(|answer| [answer, "\n"]).collect();
    world.twinlock_launch(&[&["test-login", "alice"], options].concat()).run_with_input(lines.as_bytes())
}

fn ends(output: &Output, code: i32, end: &str) {
    assert_eq!((output.code, output.stdout.ends_with(end)), (Some(code), true), "{end}: {output:?}");
}

#[test]
fn a_right_password_and_a_right_code_get_in_and_the_code_is_used() {
    with_host(FirstFactor::Password, |world, alice| {
        let code = alice.codes().next();
        let used = "result:   PAM lets alice in\ntwinlock: a code of \"phone\" was correct; it is used now\n";
        ends(&try_it(world, &[PASSWORD, &code]), 0, used);
        let output = try_it(world, &[PASSWORD, &code]);
        assert!(
            output.code == Some(1) && output.stdout.contains("PAM denies alice: auth_err (7) in the auth phase"),
            "{output:?}"
        );
    });
}

#[test]
fn a_wrong_code_is_charged_and_a_wrong_password_is_not() {
    with_host(FirstFactor::Password, |world, alice| {
        let refused = "result:   PAM denies alice: auth_err (7) in the auth phase\ntwinlock: ";
        let wrong = alice.authenticator.wrong_code();
        ends(
            &try_it(world, &[PASSWORD, &wrong]),
            1,
            &format!("{refused}the answer was incorrect and counts as a failure; 1 failure so far\n"),
        );
        let store = Snapshot::of(STORE);
        let nothing = "nothing was recorded: no code was asked for, or the answer did not look like a code\n";
        ends(&try_it(world, &["wrong"]), 1, &format!("{refused}{nothing}"));
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn a_recovery_code_gets_in_and_is_counted() {
    with_host(FirstFactor::Key, |world, alice| {
        let told = "result:   PAM lets alice in\ntwinlock: a recovery code was correct; it is used now, and 9 recovery codes are left\n";
        ends(&behind_a_key(world, &[&alice.recovery_codes[0]]), 0, told);
    });
}

#[test]
fn where_a_key_is_required_none_is_asked_without_one() {
    with_host(FirstFactor::Key, |world, alice| {
        let store = Snapshot::of(STORE);
        let output = try_it(world, &[&alice.codes().next()]);
        let refused = "result:   PAM denies alice: perm_denied (6) in the auth phase\ntwinlock: nothing was recorded: no \
                       code was asked for, or the answer did not look like a code\n";
        ends(&output, 1, refused);
        assert!(
            output.stdout.contains(" has require_key: it denies a login without a key; --key-type names one\n"),
            "{output:?}"
        );
        assert_eq!(Snapshot::of(STORE), store);
        let output = try_with(world, &["--key-type", "ssh-dss"], &[]);
        assert!(output.code == Some(2) && output.stderr.contains("`ssh-ed25519`"), "{output:?}");
    });
}

#[test]
fn what_refuses_behind_the_code_is_named_by_its_phase() {
    with_host(FirstFactor::Key, |world, alice| {
        let text = fs::read_to_string(STACK).unwrap();
        world.service("sshd", &text.replace("\n@include common-account", "\naccount required pam_deny.so"));
        let output = behind_a_key(world, &[&alice.codes().next()]);
        // Which code that is differs between versions of pam_deny.so.
        assert!(output.code == Some(1) && output.stdout.contains(" in the account phase\n"), "{output:?}");
        assert!(output.stdout.ends_with("twinlock: a code of \"phone\" was correct; it is used now\n"), "{output:?}");
    });
}

#[test]
fn each_line_is_explained_with_its_place() {
    with_host(FirstFactor::Password, |world, _| {
        let output = try_it(world, &[]);
        let place = |start: &str| {
            let text = fs::read_to_string(STACK).unwrap();
            text.lines().position(|line| line.starts_with(start)).unwrap() + 1
        };
        let told = format!(
            "auth phase, who logs in:\n  success=1 default=ignore pam_unix.so (/etc/pam.d/common-auth:1)\n    success skips \
             the next line; failure has no effect; ignore has no effect\n  requisite pam_deny.so \
             (/etc/pam.d/common-auth:2)\n    success counts; failure denies at once; ignore has no effect\n  \
             required pam_permit.so (/etc/pam.d/common-auth:3)\n    success counts; failure denies at the end; ignore \
             has no effect\n  required pam_twinlock.so (/etc/pam.d/sshd:{})\n    success counts; failure denies at the \
             end; ignore has no effect\naccount phase, whether this account may log in now:\n",
            place("auth       required     pam_twinlock.so")
        );
        assert!(output.stdout.starts_with(&told), "{}", output.stdout);
        // There was nothing to read.
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("the login was broken off: an answer is missing"), "{output:?}");
    });
}

#[test]
fn it_is_for_root_and_for_services_that_exist() {
    with_host(FirstFactor::Key, |world, _| {
        let output = world.twinlock(&["test-login", "alice", "--service", "nosuch"]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
        assert!(output.stderr.contains("nosuch has no PAM file on this host"), "{output:?}");
        let account = world.account("bob");
        let output = world.twinlock_launch(&["test-login", "alice"]).account(&account).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
    });
}

#[test]
fn without_the_broker_it_says_what_is_missing() {
    with_host(FirstFactor::Key, |world, _| {
        let copy = "/tmp/alone/twinlock";
        fs::create_dir_all("/tmp/alone").unwrap();
        fs::copy(world.artefacts().join("twinlock"), copy).unwrap();
        let output = Launch::new([copy, "test-login", "alice"]).run();
        assert!(output.code == Some(1) && output.stderr.contains("twinlockd is not installed"), "{output:?}");
    });
}
