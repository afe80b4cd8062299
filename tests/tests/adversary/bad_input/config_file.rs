//! A `config.toml` that cannot be trusted or read.

use std::fs;
use std::path::Path;

use twinlock_tests::{Attempt, CONFIG, PamCode, Setup, User, set_mode, tool};

use crate::bad_input::refusals::{command_refuses, is_denied, other_kinds, replace_by};

fn both_refuse(alice: &User<'_>, told: &str) {
    is_denied(alice, "config", &[CONFIG, told]);
    command_refuses(alice, &["check"], &[CONFIG, told]);
    command_refuses(alice, &["enroll", "alice", "--no-confirm"], &[CONFIG, told]);
}

#[test]
fn one_that_is_missing_is_not_the_same_as_the_defaults() {
    Setup::new().enrolled(|alice| {
        fs::remove_file(CONFIG).unwrap();
        both_refuse(alice, "it does not exist");
    });
}

#[test]
fn one_that_others_can_write_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        for bits in [0o664, 0o646, 0o666] {
            set_mode(CONFIG, bits);
            both_refuse(alice, &format!("its mode is {bits:04o}, so users other than root can write to it"));
            is_denied(alice, "config", &["chmod go-w /etc/twinlock/config.toml"]);
        }
    });
}

#[test]
fn one_that_everybody_can_read_is_fine() {
    Setup::new().enrolled(|alice| {
        for bits in [0o644, 0o600, 0o400, 0o640] {
            set_mode(CONFIG, bits);
            alice.state().write(alice.world);
            assert_eq!(alice.login().code(), PamCode::Success, "{bits:o}");
        }
    });
}

#[test]
fn one_that_is_not_roots_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        std::os::unix::fs::chown(CONFIG, Some(1001), None).unwrap();
        both_refuse(alice, "it belongs to uid 1001, not to root");
        is_denied(alice, "config", &["chown root:root /etc/twinlock/config.toml"]);
    });
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    for (_, make, told) in other_kinds() {
        Setup::new().enrolled(|alice| {
            replace_by(Path::new(CONFIG), make);
            both_refuse(alice, told);
        });
    }
}

#[test]
fn one_that_is_too_large_is_refused_unread() {
    Setup::new().enrolled(|alice| {
        for size in ["65537", "10G"] {
            tool(&["truncate", "-s", size, CONFIG]);
            both_refuse(alice, "it is larger than 65536 bytes");
        }
    });
}

#[test]
fn a_folder_above_it_that_others_can_write_is_refused() {
    Setup::new().enrolled(|alice| {
        for (bits, who) in [(0o775, "/etc/twinlock"), (0o777, "/etc")] {
            set_mode(who, bits);
            is_denied(alice, "config", &[&format!("cannot trust {who}: its mode is {bits:04o}")]);
            command_refuses(alice, &["check"], &[&format!("cannot trust {who}: ")]);
            set_mode(who, 0o755);
        }
    });
}

#[test]
fn a_link_anywhere_on_the_path_is_refused() {
    Setup::new().enrolled(|alice| {
        fs::rename("/etc/twinlock", "/etc/real").unwrap();
        std::os::unix::fs::symlink("/etc/real", "/etc/twinlock").unwrap();
        let told = ["cannot open /etc/twinlock: it is a symbolic link", "use the real path"];
        is_denied(alice, "config", &told);
        command_refuses(alice, &["check"], &told);
    });
}

#[test]
fn one_named_by_the_stack_is_looked_at_as_closely() {
    Setup::new().enrolled(|alice| {
        alice.world.service("svc", "auth required pam_twinlock.so config=/tmp/mine.toml\n");
        alice.world.write("/tmp/mine.toml", "second_factor = \"skip\"\n");
        is_denied(alice, "config", &["cannot trust /tmp: its mode is 1777"]);
    });
}

#[test]
fn one_named_to_the_command_is_looked_at_as_closely() {
    Setup::new().enrolled(|alice| {
        alice.world.write("/tmp/mine.toml", "");
        command_refuses(alice, &["--config", "/tmp/mine.toml", "check"], &["cannot trust /tmp: its mode is 1777"]);
        command_refuses(alice, &["--config", "mine.toml", "check"], &["cannot open /mine.toml: it does not exist"]);
    });
}

#[test]
fn the_guard_denies_too() {
    Setup::new().enrolled(|alice| {
        fs::remove_file(CONFIG).unwrap();
        let guard = Attempt::new("svc").user("alice").operations([twinlock_tests::Operation::AcctMgmt]);
        assert_eq!(guard.run(alice.world).code(), PamCode::AuthinfoUnavail);
    });
}
