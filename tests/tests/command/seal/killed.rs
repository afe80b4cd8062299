//! Killed at every system call that writes: alice can log in, and a second run finishes. `make test` takes every fifth call.

use std::collections::BTreeMap;
use std::fs;

use twinlock_tests::{PamCode, STORE, User, sample_of_sweep};

use super::given::{BLOBS, KEYS, PHRASE, done, mode, sealed_file, with_machine};

/// Calls that change something outside of the process.
const WRITES: [&str; 9] = ["mkdirat", "openat", "write", "fsync", "fchmod", "renameat", "unlinkat", "mount", "execve"];

/// Each call of a run that is done, with the how many-th of its name it is.
fn calls(alice: &User<'_>, words: &[&str]) -> Vec<(String, usize)> {
    let launch = alice.world.twinlock_launch(&[&["seal"], words].concat());
    let output = launch.under(["strace", "-o", "/run/trace"]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    let mut is_locked = false;
    for line in fs::read_to_string("/run/trace").unwrap().lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let number = count.entry(name.into()).or_default();
        *number += 1;
        is_locked |= name == "flock";
        // An openat that makes nothing is where no kill makes a difference.
        let changes = name != "openat" || rest.contains("O_CREAT");
        if is_locked && changes && WRITES.contains(&name) {
            calls.push((name.to_owned(), *number));
        }
    }
    assert!(calls.len() > 10, "{calls:?}");
    calls
}

/// What a change begins with, to be put back.
fn put_back(before: &[(String, Vec<u8>)], folders: &[&str]) {
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
    }
    for (path, bytes) in before {
        fs::write(path, bytes).unwrap();
        twinlock_tests::set_mode(path, if path.ends_with("/etc/twinlock/store-id") { 0o644 } else { 0o600 });
    }
}

fn read_all(folders: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("/etc/twinlock/store-id".to_owned(), fs::read("/etc/twinlock/store-id").unwrap())];
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                all.push((path.to_str().unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    all
}

/// Kills `twinlock seal` with these words at each writing call, begun from where the host is.
fn killed_everywhere(alice: &User<'_>, words: &[&str], escrow: &str, end: &str) {
    let state = format!("{STORE}/state");
    let credentials = format!("{STORE}/credentials");
    let folders = [credentials.as_str(), state.as_str(), KEYS, BLOBS];
    let before = read_all(&folders);
    let begin = || {
        put_back(&before, &folders);
        let _ = fs::remove_file(escrow);
    };
    let calls: Vec<_> = sample_of_sweep(5, calls(alice, words).into_iter()).collect();
    let mut kills = 0;
    for (name, number) in &calls {
        begin();
        let (trace, fault) = (format!("trace={name}"), format!("inject={name}:signal=SIGKILL:when={number}"));
        let arguments = [&["seal"], words].concat();
        let launch = alice.world.twinlock_launch(&arguments);
        let output = launch.under(["strace", "-o", "/run/trace", "-e", &trace, "-e", &fault]).run();
        kills += usize::from(output.signal == Some(9));
        let when = format!("{words:?} killed at {name} {number}, mode {:?}", mode());
        let login = |code: usize| alice.attempt().answer(alice.recovery_code(code)).run(alice.world);
        assert_eq!(login(0).code(), PamCode::Success, "{when}");
        // A rotation that was killed behind its last step is done; to run it again is to begin another.
        if words[0] != "rotate" || mode() != "yes" || fs::read_dir(BLOBS).unwrap().count() > 1 {
            let again = alice.world.twinlock(&arguments);
            assert_eq!(again.code, Some(0), "{when}: {again:?}");
        }
        assert_eq!(mode(), end, "{when}");
        assert_eq!(sealed_file("alice").exists(), end == "yes", "{when}");
        assert_eq!(login(1).code(), PamCode::Success, "{when}: after the second run");
        let left = fs::read_dir(&credentials).unwrap().count();
        assert_eq!(left, 1, "{when}: {:?}", read_all(&[&credentials]).iter().map(|(path, _)| path).collect::<Vec<_>>());
    }
    assert!(kills * 10 >= calls.len() * 8, "most were killed: {kills} of {}", calls.len());
}

#[test]
fn sealing_killed_anywhere_locks_nobody_out_and_is_finished_by_a_second_run() {
    with_machine(|alice| killed_everywhere(alice, &["enable", "--escrow", PHRASE], PHRASE, "yes"));
}

#[test]
fn unsealing_killed_anywhere_locks_nobody_out_and_is_finished_by_a_second_run() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        killed_everywhere(alice, &["disable"], "/root/none", "");
    });
}

#[test]
fn a_rotation_killed_anywhere_locks_nobody_out_and_is_finished_by_a_second_run() {
    with_machine(|alice| {
        done(alice.world, &["enable", "--escrow", PHRASE]);
        killed_everywhere(alice, &["rotate", "--escrow", "/root/second"], "/root/second", "yes");
    });
}
