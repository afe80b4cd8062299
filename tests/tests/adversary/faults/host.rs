//! Hosts amid hostile surroundings, full of threads and signals, or that load the module a thousand times.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use twinlock_tests::{
    Account, Attempt, Enrolled, ForgedState, Launch, Outcome, PamCode, STORE, Snapshot, World, in_world,
    is_root_in_earnest, one_after_another, state_of, tally,
};

const HOST: &str = "/run/set-user-id-host";

/// What the attacker who starts a set-user-ID host may choose.
const ENVIRONMENT: [(&str, &str); 30] = [
    ("LD_PRELOAD", "/tmp/evil.so"),
    ("LD_LIBRARY_PATH", "/tmp"),
    ("LD_AUDIT", "/tmp/evil.so"),
    ("GLIBC_TUNABLES", "glibc.malloc.check=3:glibc.malloc.perturb=165"),
    ("MALLOC_CHECK_", "3"),
    ("MALLOC_PERTURB_", "165"),
    ("GCONV_PATH", "/tmp"),
    ("LOCPATH", "/tmp"),
    ("TZ", ":/tmp/evil"),
    ("TZDIR", "/tmp"),
    ("LANG", "../../tmp/evil"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("LANGUAGE", "/tmp/evil"),
    ("NLSPATH", "/tmp/%N"),
    ("HOME", "/tmp"),
    ("XDG_CONFIG_HOME", "/tmp"),
    ("XDG_RUNTIME_DIR", "/tmp"),
    ("TMPDIR", "/tmp"),
    ("PATH", "/tmp:/bin"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LIB_BACKTRACE", "1"),
    ("RUST_LOG", "trace"),
    ("RUST_MIN_STACK", "1"),
    ("TWINLOCK_CONFIG", "/tmp/evil.toml"),
    ("TWINLOCK_STORE", "/tmp"),
    ("TWINLOCK_NOW", "0"),
    ("TWINLOCK_DEBUG", "1"),
    ("RES_OPTIONS", "debug"),
    ("HOSTALIASES", "/tmp/evil"),
    ("NSS_WRAPPER_PASSWD", "/tmp/passwd"),
];

/// Where the host is started, and with which umask.
const PLACES: [&str; 5] =
    ["umask 022", "umask 000", "umask 777", "mkdir /tmp/gone && cd /tmp/gone && rmdir /tmp/gone", "cd /proc/self"];

fn with_alice(test: impl FnOnce(&World, &Account, &Enrolled) + Send) {
    in_world(|world| {
        world.set_up("[throttle]\nfree_failures = 10\n");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let account = world.account("alice");
        let enrolled = world.deploy("alice");
        test(world, &account, &enrolled);
    });
}

/// What an attempt left.
#[derive(Debug, PartialEq)]
struct Left {
    code: PamCode,
    log: Vec<String>,
    shown: Vec<String>,
    modes: BTreeMap<String, u32>,
}

fn left(world: &World, attempt: Attempt) -> Left {
    let mark = world.log_mark();
    let outcome = attempt.run(world);
    assert_eq!(outcome.after, outcome.before, "I5");
    let log = world.entries_since(mark).into_iter().map(|entry| entry.text).collect();
    let shown = outcome.messages.iter().map(|message| message.text.clone()).collect();
    let modes = Snapshot::of(STORE).paths().into_iter().map(mode).collect();
    Left { code: outcome.code(), log, shown, modes }
}

fn mode(path: &Path) -> (String, u32) {
    (path.display().to_string(), path.metadata().unwrap().permissions().mode())
}

#[test]
fn a_host_is_not_swayed_by_its_surroundings() {
    if !is_root_in_earnest("a set-user-ID host") {
        return;
    }
    for set_user_id in [true, false] {
        amid_hostile_surroundings(set_user_id);
    }
}

fn amid_hostile_surroundings(set_user_id: bool) {
    with_alice(|world, account, enrolled| {
        world.write_program(HOST, fs::read(world.harness("pam-driver")).unwrap(), 0o4755);
        for evil in ["/tmp/evil.so", "/tmp/evil", "/tmp/evil.toml", "/tmp/passwd"] {
            world.write(evil, "[policy]\nsecond_factor = \"skip\"\n");
        }
        let answer = |what: &str| match what {
            "a right code" => enrolled.codes().next(),
            "a wrong code" => enrolled.authenticator.wrong_code(),
            _ => enrolled.recovery_codes[0].clone(),
        };
        let mut runs = 0;
        for what in ["a right code", "a wrong code", "a recovery code"] {
            for fresh in [true, false] {
                let attempt = |place: &str| {
                    if fresh {
                        drop(fs::remove_file(state_of("alice")));
                    } else {
                        ForgedState::of(account).write(world);
                    }
                    let script = format!("{place}; exec \"$@\"");
                    let attempt = Attempt::new("svc").user("alice").answer(answer(what));
                    let attempt = attempt.under(["/bin/sh", "-c", &script, "sh"]);
                    if set_user_id { attempt.host(HOST).as_account(account) } else { attempt }
                };
                let clean = left(world, attempt("umask 022"));
                assert_eq!(clean.code == PamCode::Success, what != "a wrong code", "{clean:?}");
                assert!(clean.modes.values().all(|mode| mode.trailing_zeros() >= 6), "for root alone: {clean:?}");
                for place in PLACES {
                    // The dynamic linker obeys the user who starts a host that is not set-user-ID.
                    let can_be_met = |name: &str| set_user_id || !name.starts_with("LD_");
                    let variables = ENVIRONMENT.iter().filter(|(name, _)| can_be_met(name));
                    let hostile =
                        variables.fold(attempt(place), |attempt, (name, value)| attempt.environment(name, value));
                    assert_eq!(left(world, hostile), clean, "T-ENV: {what}, {place}");
                    runs += 1;
                }
            }
        }
        tally("faults", "attempts amid hostile surroundings", runs);
    });
}

#[test]
fn a_thousand_loads_and_unloads_leave_nothing_behind() {
    const LOADS: usize = 1_000;
    with_alice(|world, account, enrolled| {
        ForgedState::of(account).write(world);
        let right = enrolled.codes().next();
        let attempt = |number: usize| {
            let answer = if number.is_multiple_of(2) { right.as_str() } else { "hunter2" };
            Attempt::new("svc").user("alice").answer(answer)
        };
        let outcomes = one_after_another(world, (0..LOADS).map(attempt));
        let granted = outcomes.iter().filter(|outcome| outcome.code() == PamCode::Success).count();
        assert_eq!(granted, 1, "one code, one login");
        let (first, last) = (&outcomes[0], &outcomes[LOADS - 1]);
        assert_eq!(last.after, first.before, "descriptors and threads");
        // The first ones load what stays: libraries that libc keeps, its heap.
        let grown: i64 = outcomes[LOADS / 10..].iter().map(|outcome: &Outcome| outcome.grown_kib).sum();
        assert!(grown < 512, "{grown} KiB in {LOADS} loads");
        tally("faults", "loads and unloads", u64::try_from(LOADS).unwrap());
    });
}

#[test]
fn in_a_host_full_of_threads_forks_and_signals_every_attempt_ends_as_it_should() {
    const ATTEMPTS: usize = 300;
    with_alice(|world, account, enrolled| {
        world.install();
        ForgedState::of(account).write(world);
        let code = enrolled.codes().next();
        let crowd = |answer: &str, count: usize| {
            let count = count.to_string();
            let host = world.harness("fault-host");
            let output = Launch::new([host.as_str(), "--crowd", "svc", "alice", answer, &count]).run();
            assert_eq!((output.code, output.signal), (Some(0), None), "{output:?}");
            output.stdout.lines().map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        let mut ends = crowd(&code, ATTEMPTS);
        assert_eq!(ends.len(), ATTEMPTS);
        assert_eq!(ends.remove(0), "Success");
        // Used, and after ten times throttled.
        assert!(ends.iter().all(|end| end == "AuthErr"), "{ends:?}");
        ForgedState::of(account).write(world);
        assert!(crowd("hunter2", ATTEMPTS).iter().all(|end| end == "AuthErr"));
        tally("faults", "attempts in a crowd", u64::try_from(2 * ATTEMPTS).unwrap());
    });
}
