//! Help, wrong usage, and the users who may do anything at all.

use twinlock_tests::{STORE, Snapshot};

use crate::cli::alice::{with_account, with_alice};

const VERBS: [&[&str]; 7] =
    [&["enroll"], &["status"], &["verify"], &["recovery", "new"], &["unlock"], &["remove"], &["check"]];

#[test]
fn help_lists_every_verb_and_the_exit_codes() {
    with_account(|world, _| {
        let help = world.twinlock(&["--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        for verb in VERBS {
            assert!(help.stdout.contains(&format!("\n  {} ", verb[0])), "{verb:?} in {}", help.stdout);
        }
        assert!(help.stdout.contains("0 success, 1 refused or failed, 2 usage error, 3 not permitted, 4 not enrolled"));
    });
}

#[test]
fn every_verb_has_help_that_exits_0() {
    with_account(|world, _| {
        for verb in VERBS {
            let help = world.twinlock(&[verb, &["--help"]].concat());
            assert!(help.code == Some(0) && help.stdout.contains("Usage: twinlock"), "{verb:?}: {help:?}");
        }
    });
}

#[test]
fn the_flags_are_those_that_are_promised() {
    with_account(|world, _| {
        let enroll = [
            ["label", "issuer", "add", "replace", "no-confirm", "json"],
            ["type", "digits", "period", "algorithm", "counter", "secret-file"],
            ["secret-stdin", "qr", "png", "svg", "config", "help"],
        ];
        let enroll = [enroll.concat(), vec!["version"]].concat();
        let promised: [(&[&str], &[&str]); 17] = [
            (&["enroll"], &enroll),
            (&["recovery", "count"], &["json", "config", "help", "version"]),
            (&["device", "list"], &["json", "config", "help", "version"]),
            (&["device", "rename"], &["config", "help", "version"]),
            (&["device", "suspend"], &["config", "help", "version"]),
            (&["device", "resume"], &["config", "help", "version"]),
            (&["device", "remove"], &["config", "help", "version"]),
            (&["resync"], &["config", "help", "version"]),
            (&["adopt"], &["config", "help", "version"]),
            (&["repair"], &["layout", "config", "help", "version"]),
            (&["store", "init"], &["accept", "config", "help", "version"]),
            (&["status"], &["json", "config", "help", "version"]),
            (&["verify"], &["config", "help", "version"]),
            (&["recovery", "new"], &["no-confirm", "json", "config", "help", "version"]),
            (&["unlock"], &["config", "help", "version"]),
            (&["remove"], &["yes", "config", "help", "version"]),
            (&["check"], &["config-only", "strict", "json", "config", "help", "version"]),
        ];
        for (verb, flags) in promised {
            let help = world.twinlock(&[verb, &["--help"]].concat()).stdout;
            let shown = help
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with('-'))
                .filter_map(|line| line.split("--").nth(1));
            let mut shown: Vec<_> = shown.map(|rest| rest.split([' ', ',']).next().unwrap()).collect();
            let mut flags = flags.to_vec();
            shown.sort_unstable();
            flags.sort_unstable();
            assert_eq!(shown, flags, "{verb:?}");
        }
    });
}

#[test]
fn enrol_is_enroll() {
    with_account(|world, _| {
        let enrolled = world.twinlock(&["enrol", "alice", "--no-confirm", "--json"]);
        assert_eq!((enrolled.code, world.twinlock(&["status", "alice"]).code), (Some(0), Some(0)), "{enrolled:?}");
        assert!(!world.twinlock(&["--help"]).stdout.contains("  enrol "), "one spelling is shown");
    });
}

#[test]
fn version_names_itself() {
    with_account(|world, _| {
        let version = world.twinlock(&["--version"]);
        assert_eq!(version.parts(), (Some(0), format!("twinlock {}\n", env!("CARGO_PKG_VERSION")).as_str(), ""));
    });
}

#[test]
fn wrong_usage_exits_2_and_says_so_on_stderr() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        let wrong: [&[&str]; 14] = [
            &[],
            &["enrolll"],
            &["recovery"],
            &["recovery", "old"],
            &["unlock"],
            &["remove"],
            &["remove", "alice", "bob"],
            &["status", "alice", "bob"],
            &["status", "--jason"],
            &["enroll", "alice", "--label", ""],
            &["enroll", "alice", "--label", "a\tb"],
            &["enroll", "alice", "--issuer", "a:b"],
            &["enroll", "alice", "--digits", "5"],
            &["--config"],
        ];
        for arguments in wrong {
            let output = world.twinlock(arguments);
            assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{arguments:?}: {output:?}");
            // Where no verb was typed yet, the verbs are shown.
            let told = output.stderr.contains("Usage:")
                || (output.stderr.starts_with("twinlock: ") && output.stderr.contains("\nhint: "));
            assert!(told && !output.stderr.contains("error:"), "{output:?}");
        }
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn who_is_not_root_is_told_so_with_exit_3() {
    with_alice(|world, alice| {
        let verbs: [&[&str]; 9] = [
            &["enroll"],
            &["enroll", "alice", "--no-confirm"],
            &["status"],
            &["status", "root"],
            &["verify"],
            &["recovery", "new"],
            &["unlock", "alice"],
            &["remove", "alice", "--yes"],
            &["check"],
        ];
        for verb in verbs {
            let output = world.twinlock_launch(verb).account(&alice.account).run_with_input(b"123456\n");
            let told = if verb[0] == "check" {
                "twinlock: not permitted: only root can do this\n\
                 hint: run the command with sudo, or ask your administrator\n"
            } else {
                "twinlock: not permitted: only root can do this, because the broker (twinlockd) is not running\n\
                 hint: ask your administrator to start the broker, with `systemctl enable --now twinlockd.socket`, or to \
                 run this command\n"
            };
            assert_eq!(output.parts(), (Some(3), "", told), "{verb:?}");
        }
    });
}

#[test]
fn who_is_not_root_learns_nothing_about_others() {
    with_alice(|world, alice| {
        let as_alice = |user: &str| world.twinlock_launch(&["status", user]).account(&alice.account).run();
        assert_eq!(as_alice("root"), as_alice("no-such-user"), "U06");
    });
}

#[test]
fn an_account_that_does_not_exist_is_refused_by_every_verb() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        let verbs: [&[&str]; 6] = [
            &["enroll", "zoe", "--no-confirm"],
            &["status", "zoe"],
            &["verify", "zoe"],
            &["recovery", "new", "zoe", "--no-confirm"],
            &["unlock", "zoe"],
            &["remove", "zoe", "--yes"],
        ];
        for verb in verbs {
            let output = world.twinlock(verb);
            let told = "twinlock: there is no account named zoe\nhint: check the spelling: `getent passwd zoe` prints the account if this host has it\n";
            assert_eq!(output.parts(), (Some(1), "", told), "{verb:?}");
        }
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn who_is_not_enrolled_is_told_so_with_exit_4() {
    with_account(|world, _| {
        let enrol = "enrol the account with `twinlock enroll alice`";
        let verbs: [(&[&str], &str); 4] = [
            (&["recovery", "new", "alice", "--no-confirm"], enrol),
            (&["verify", "alice"], enrol),
            (&["unlock", "alice"], "there are no failures to clear"),
            (&["remove", "alice", "--yes"], "there is nothing to remove"),
        ];
        for (verb, hint) in verbs {
            let output = world.twinlock_launch(verb).run_with_input(b"123456\n");
            let stderr = format!("twinlock: alice is not enrolled\nhint: {hint}\n");
            assert_eq!(output.parts(), (Some(4), "", stderr.as_str()), "{verb:?}");
        }
    });
}

#[test]
fn hostile_names_are_refused_without_reaching_the_terminal_raw() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        for name in ["../x", "a/b", "al\nice", "\x1b[31m", "", &"x".repeat(300)] {
            let output = world.twinlock(&["enroll", "--no-confirm", "--", name]);
            assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{name:?}: {output:?}");
            assert!(!output.stderr.contains('\x1b'), "{output:?}");
        }
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn without_a_name_it_is_who_runs_it() {
    with_account(|world, _| {
        let status = world.twinlock(&["status"]);
        assert_eq!(status.parts(), (Some(4), "root: not enrolled\n", ""));
    });
}
