//! A btrfs, on which a write in place takes a new block unless the file carries the flag against copy-on-write.

use std::collections::BTreeMap;
use std::fs;

use twinlock_tests::{
    Account, Attempt, Enrolled, ForgedState, Launch, LoopDisk, Output, PamCode, STORE, State, World, in_world,
    is_root_in_earnest, state_of, tool,
};

/// A world whose store is on a btrfs, with alice, who is not enrolled. Loop devices need root in earnest.
fn on_btrfs(test: impl FnOnce(&World, &Account, &LoopDisk) + Send) {
    if is_root_in_earnest("a loop device") {
        in_world(|world| {
            world.set_up("");
            world.service("svc", "auth required pam_twinlock.so\n");
            let alice = world.account("alice");
            let disk = LoopDisk::lay_over_var_lib();
            test(world, &alice, &disk);
        });
    }
}

fn answer(world: &World, user: &str, answer: &str) -> PamCode {
    Attempt::new("svc").user(user).answer(answer).run(world).code()
}

/// How many of two codes and four recovery codes are let in. None was used before.
fn let_in_of_six(world: &World, alice: &Enrolled) -> usize {
    let mut codes = alice.codes();
    let answers = [codes.next(), codes.next()].into_iter().chain(alice.recovery_codes[..4].iter().cloned());
    answers.filter(|code| answer(world, &alice.user, code) == PamCode::Success).count()
}

/// Whether the file carries the flag, as lsattr tells.
fn has_flag(path: &str) -> bool {
    let output = Launch::new(["lsattr", "-d", path]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.split(' ').next().unwrap().contains('C')
}

fn repair_layout(world: &World) -> Output {
    let output = world.twinlock(&["repair", "--layout"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    output
}

#[test]
fn a_full_btrfs_lets_six_of_six_in() {
    on_btrfs(|world, _, disk| {
        let alice = world.enrol("alice");
        disk.fill();
        assert_eq!(let_in_of_six(world, &alice), 6, "{:#?}", world.log());
    });
}

/// The control of the other tests here: without the flag the file system refuses.
#[test]
fn a_full_btrfs_refuses_a_record_without_the_flag() {
    on_btrfs(|world, account, disk| {
        let alice = world.deploy("alice");
        ForgedState::of(account).write(world);
        disk.fill();
        let code = alice.codes().next();
        assert_eq!(answer(world, "alice", &code), PamCode::AuthinfoUnavail, "{:#?}", world.log());
    });
}

#[test]
fn repair_layout_rewrites_records_of_an_older_version_and_what_was_used_stays_used() {
    on_btrfs(|world, account, disk| {
        let alice = world.deploy("alice");
        ForgedState::of(account).write(world);
        let used = alice.recovery_codes[4].clone();
        assert_eq!(answer(world, "alice", &used), PamCode::Success);
        let said = repair_layout(world);
        let expected = format!(
            "{STORE}/state: set the flag against copy-on-write; new records are written in place\n\
             alice: moved the record to a file that is written in place\n\
             users checked: 1, records rewritten: 1, added to the index by uid: 1\n"
        );
        assert_eq!(said.stderr, expected);
        let again = "users checked: 1, records rewritten: 0, added to the index by uid: 0\n";
        assert_eq!(repair_layout(world).stderr, again);
        disk.fill();
        assert_eq!(answer(world, "alice", &used), PamCode::AuthErr);
        assert_eq!(let_in_of_six(world, &alice), 6, "{:#?}", world.log());
    });
}

#[test]
fn the_next_enrolment_rewrites_the_record() {
    on_btrfs(|world, account, disk| {
        world.deploy("alice");
        ForgedState::of(account).write(world);
        let alice = world.enrol_with("alice", &["--replace"]);
        disk.fill();
        assert_eq!(let_in_of_six(world, &alice), 6, "{:#?}", world.log());
    });
}

#[test]
fn records_stay_as_they_are_where_files_are_written_in_place() {
    in_world(|world| {
        world.set_up("");
        let alice = world.account("alice");
        world.deploy("alice");
        ForgedState::of(&alice).write(world);
        let before = fs::read(state_of("alice")).unwrap();
        let said = "users checked: 1, records rewritten: 0, added to the index by uid: 1\n";
        assert_eq!(repair_layout(world).stderr, said);
        assert_eq!(fs::read(state_of("alice")).unwrap(), before);
    });
}

/// Calls of a run that change something, each with the how many-th of its name it is.
fn writes_of_a_run(world: &World) -> Vec<(String, usize)> {
    const WRITES: [&str; 7] = ["ioctl", "openat", "fchmod", "pwrite64", "fsync", "renameat", "unlinkat"];
    let launch = world.twinlock_launch(&["repair", "--layout"]).under(["strace", "-o", "/run/trace"]);
    assert_eq!(launch.run().code, Some(0));
    let mut counts = BTreeMap::new();
    let mut calls = Vec::new();
    for line in fs::read_to_string("/run/trace").unwrap().lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let count: &mut usize = counts.entry(name.to_owned()).or_default();
        *count += 1;
        let changes = match name {
            "ioctl" => rest.contains("SETFLAGS"),
            "openat" => rest.contains("O_CREAT"),
            _ => true,
        };
        if WRITES.contains(&name) && changes {
            calls.push((name.to_owned(), *count));
        }
    }
    calls
}

#[test]
fn killed_at_any_write_repair_layout_leaves_everybody_able_to_log_in_and_the_next_run_finishes() {
    on_btrfs(|world, alice, _| {
        let accounts = [alice.clone(), world.account("bob")];
        let enrolled = ["alice", "bob"].map(|user| world.deploy(user));
        // A store of an older version: new files in a new folder without the flag.
        let older = || {
            tool(&["rm", "-rf", &format!("{STORE}/state"), &format!("{STORE}/uid")]);
            tool(&["mkdir", "-m", "700", &format!("{STORE}/state")]);
            for account in &accounts {
                ForgedState::of(account).write(world);
            }
            assert!(!has_flag(&format!("{STORE}/state/alice")));
        };
        older();
        let points = writes_of_a_run(world);
        assert!(points.len() >= 14, "{points:?}");
        for (name, number) in points {
            older();
            let inject = format!("inject={name}:signal=SIGKILL:when={number}");
            let trace = ["strace", "-o", "/run/trace", "-e", &format!("trace={name}"), "-e", &inject];
            let killed = world.twinlock_launch(&["repair", "--layout"]).under(trace).run();
            assert_eq!(killed.signal, Some(9), "{name} {number}: {killed:?}");
            let mut codes: Vec<_> = enrolled.iter().map(Enrolled::codes).collect();
            for (user, codes) in enrolled.iter().zip(&mut codes) {
                assert_eq!(answer(world, &user.user, &codes.next()), PamCode::Success, "{name} {number}");
            }
            repair_layout(world);
            for (user, codes) in enrolled.iter().zip(&mut codes) {
                assert!(has_flag(&format!("{STORE}/state/{}", user.user)), "{name} {number}");
                let before = State::of(&user.user).number("authenticator.last_step");
                assert_eq!(answer(world, &user.user, &codes.next()), PamCode::Success, "{name} {number}");
                assert!(State::of(&user.user).number("authenticator.last_step") > before);
            }
        }
    });
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_the_others_are_rewritten() {
    on_btrfs(|world, account, _| {
        world.deploy("alice");
        ForgedState::of(account).write(world);
        ForgedState::of(&world.account("bob")).write(world);
        fs::write(state_of("alice"), [0; 8192]).unwrap();
        let output = world.twinlock(&["repair", "--layout"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("alice: cannot use /var/lib/twinlock/state/alice: it is damaged"), "{output:?}");
        assert!(output.stderr.contains("users checked: 2, records rewritten: 1"), "{output:?}");
        assert!(has_flag(&format!("{STORE}/state/bob")));
    });
}
