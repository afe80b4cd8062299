//! A `config.toml` that cannot be trusted or read.

use std::fs;
use std::path::Path;

use twinlock_tests::{Attempt, CONFIG, PamCode};

use crate::bad_input::scene::{Alice, mode, other_kinds, replace_by, tool, with_alice};

fn both_refuse(alice: &Alice<'_>, told: &str) {
    alice.is_denied("config", &[CONFIG, told]);
    alice.command_refuses(&["check"], &[CONFIG, told]);
    alice.command_refuses(&["enroll", "alice", "--no-confirm"], &[CONFIG, told]);
}

#[test]
fn one_that_is_missing_is_not_the_same_as_the_defaults() {
    with_alice(|alice| {
        fs::remove_file(CONFIG).unwrap();
        both_refuse(alice, "it does not exist");
    });
}

#[test]
fn one_that_others_can_write_is_refused_with_the_remedy() {
    with_alice(|alice| {
        for bits in [0o664, 0o646, 0o666] {
            mode(CONFIG, bits);
            both_refuse(alice, &format!("its mode is {bits:04o}, group or others can write it"));
            alice.is_denied("config", &["chmod go-w /etc/twinlock/config.toml"]);
        }
    });
}

#[test]
fn one_that_everybody_can_read_is_fine() {
    with_alice(|alice| {
        for bits in [0o644, 0o600, 0o400, 0o640] {
            mode(CONFIG, bits);
            alice.state().write(alice.world);
            assert_eq!(alice.login().code(), PamCode::Success, "{bits:o}");
        }
    });
}

#[test]
fn one_that_is_not_roots_is_refused_with_the_remedy() {
    with_alice(|alice| {
        std::os::unix::fs::chown(CONFIG, Some(1001), None).unwrap();
        both_refuse(alice, "it belongs to uid 1001, not to root");
        alice.is_denied("config", &["chown root:root /etc/twinlock/config.toml"]);
    });
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    for (_, make, told) in other_kinds() {
        with_alice(|alice| {
            replace_by(Path::new(CONFIG), make);
            both_refuse(alice, told);
        });
    }
}

#[test]
fn one_that_is_too_large_is_refused_unread() {
    with_alice(|alice| {
        for size in ["65537", "10G"] {
            tool(&["truncate", "-s", size, CONFIG]);
            both_refuse(alice, "it is larger than 65536 bytes");
        }
    });
}

#[test]
fn a_folder_above_it_that_others_can_write_is_refused() {
    with_alice(|alice| {
        for (bits, who) in [(0o775, "/etc/twinlock"), (0o777, "/etc")] {
            mode(who, bits);
            alice.is_denied("config", &[&format!("cannot trust {who}: its mode is {bits:04o}")]);
            alice.command_refuses(&["check"], &[&format!("cannot trust {who}: ")]);
            mode(who, 0o755);
        }
    });
}

#[test]
fn a_link_anywhere_on_the_path_is_refused() {
    with_alice(|alice| {
        fs::rename("/etc/twinlock", "/etc/real").unwrap();
        std::os::unix::fs::symlink("/etc/real", "/etc/twinlock").unwrap();
        let told = ["cannot open /etc/twinlock: it is a symbolic link", "name the real path"];
        alice.is_denied("config", &told);
        alice.command_refuses(&["check"], &told);
    });
}

#[test]
fn one_named_by_the_stack_is_looked_at_as_closely() {
    with_alice(|alice| {
        alice.world.service("svc", "auth required pam_twinlock.so config=/tmp/mine.toml\n");
        alice.world.write("/tmp/mine.toml", "second_factor = \"skip\"\n");
        alice.is_denied("config", &["cannot trust /tmp: its mode is 1777"]);
    });
}

#[test]
fn one_named_to_the_command_is_looked_at_as_closely() {
    with_alice(|alice| {
        alice.world.write("/tmp/mine.toml", "");
        alice.command_refuses(&["--config", "/tmp/mine.toml", "check"], &["cannot trust /tmp: its mode is 1777"]);
        alice.command_refuses(&["--config", "mine.toml", "check"], &["cannot open /mine.toml: it does not exist"]);
    });
}

#[test]
fn the_guard_denies_too() {
    with_alice(|alice| {
        fs::remove_file(CONFIG).unwrap();
        let guard = Attempt::new("svc").user("alice").operations([twinlock_tests::Operation::AcctMgmt]);
        assert_eq!(guard.run(alice.world).code(), PamCode::AuthinfoUnavail);
    });
}
