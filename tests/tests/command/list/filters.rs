//! Which accounts are shown.

use std::fs;

use twinlock_tests::{Terminal, in_world, set_mode};

use crate::list::{furnish, json, lines, users};

#[test]
fn everybody_who_may_log_in_is_shown_with_and_without_a_second_factor() {
    in_world(|world| {
        furnish(world);
        world.enrol("alice");
        let output = world.twinlock(&["list"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        assert_eq!(
            lines(&output),
            [
                ["alice", "enrolled", "phone", "-", "-", "10", "normal"],
                ["bob", "none", "-", "-", "-", "-", "-"],
                ["carol", "none", "-", "-", "-", "-", "-"],
                ["root", "none", "-", "-", "-", "-", "-"],
            ]
        );
    });
}

#[test]
fn whoever_is_enrolled_is_shown_whatever_the_shell() {
    in_world(|world| {
        furnish(world);
        world.enrol("robot");
        assert_eq!(users(&world.twinlock(&["list"])), ["alice", "bob", "carol", "robot", "root"]);
    });
}

#[test]
fn without_shows_who_has_no_second_factor() {
    in_world(|world| {
        furnish(world);
        world.enrol("alice");
        world.enrol("root");
        assert_eq!(users(&world.twinlock(&["list", "--without"])), ["bob", "carol"]);
    });
}

#[test]
fn disabled_shows_whose_codes_are_refused() {
    in_world(|world| {
        furnish(world);
        let config = "[throttle]\nfree_failures = 10\ndisable_after = 11\nspacing = \"1s\"\n";
        world.write("/etc/twinlock/config.toml", config);
        world.enrol("alice");
        let bob = world.enrol("bob");
        assert_eq!(world.twinlock(&["list", "--disabled", "--no-headings"]).stdout, "");
        for _ in 0..10 {
            world.twinlock_launch(&["verify", "bob"]).run_with_input(bob.authenticator.wrong_code().as_bytes());
        }
        // The eleventh costs two codes in a row, given after the spacing.
        let wrong = bob.authenticator.wrong_code();
        let verify = || world.twinlock_launch(&["verify", "bob"]);
        let later = verify().under(["faketime", "-f", "+1h"]);
        let output = later.run_with_input(format!("{wrong}\n{wrong}\n").as_bytes());
        if output.stderr.contains("faketime") {
            eprintln!("skipped: faketime is missing: run `make deps`");
            return;
        }
        let output = world.twinlock(&["list", "--disabled"]);
        assert_eq!(lines(&output)[0], ["bob", "enrolled", "phone", "-", "-", "10", "disabled"], "{output:?}");
        assert_eq!(json(&world.twinlock(&["list", "--disabled", "--json"])).len(), 1);
    });
}

#[test]
fn a_group_has_primary_and_supplementary_members() {
    in_world(|world| {
        furnish(world);
        world.enrol("bob");
        assert_eq!(users(&world.twinlock(&["list", "--group", "admins"])), ["bob", "carol"]);
        assert_eq!(users(&world.twinlock(&["list", "--group", "admins", "--without"])), ["carol"]);
        assert_eq!(users(&world.twinlock(&["list", "--group", "users"])), ["alice"]);
        let bare = world.twinlock(&["list", "--group", "users", "--no-headings"]).stdout;
        assert_eq!(bare, "alice\tnone\t-\t-\t-\t-\t-\n");
        let bare = Terminal::start(world.twinlock_launch(&["list", "--group", "users", "--no-headings"])).finish();
        assert!(bare.stdout.starts_with("alice "), "{bare:?}");
        let empty = world.twinlock(&["list", "--group", "empty"]);
        assert_eq!((empty.code, users(&empty)), (Some(0), vec![]));
        let unknown = world.twinlock(&["list", "--group", "nosuch"]);
        assert_eq!(unknown.code, Some(1));
        assert_eq!(
            unknown.stderr,
            "twinlock: there is no group named nosuch\nhint: check the spelling: `getent group nosuch` prints the group if this host has it\n"
        );
    });
}

#[test]
fn one_whose_files_cannot_be_read_is_shown_so_and_the_others_are_shown_too() {
    in_world(|world| {
        furnish(world);
        world.enrol("alice");
        world.enrol("bob");
        set_mode("/var/lib/twinlock/credentials/bob.toml", 0o644);
        let output = world.twinlock(&["list", "--without"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(users(&output), ["bob", "carol", "root"]);
        assert_eq!(
            lines(&output)[0][1],
            "error: cannot trust /var/lib/twinlock/credentials/bob.toml: its mode is 0644, so users other than root have access to it"
        );
        assert_eq!(lines(&output)[0].len(), 7);
        assert_eq!(
            output.stderr,
            "twinlock: cannot read the files of 1 of 3 users\nhint: run `twinlock check`: it says for each of them what to do\n"
        );
        let rows = json(&world.twinlock(&["list", "--json"]));
        assert!(rows[1]["enrolled"].is_null() && rows[1]["error"].is_string(), "{}", rows[1]);
        assert_eq!(rows[0]["enrolled"], true);
    });
}

#[test]
fn files_of_accounts_that_are_gone_are_told_beside_the_list() {
    in_world(|world| {
        furnish(world);
        world.enrol("alice");
        world.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        let output = world.twinlock(&["list"]);
        assert_eq!((output.code, users(&output)), (Some(0), vec!["root"]));
        assert_eq!(
            output.stderr,
            "note: 1 credentials file belongs to no account; run `twinlock check` to see which\n"
        );
    });
}

#[test]
fn the_store_must_be_there() {
    in_world(|world| {
        furnish(world);
        fs::remove_dir_all("/var/lib/twinlock").unwrap();
        let output = world.twinlock(&["list"]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
        assert!(output.stderr.contains("/var/lib/twinlock"), "{output:?}");
    });
}
