//! A store that cannot be trusted or is not there.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use twinlock_tests::{STORE, Setup, User, set_mode};

use crate::bad_input::refusals::{command_refuses, is_denied};

fn both_refuse(alice: &User<'_>, told: &[&str]) {
    is_denied(alice, "store", told);
    command_refuses(alice, &["status", "alice"], told);
    command_refuses(alice, &["enroll", "alice", "--no-confirm", "--replace"], told);
}

#[test]
fn one_that_is_missing_is_named_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        fs::remove_dir_all(STORE).unwrap();
        let told =
            [&format!("cannot open {STORE}: it does not exist"), "if this is a new host, run `twinlock store init`"];
        is_denied(alice, "store", &told.map(|text| text as &str));
        command_refuses(alice, &["status", "alice"], &told.map(|text| text as &str));
    });
}

#[test]
fn one_whose_parts_are_missing_is_named() {
    for part in ["credentials", "state"] {
        Setup::new().enrolled(|alice| {
            fs::remove_dir_all(format!("{STORE}/{part}")).unwrap();
            is_denied(alice, "store", &[&format!("cannot open {STORE}/{part}: it does not exist")]);
        });
    }
}

#[test]
fn one_that_others_can_look_into_is_refused_with_the_remedy() {
    for part in ["credentials", "state"] {
        Setup::new().enrolled(|alice| {
            let path = format!("{STORE}/{part}");
            for bits in [0o750, 0o705, 0o711] {
                set_mode(&path, bits);
                let told = [
                    &format!("cannot trust {path}: its mode is {bits:04o}, so users other than root have access to it"),
                    &format!("chmod go-rwx {path}"),
                ];
                both_refuse(alice, &told.map(|text| text as &str));
            }
        });
    }
}

#[test]
fn one_whose_root_others_can_write_is_refused_with_the_remedy() {
    Setup::new().enrolled(|alice| {
        for bits in [0o770, 0o777, 0o707] {
            set_mode(STORE, bits);
            is_denied(
                alice,
                "store",
                &[&format!("cannot trust {STORE}: its mode is {bits:04o}"), &format!("chmod go-w {STORE}")],
            );
            command_refuses(
                alice,
                &["enroll", "alice", "--no-confirm", "--replace"],
                &[&format!("cannot trust {STORE}")],
            );
        }
    });
}

#[test]
fn one_that_is_not_roots_is_refused_with_the_remedy() {
    for part in ["", "/credentials", "/state"] {
        Setup::new().enrolled(|alice| {
            let path = format!("{STORE}{part}");
            chown(&path, Some(1001), None).unwrap();
            both_refuse(
                alice,
                &[
                    &format!("cannot trust {path}: it belongs to uid 1001, not to root"),
                    &format!("chown root:root {path}"),
                ],
            );
        });
    }
}

#[test]
fn a_link_anywhere_on_its_path_is_refused() {
    for path in ["/var/lib", STORE, "/var/lib/twinlock/state", "/var/lib/twinlock/credentials"] {
        Setup::new().enrolled(|alice| {
            let real = "/var/real";
            fs::rename(path, real).unwrap();
            symlink(real, path).unwrap();
            both_refuse(alice, &[&format!("cannot open {path}: it is a symbolic link"), "use the real path"]);
        });
    }
}

#[test]
fn a_folder_above_it_that_others_can_write_is_refused() {
    Setup::new().enrolled(|alice| {
        for (path, bits) in [("/var/lib", 0o777), ("/var", 0o1777)] {
            set_mode(path, bits);
            both_refuse(
                alice,
                &[&format!("cannot trust {path}: its mode is {bits:04o}, so users other than root can write to it")],
            );
            set_mode(path, 0o755);
        }
    });
}

#[test]
fn one_that_is_no_folder_is_refused() {
    for path in [STORE, "/var/lib/twinlock/state", "/var/lib/twinlock/credentials"] {
        Setup::new().enrolled(|alice| {
            fs::remove_dir_all(path).unwrap();
            fs::write(path, "").unwrap();
            both_refuse(alice, &[&format!("cannot open {path}: it is not a folder"), &format!("move {path} away")]);
        });
    }
}
