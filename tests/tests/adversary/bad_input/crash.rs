//! The host is killed in the middle, several times in a row, or in an enrolment. That it is killed anywhere in one attempt is
//! tried in the target `faults`.

use std::fs;

use twinlock_tests::{Attempt, PamCode, Setup, State, User, state_of};

/// Kills the attempt at the point.
fn kill_at(alice: &User<'_>, attempt: Attempt, (name, number): &(String, usize)) {
    let inject = format!("inject={name}:signal=SIGKILL:when={number}");
    let traced = format!("trace={name}");
    let outcome = attempt.under(["strace", "-f", "-o", "/run/trace", "-e", &traced, "-e", &inject]).run(alice.world);
    // strace dies as its child died.
    assert_eq!(outcome.signal(), Some(9), "{name} {number}: {outcome:?}");
}

fn run(alice: &User<'_>, code: &str) -> PamCode {
    alice.attempt().answer(code).run(alice.world).code()
}

#[test]
fn guesses_that_are_killed_before_their_end_are_not_free() {
    Setup::new().enrolled(|alice| {
        let wrong = alice.wrong_code();
        for failures in 1..=3 {
            // At the commit. After a killed attempt its slot is written once more, and synced, before anything else.
            let commit = if failures == 1 { 2 } else { 3 };
            kill_at(alice, alice.attempt().answer(&wrong), &("pwrite64".into(), commit));
            assert_eq!(State::of("alice").charges()[0], failures, "each one is on record");
        }
        assert_eq!(run(alice, &alice.codes().next()), PamCode::AuthErr, "the free failures are used up");
    });
}

#[test]
fn killed_anywhere_in_an_enrolment_the_user_is_enrolled_or_not_and_can_be_enrolled() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        let points: [(&str, &[usize]); 4] =
            [("pwrite64", &[2, 4]), ("fsync", &[1, 3]), ("fdatasync", &[1]), ("renameat", &[1, 2])];
        for (name, numbers) in points {
            for number in numbers {
                let inject = format!("inject={name}:signal=SIGKILL:when={number}");
                let trace = ["strace", "-f", "-o", "/run/trace", "-e", &format!("trace={name}"), "-e", &inject];
                let launch = alice.world.twinlock_launch(&["enroll", "bob", "--no-confirm", "--json"]).under(trace);
                let killed = launch.run();
                let status = alice.world.twinlock(&["status", "bob"]);
                if killed.signal.is_none() {
                    assert_eq!((killed.code, status.code), (Some(0), Some(0)), "{name} {number}");
                }
                // The record comes first. Alone it may be what is left of an enrolment that was lost: that is said so.
                let alone = status.code == Some(1) && status.stderr.contains("twinlock enroll bob");
                assert!(alone || [Some(0), Some(4)].contains(&status.code), "{name} {number}: {status:?}");
                let check = alice.world.twinlock(&["check"]).code;
                assert_eq!(check, Some(i32::from(alone)), "{name} {number}");
                let bob = alice.world.enrol_with("bob", &["--replace"]);
                assert_eq!(
                    Attempt::new("svc").user("bob").answer(bob.codes().next()).run(alice.world).code(),
                    PamCode::Success
                );
                assert_eq!(alice.world.twinlock(&["remove", "bob", "--yes"]).code, Some(0));
            }
        }
    });
}

/// The writes of the state and its syncs, in order, of one attempt.
fn writes(alice: &User<'_>, code: &str) -> Vec<String> {
    let calls = "trace=pwrite64,fdatasync";
    let outcome =
        alice.attempt().answer(code).under(["strace", "-f", "-o", "/run/trace", "-e", calls]).run(alice.world);
    assert_eq!(outcome.signal(), None);
    let trace = fs::read_to_string("/run/trace").unwrap();
    let place = |line: &str| {
        line.rsplit_once(" = ").and_then(|(call, _)| Some(call.trim_end().rsplit_once(", ")?.1.to_owned()))
    };
    let call = |line: &str| {
        if line.contains("pwrite64(") {
            return Some(format!("write at {}", place(line)?.trim_end_matches(')')));
        }
        line.contains("fdatasync(").then(|| "sync".to_owned())
    };
    trace.lines().filter_map(call).collect()
}

#[test]
fn what_a_killed_attempt_left_unsynced_is_synced_before_the_other_half_is_touched() {
    for (point, left) in [("fdatasync", "a commit"), ("pwrite64", "a charge")] {
        Setup::new().enrolled(|alice| {
            alice.state().write(alice.world);
            // The first write is the charge; the second is the commit, which comes before the sync.
            let number = if point == "fdatasync" { 1 } else { 2 };
            kill_at(alice, alice.attempt().answer(alice.wrong_code()), &(point.to_owned(), number));
            let wrong = alice.wrong_code();
            let first = ["write at 4096", "sync", "write at 0", "write at 0", "sync", "write at 8176"];
            assert_eq!(writes(alice, &wrong), first, "after {left}");
            let second = ["write at 4096", "write at 4096", "sync", "write at 4080"];
            assert_eq!(writes(alice, &wrong), second, "after an attempt that ended");
        });
    }
}

#[test]
fn a_record_whose_name_was_left_unsynced_is_made_sure_of_before_anything_is_revealed() {
    Setup::new().enrolled(|alice| {
        fs::remove_file(state_of("alice")).unwrap();
        let mut codes = alice.codes();
        // The first sync is that of the record under its draft's name, the second that of the folder.
        kill_at(alice, alice.attempt().answer(alice.recovery_code(0)), &("fsync".to_owned(), 2));
        assert!(fs::exists(state_of("alice")).unwrap());
        let syncs = |code: &str| {
            let trace = ["strace", "-f", "-y", "-o", "/run/trace", "-e", "trace=fsync,fdatasync"];
            assert_eq!(alice.attempt().answer(code).under(trace).run(alice.world).code(), PamCode::Success);
            let trace = fs::read_to_string("/run/trace").unwrap();
            trace
                .lines()
                .filter_map(|line| line.split_once('<')?.1.split_once('>').map(|(path, _)| path.to_owned()))
                .collect::<Vec<_>>()
        };
        let (record, folder) = ("/var/lib/twinlock/state/alice", "/var/lib/twinlock/state");
        assert_eq!(syncs(&codes.next()), [record, folder, record]);
        assert_eq!(syncs(&codes.next()), [record]);
    });
}
