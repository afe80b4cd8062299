//! A credentials file that cannot be trusted or read.

use std::fs;
use std::os::unix::fs::chown;

use twinlock_tests::{PamCode, STORE, Setup, Snapshot, User, credentials_of, set_mode, tool};

use crate::bad_input::refusals::{command_refuses, is_denied, other_kinds, replace_by};

const FILE: &str = "/var/lib/twinlock/credentials/alice.toml";

fn both_refuse(alice: &User<'_>, told: &[&str]) {
    is_denied(alice, "store", &[&[FILE], told].concat());
    command_refuses(alice, &["status", "alice"], &[&[FILE], told].concat());
    command_refuses(alice, &["recovery", "new", "alice", "--no-confirm"], &[&[FILE], told].concat());
    check_finds(alice, told);
}

/// `check` names every problem, and counts them.
fn check_finds(alice: &User<'_>, told: &[&str]) {
    let output = alice.world.twinlock(&["check"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.starts_with("error: ") && output.stderr.ends_with("twinlock: found 1 error\n"), "{output:?}");
    assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {}", output.stderr);
}

#[test]
fn one_that_others_can_read_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        for bits in [0o640, 0o604, 0o644, 0o660] {
            set_mode(FILE, bits);
            both_refuse(
                alice,
                &[
                    &format!("its mode is {bits:04o}, so users other than root have access to it"),
                    &format!("chmod go-rwx {FILE}"),
                ],
            );
        }
    });
}

#[test]
fn one_that_is_not_roots_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        chown(FILE, Some(1001), None).unwrap();
        both_refuse(alice, &["it belongs to uid 1001, not to root", &format!("chown root:root {FILE}")]);
    });
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    for (_, make, told) in other_kinds() {
        Setup::new().enrolled(|alice| {
            replace_by(&credentials_of("alice"), make);
            both_refuse(alice, &[told]);
        });
    }
}

#[test]
fn one_that_is_too_large_is_refused_unread() {
    Setup::new().enrolled(|alice| {
        for size in ["65537", "10G"] {
            tool(&["truncate", "-s", size, FILE]);
            both_refuse(alice, &["it is larger than 65536 bytes"]);
        }
    });
}

#[test]
fn one_cut_off_anywhere_never_means_a_weaker_one() {
    Setup::new().enrolled(|alice| {
        let whole = fs::read(FILE).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let recovery = text.find("\n[recovery]").unwrap();
        let mut lengths: Vec<_> = (0..recovery).step_by(7).chain([1, whole.len() - 3, whole.len() / 2]).collect();
        lengths.dedup();
        for length in lengths {
            alice.world.write_secret(FILE, &whole[..length]);
            alice.state().write(alice.world);
            let outcome = alice.attempt().answer(alice.recovery_code(0)).run(alice.world);
            // Cut behind a whole authenticator it is an enrolment without recovery codes: refused as wrong.
            assert_ne!(outcome.code(), PamCode::Success, "Y07: {length}");
        }
    });
}

#[test]
fn one_that_is_empty_is_refused() {
    Setup::new().enrolled(|alice| {
        alice.world.write_secret(FILE, "");
        both_refuse(alice, &["twinlock enroll --replace"]);
    });
}

#[test]
fn a_mistake_in_it_is_named_by_its_place_alone() {
    Setup::new().enrolled(|alice| {
        let text = fs::read_to_string(FILE).unwrap();
        let canary = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ";
        for (broken, place) in [
            (text.replace("digits = 6", "digits = 5"), "line 10, column 10"),
            (text.replace("type = \"totp\"", "type = \"u2f\""), "line 7, column 8"),
            (text.replace("secret = \"", &format!("secret = \"{canary}!")), "line 8, column 10"),
            (text.replace("period = 30", "period = 30\nkey = 1"), "line 12, column 1"),
            (text.replace("version = 1", "version = 2"), "line 1, column 11"),
            (text.replace("m=19456,t=2", "m=4194304,t=2"), "line 1"),
        ] {
            assert_ne!(broken, text);
            alice.world.write_secret(FILE, broken);
            both_refuse(alice, &[place]);
        }
        assert!(!alice.world.log().iter().any(|line| line.text.contains(canary)));
    });
}

#[test]
fn replace_is_the_way_out_of_a_file_that_cannot_be_read() {
    Setup::new().enrolled(|alice| {
        alice.world.write_secret(FILE, "torn");
        command_refuses(alice, &["enroll", "alice", "--no-confirm"], &[FILE, "twinlock enroll --replace"]);
        let new = alice.world.enrol_with("alice", &["--replace"]);
        assert_eq!(alice.attempt().answer(new.codes().next()).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn remove_is_the_other_way_out() {
    Setup::new().enrolled(|alice| {
        alice.world.write_secret(FILE, "torn");
        assert_eq!(alice.world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
        let left = Snapshot::of(STORE);
        assert!(!left.paths().iter().any(|path| path.to_string_lossy().contains("alice")), "{left:?}");
    });
}
