//! A disk that is read-only, full, or fails, and a host that may not write.

use std::fs;

use twinlock_tests::{Attempt, PamCode, STORE, Setup, Snapshot, State, User, credentials_of, tool};

use crate::bad_input::refusals::{command_refuses, is_denied};

/// Puts the store on a file system of its own.
fn on_a_file_system_of_its_own(size: &str) {
    let aside = "/var/aside";
    fs::rename(STORE, aside).unwrap();
    fs::create_dir(STORE).unwrap();
    tool(&["mount", "-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "store", STORE]);
    tool(&["sh", "-c", &format!("cp -a {aside}/. {STORE}/")]);
}

/// Writes until nothing fits any more.
fn fill() {
    tool(&["sh", "-c", &format!("cat /dev/zero >{STORE}/filler 2>/dev/null; ! echo x >>{STORE}/filler 2>/dev/null")]);
}

/// One attempt with a fault injected; the reason in the log.
fn reason(alice: &User<'_>, attempt: Attempt, inject: &str) -> (PamCode, String, String) {
    let mark = alice.world.log_mark();
    let trace = ["strace", "-f", "-o", "/run/trace", "-e", inject];
    let outcome = attempt.under(trace).run(alice.world);
    assert!(fs::read_to_string("/run/trace").unwrap().contains("INJECTED"), "the fault came: {inject}");
    let entries = alice.world.entries_since(mark);
    assert_eq!(entries.len(), 1, "{entries:#?}");
    let detail = entries[0].detail.clone().unwrap_or_default();
    (outcome.code(), entries[0].value("reason").to_owned(), detail)
}

#[test]
fn a_read_only_store_denies_every_time_and_names_the_file() {
    Setup::new().enrolled(|alice| {
        tool(&["mount", "--bind", STORE, STORE]);
        tool(&["mount", "-o", "remount,bind,ro", STORE]);
        for _ in 0..2 {
            is_denied(
                alice,
                "store",
                &[
                    "/var/lib/twinlock/state/alice: Read-only file system",
                    "check whether the file system is read-only, full or failing",
                ],
            );
        }
        command_refuses(alice, &["unlock", "alice"], &["Read-only file system"]);
        command_refuses(alice, &["remove", "alice", "--yes"], &["Read-only file system"]);
    });
}

#[test]
fn a_full_disk_does_not_lock_the_enrolled_out() {
    Setup::new().enrolled(|alice| {
        on_a_file_system_of_its_own("64k");
        fill();
        let mut codes = alice.codes();
        assert_eq!(alice.attempt().answer(codes.next()).run(alice.world).code(), PamCode::Success, "G13");
        assert_eq!(alice.attempt().answer(alice.wrong_code()).run(alice.world).code(), PamCode::AuthErr);
        assert_eq!(State::of("alice").charges(), [1, 1, 0, 1], "and is charged for");
        assert_eq!(alice.attempt().answer(codes.next()).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn on_a_full_disk_nobody_is_enrolled_by_half() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        on_a_file_system_of_its_own("64k");
        fill();
        command_refuses(
            alice,
            &["enroll", "bob", "--no-confirm"],
            &["No space left on device", "check whether the file system is read-only, full or failing"],
        );
        command_refuses(alice, &["recovery", "new", "alice", "--no-confirm"], &["No space left on device"]);
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn on_a_full_disk_a_replacement_fails_and_the_old_one_works() {
    Setup::new().enrolled(|alice| {
        on_a_file_system_of_its_own("64k");
        fill();
        let credentials = Snapshot::of(credentials_of("alice"));
        let output = alice.world.twinlock(&["enroll", "alice", "--no-confirm", "--replace"]);
        assert!(output.code == Some(1) && output.stderr.contains("No space left on device"), "{output:?}");
        assert_eq!(Snapshot::of(credentials_of("alice")), credentials);
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn on_a_full_disk_the_first_login_after_a_deployment_denies_and_leaves_nothing() {
    Setup::new().enrolled(|alice| {
        fs::remove_file(twinlock_tests::state_of("alice")).unwrap();
        on_a_file_system_of_its_own("64k");
        fill();
        is_denied(alice, "store", &["No space left on device"]);
        fs::remove_file(format!("{STORE}/filler")).unwrap();
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn a_charge_that_cannot_be_written_means_that_nothing_is_looked_at() {
    Setup::new().enrolled(|alice| {
        for errno in ["EIO", "ENOSPC", "EROFS", "EDQUOT"] {
            let before = alice.world.log_mark();
            let code = alice.codes().next();
            alice.state().write(alice.world);
            let state = State::of("alice");
            for _ in 0..3 {
                let (code, reason, detail) =
                    reason(alice, alice.attempt().answer(&code), &format!("inject=pwrite64:error={errno}"));
                assert_eq!((code, reason.as_str()), (PamCode::AuthinfoUnavail, "store"), "G09: {errno}");
                assert!(detail.starts_with("cannot write /var/lib/twinlock/state/alice: "), "{detail}");
            }
            assert_eq!(State::of("alice"), state);
            assert_eq!(alice.attempt().answer(&code).run(alice.world).code(), PamCode::Success, "{errno}");
            assert_eq!(alice.world.entries_since(before).len(), 4);
        }
    });
}

#[test]
fn a_commit_that_cannot_be_written_denies_and_the_charge_stands() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        let (ended, reason, _) = reason(alice, alice.attempt().answer(&code), "inject=pwrite64:error=EIO:when=2");
        assert_eq!((ended, reason.as_str()), (PamCode::AuthinfoUnavail, "store"));
        assert_eq!(State::of("alice").charges(), [1, 1, 0, 1]);
        assert_eq!(alice.attempt().answer(&code).run(alice.world).code(), PamCode::Success, "it was never accepted");
        assert_eq!(alice.attempt().answer(&code).run(alice.world).code(), PamCode::AuthErr);
    });
}

#[test]
fn a_sync_that_fails_denies_and_its_code_is_never_accepted_twice() {
    for errno in ["EIO", "ENOSPC", "EDQUOT"] {
        Setup::new().enrolled(|alice| {
            let mut codes = alice.codes();
            let (now, next) = (codes.next(), codes.next());
            let (ended, reason, detail) =
                reason(alice, alice.attempt().answer(&now), &format!("inject=fdatasync:error={errno}"));
            assert_eq!((ended, reason.as_str()), (PamCode::AuthinfoUnavail, "store"));
            assert!(detail.contains("check whether the file system is read-only, full or failing"), "{detail}");
            let again = [&now, &now].map(|code| alice.attempt().answer(code).run(alice.world).code());
            assert!(again.iter().filter(|code| **code == PamCode::Success).count() <= 1, "I2: {again:?}");
            assert_eq!(alice.attempt().answer(&next).run(alice.world).code(), PamCode::Success, "I4: {errno}");
        });
    }
}

#[test]
fn a_sync_that_fails_for_ever_lets_nobody_in() {
    Setup::new().enrolled(|alice| {
        let mut codes = alice.codes();
        for code in [codes.next(), codes.next()] {
            let (ended, reason, _) = reason(alice, alice.attempt().answer(&code), "inject=fdatasync:error=EIO");
            assert_eq!((ended, reason.as_str()), (PamCode::AuthinfoUnavail, "store"));
        }
    });
}

#[test]
fn a_read_that_fails_denies() {
    Setup::new().enrolled(|alice| {
        for (file, call) in [("state/alice", "pread64"), ("credentials/alice.toml", "read")] {
            let mark = alice.world.log_mark();
            let path = format!("{STORE}/{file}");
            let trace = ["strace", "-f", "-o", "/run/trace", "-P", &path, "-e", &format!("inject={call}:error=EIO")];
            let outcome = alice.attempt().answer(alice.codes().next()).under(trace).run(alice.world);
            assert_eq!(outcome.code(), PamCode::AuthinfoUnavail, "{file}");
            let detail = alice.world.entries_since(mark)[0].detail.clone().unwrap_or_default();
            assert!(detail.starts_with(&format!("cannot read {path}: ")), "{detail}");
        }
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn a_write_that_comes_short_is_carried_on() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        // The kernel is told to write what it can, and the caller hears of 100 bytes.
        let trace = ["strace", "-f", "-o", "/run/trace", "-e", "inject=pwrite64:retval=100:when=1"];
        let outcome = alice.attempt().answer(&code).under(trace).run(alice.world);
        assert_eq!(outcome.code(), PamCode::Success, "{:#?}", alice.world.log());
        assert_eq!(alice.attempt().answer(&code).run(alice.world).code(), PamCode::AuthErr);
    });
}

#[test]
fn a_host_that_may_write_no_file_is_told_why_it_is_denied() {
    Setup::new().enrolled(|alice| {
        for limit in ["0", "8191"] {
            let state = State::of("alice");
            let mark = alice.world.log_mark();
            let attempt =
                alice.attempt().answer(alice.codes().next()).under(["prlimit", &format!("--fsize={limit}:unlimited")]);
            let outcome = attempt.run(alice.world);
            assert_eq!((outcome.code(), outcome.signal()), (PamCode::AuthinfoUnavail, None), "G07, T-RLIM: {limit}");
            let entries = alice.world.entries_since(mark);
            let detail = entries[0].detail.clone().unwrap_or_default();
            assert!(detail.contains("raise the file size limit of the service (RLIMIT_FSIZE"), "{detail}");
            assert_eq!(State::of("alice"), state);
        }
        let enough = alice.attempt().answer(alice.codes().next()).under(["prlimit", "--fsize=8192:unlimited"]);
        assert_eq!(enough.run(alice.world).code(), PamCode::Success);
    });
}
