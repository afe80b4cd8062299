//! Many users: in order, all of them, whatever happens meanwhile.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use twinlock_tests::{Attempt, Authenticator, PamCode, Terminal, World};

use crate::import::given::{SECRET, TWINLOCK, google_authenticator, in_world, is_stored, outcomes, write_google};

const ALL: [&str; 3] = ["import", "google-authenticator", "--all"];

/// So many users; every second one with a counter, each with so many scratch codes.
fn users(world: &World, count: usize, scratch_codes: usize) {
    for number in 0..count {
        let account = world.account(&format!("u{number:03}"));
        let kind = if number % 2 == 0 { "\" TOTP_AUTH" } else { "\" HOTP_COUNTER 5" };
        let codes: String = (0..scratch_codes).map(|code| (10_000_000 + code).to_string() + "\n").collect();
        write_google(world, &account, format!("{SECRET}\n{kind}\n{codes}"));
    }
}

fn stored() -> usize {
    let names = fs::read_dir("/var/lib/twinlock/credentials").into_iter().flatten().flatten();
    names.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn all_are_imported_in_the_order_of_the_accounts_and_the_others_are_not_named() {
    in_world(|world| {
        users(world, 40, 0);
        world.account("without");
        let output = world.twinlock(&[&ALL[..], &["--json"]].concat());
        assert_eq!(output.code, Some(0), "{output:?}");
        let names: Vec<_> = outcomes(&output).iter().map(|one| one["user"].as_str().unwrap().to_owned()).collect();
        let wanted: Vec<_> = (0..40).map(|number| format!("u{number:03}")).collect();
        assert_eq!(names, wanted);
        assert!(
            output.stderr.starts_with("40 imported, 0 skipped because they are enrolled already, 0 failed.\n"),
            "{output:?}"
        );
        assert!(
            output
                .stderr
                .contains("40 users have no recovery codes: make some for each, as with `twinlock recovery new "),
            "{output:?}"
        );
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn one_who_cannot_be_imported_keeps_nobody_else_out() {
    in_world(|world| {
        users(world, 6, 1);
        fs::write("/home/u002/.google_authenticator", "not a secret!\n").unwrap();
        let output = world.twinlock(&ALL);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stdout.contains("u002: FAILED: line 1: the secret is not base32"), "{output:?}");
        assert!(
            output.stderr.contains("5 imported, 0 skipped because they are enrolled already, 1 failed."),
            "{output:?}"
        );
        assert!(output.stderr.contains("1 of 6 users were not imported"), "{output:?}");
        assert!(!is_stored("u002") && is_stored("u003"));
    });
}

#[test]
fn nobody_to_import_is_no_failure() {
    in_world(|world| {
        world.account("alice");
        let output = world.twinlock(&ALL);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stderr.starts_with("No account of /etc/passwd has a file"), "{output:?}");
    });
}

#[test]
fn killed_again_and_again_it_is_finished_in_the_end() {
    in_world(|world| {
        users(world, 30, 1);
        world.install();
        let mut kills = 0;
        // Killed once it has done two more, however far it has come with others then.
        for _ in 0..100 {
            if stored() == 30 {
                break;
            }
            let wanted = stored() + 2;
            let process = world.twinlock_launch(&ALL).start();
            while process.is_running() && stored() < wanted {
                thread::sleep(Duration::from_millis(1));
            }
            kills += usize::from(process.is_running());
            process.kill();
            drop(process);
        }
        assert!(kills >= 3 && stored() == 30, "{kills}: {:?}", world.twinlock(&ALL));
        let last = world.twinlock(&ALL);
        assert_eq!(last.code, Some(0), "{last:?}");
        assert!(
            last.stderr.starts_with("0 imported, 30 skipped because they are enrolled already, 0 failed."),
            "{last:?}"
        );
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
        world.service("new", TWINLOCK);
        for number in 0..30 {
            let user = format!("u{number:03}");
            let code = if number % 2 == 0 {
                "10000000 10000000".into()
            } else {
                Authenticator::from_base32(SECRET).code_at(5)
            };
            assert_eq!(Attempt::new("new").user(user).answer(code).run(world).code(), PamCode::Success);
        }
    });
}

/// Killed at each of its writes in turn, a user is there whole or not at all.
#[test]
fn killed_at_every_write_a_user_is_whole_or_not_there() {
    const CALLS: [&str; 7] = ["mkdirat", "pwrite64", "write", "fsync", "fdatasync", "renameat", "unlinkat"];
    in_world(|world| {
        let alice = world.account("alice");
        write_google(world, &alice, format!("{SECRET}\n\" DISALLOW_REUSE 5\n\" TOTP_AUTH\n12345678\n"));
        let import = world.twinlock_launch(&["import", "google-authenticator", "--user", "alice"]);
        let (mut half, mut whole) = (0, 0);
        for call in CALLS {
            for time in 1..20 {
                let inject = format!("inject={call}:signal=KILL:when={time}");
                let output = import.clone().under(["strace", "-f", "-qq", "-o", "/run/strace", "-e", &inject]).run();
                if is_stored("alice") {
                    assert_eq!(world.twinlock(&["recovery", "count", "alice"]).stdout, "1\n", "{call} {time}");
                    let state = fs::read("/var/lib/twinlock/state/alice").unwrap();
                    assert!(state.windows(13).any(|text| text == b"last_step = 5"), "{call} {time}");
                    assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0), "{call} {time}");
                    whole += usize::from(output.code != Some(0));
                } else {
                    half += 1;
                }
                if output.code == Some(0) {
                    break;
                }
                assert!(time < 19, "{call}: {output:?}");
            }
        }
        assert!(half >= 10 && whole >= 4, "{half} before it was there and {whole} after");
    });
}

#[test]
fn a_bar_is_on_the_terminal_alone() {
    in_world(|world| {
        // Three more accounts are in every world.
        users(world, 24, 10);
        let mut terminal = Terminal::start(world.twinlock_launch(&ALL));
        let shown = terminal.expect("/27");
        assert!(!shown.contains("imported"), "{shown:?}");
        let output = terminal.finish();
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("24 imported"), "{output:?}");
        // Again without a terminal; and 240 runs of Argon2 take no more memory than one a thread.
        let again = world.twinlock_launch(&[&ALL[..], &["--replace"]].concat());
        let output = again.under(["prlimit", "--as=1500000000"]).run();
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(!output.stderr.contains("/27"), "{output:?}");
    });
}

#[test]
fn a_home_that_is_not_there_is_no_failure() {
    in_world(|world| {
        let alice = world.account("alice");
        world.account("bob");
        google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]);
        fs::remove_dir("/home/bob").unwrap();
        world.write("/home/bob", "");
        let output = world.twinlock(&ALL);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(Path::new("/var/lib/twinlock/credentials/alice.toml").exists());
    });
}
