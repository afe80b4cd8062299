//! Accounts that were renamed (`usermod -l`): no user with a second factor counts as one without, and `adopt OLD NEW`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use twinlock_tests::{Attempt, Enrolled, PamCode, STORE, Snapshot, World, credentials_of, in_world, state_of};

use crate::devices::verbs::{done, refused};

/// alice, enrolled, on a host where a second factor is optional.
fn with_optional(test: impl FnOnce(&World, &Enrolled) + Send) {
    in_world(|world| {
        world.set_up("second_factor = \"optional\"");
        // A module that is ignored leaves the login to the others.
        world.service("svc", "auth required pam_twinlock.so\nauth required pam_permit.so\n");
        world.account_with_uid("alice", 1001);
        let alice = world.enrol("alice");
        test(world, &alice);
    });
}

/// `usermod -l NEW OLD`.
fn rename(world: &World, old: &str, new: &str, uid: u32) {
    world.remove_account(old);
    world.account_with_uid(new, uid);
}

fn login(world: &World, user: &str, answer: &str) -> PamCode {
    Attempt::new("svc").user(user).answer(answer).run(world).code()
}

/// A login without a code is refused, because of the store, and the log names the remedy.
fn is_refused(world: &World, user: &str) {
    let mark = world.log_mark();
    assert_eq!(login(world, user, "000000"), PamCode::AuthinfoUnavail, "{:#?}", world.log());
    let entries = world.entries_since(mark);
    assert_eq!((entries.len(), entries[0].value("reason")), (1, "store"), "{entries:#?}");
    let detail = entries[0].detail.clone().unwrap_or_default();
    assert!(detail.contains(&format!("`twinlock adopt alice {user}`")), "{detail}");
}

#[test]
fn a_renamed_account_does_not_count_as_not_enrolled() {
    with_optional(|world, alice| {
        assert_eq!(login(world, "alice", &alice.codes().next()), PamCode::Success);
        rename(world, "alice", "bob", 1001);
        is_refused(world, "bob");
        let status = world.twinlock(&["status", "bob"]);
        assert!(status.code == Some(1) && status.stderr.contains("twinlock adopt alice bob"), "{status:?}");
        refused(world, &["enroll", "bob", "--no-confirm"], 1, "twinlock adopt alice bob");
        let check = world.twinlock(&["check"]);
        assert!(check.stderr.contains("twinlock adopt alice NEW"), "{check:?}");
    });
}

#[test]
fn a_renamed_account_is_not_invited_to_enrol() {
    with_optional(|world, _| {
        world.set_up("second_factor = \"enroll\"");
        rename(world, "alice", "bob", 1001);
        let attempt = Attempt::new("svc").user("bob").pam_environment("SSH_AUTH_INFO_0", "password").answer("000000");
        let outcome = attempt.run(world);
        assert_eq!(outcome.code(), PamCode::AuthinfoUnavail);
        assert!(outcome.prompts().iter().all(|prompt| !prompt.contains("app")), "{:?}", outcome.prompts());
    });
}

#[test]
fn credentials_that_were_deployed_are_recognised_after_repair_layout() {
    with_optional(|world, _| {
        world.account_with_uid("dora", 1007);
        let dora = world.deploy("dora");
        assert_eq!(login(world, "dora", &dora.codes().next()), PamCode::Success);
        done(world, &["repair", "--layout"]);
        assert_eq!(fs::read_to_string(format!("{STORE}/uid/1007")).unwrap(), "dora\n");
        rename(world, "dora", "alice2", 1007);
        assert_eq!(login(world, "alice2", "000000"), PamCode::AuthinfoUnavail);
    });
}

#[test]
fn an_enrolment_of_an_older_version_is_recognised_after_repair_layout() {
    with_optional(|world, _| {
        fs::remove_dir_all(format!("{STORE}/uid")).unwrap();
        done(world, &["repair", "--layout"]);
        rename(world, "alice", "bob", 1001);
        is_refused(world, "bob");
    });
}

#[test]
fn a_second_account_with_the_same_uid_is_not_enrolled_and_that_is_no_fault() {
    with_optional(|world, alice| {
        world.account_with_uid("bob", 1001);
        assert_eq!(login(world, "bob", ""), PamCode::Success, "{:#?}", world.log());
        // Both are enrolled, and one of them is renamed: the other one is a sound account.
        world.enrol("bob");
        assert_eq!(fs::read_to_string(format!("{STORE}/uid/1001")).unwrap(), "alice\nbob\n");
        assert_eq!(login(world, "alice", &alice.codes().next()), PamCode::Success);
        rename(world, "alice", "carol", 1001);
        assert_eq!(login(world, "carol", "000000"), PamCode::AuthinfoUnavail, "{:#?}", world.log());
    });
}

#[test]
fn users_who_are_not_enrolled_are_let_in_as_before() {
    with_optional(|world, _| {
        world.account_with_uid("dave", 1009);
        assert_eq!(login(world, "dave", ""), PamCode::Success);
        done(world, &["remove", "alice", "--yes"]);
        assert!(!Path::new(&format!("{STORE}/uid/1001")).exists());
        rename(world, "alice", "bob", 1001);
        assert_eq!(login(world, "bob", ""), PamCode::Success, "{:#?}", world.log());
    });
}

#[test]
fn a_passwd_database_that_cannot_be_asked_and_an_index_that_cannot_be_read_deny() {
    with_optional(|world, _| {
        rename(world, "alice", "bob", 1001);
        // The account of the login is the first question, the old name the second.
        let fault = ["strace", "-f", "-o", "/run/trace", "-P", "/etc/passwd", "-e", "inject=openat:error=EIO:when=2"];
        let attempt = Attempt::new("svc").user("bob").answer("000000");
        assert_eq!(attempt.under(fault).run(world).code(), PamCode::AuthinfoUnavail);
        assert!(fs::read_to_string("/run/trace").unwrap().contains("INJECTED"));
        world.write_secret(format!("{STORE}/uid/1001"), "a/b\n");
        assert_eq!(login(world, "bob", "000000"), PamCode::AuthinfoUnavail);
        fs::remove_file(format!("{STORE}/uid/1001")).unwrap();
        done(world, &["repair", "--layout"]);
        is_refused(world, "bob");
    });
}

#[test]
fn adopt_moves_everything_to_the_new_name_and_what_was_used_stays_used() {
    for uid in [1001, 1044] {
        with_optional(|world, alice| {
            let mut codes = alice.codes();
            let used = codes.next();
            assert_eq!(login(world, "alice", &used), PamCode::Success);
            assert_eq!(login(world, "alice", &alice.recovery_codes[2]), PamCode::Success);
            rename(world, "alice", "bob", uid);
            let mark = world.log_mark();
            done(world, &["adopt", "alice", "bob"]);
            let said = world.log().split_off(mark);
            assert!(said.iter().any(|line| line.text.contains("change=adopted") && line.text.contains("user=bob")));
            for old in [credentials_of("alice"), state_of("alice")] {
                assert!(!old.exists(), "{}", old.display());
            }
            assert_eq!(fs::read_to_string(format!("{STORE}/uid/{uid}")).unwrap(), "bob\n");
            assert_eq!(fs::read_dir(format!("{STORE}/uid")).unwrap().count(), 1);
            assert_eq!(login(world, "bob", &used), PamCode::AuthErr);
            assert_eq!(login(world, "bob", &alice.recovery_codes[2]), PamCode::AuthErr);
            assert_eq!(login(world, "bob", &codes.next()), PamCode::Success);
            done(world, &["check"]);
        });
    }
}

#[test]
fn adopt_takes_nothing_from_an_account_that_is_there_and_replaces_nothing() {
    with_optional(|world, _| {
        world.account_with_uid("bob", 1002);
        let store = Snapshot::of(STORE);
        refused(world, &["adopt", "alice", "bob"], 1, "alice is still an account of this host");
        refused(world, &["adopt", "zoe", "bob"], 4, "zoe is not enrolled");
        refused(world, &["adopt", "alice", "zoe"], 1, "there is no account named zoe");
        assert_eq!(Snapshot::of(STORE), store);
        world.enrol("bob");
        world.remove_account("alice");
        let store = [credentials_of("alice"), credentials_of("bob"), state_of("bob")].map(Snapshot::of);
        refused(
            world,
            &["adopt", "alice", "bob"],
            1,
            "bob already has a second factor, so it cannot take over that of alice",
        );
        assert_eq!([credentials_of("alice"), credentials_of("bob"), state_of("bob")].map(Snapshot::of), store);
        done(world, &["remove", "alice", "--yes"]);
        assert!(!credentials_of("alice").exists() && !state_of("alice").exists());
    });
}

/// Calls of an adoption that change something, each with the how many-th of its name it is.
fn writes_of_adopt(world: &World) -> Vec<(String, usize)> {
    const WRITES: [&str; 7] = ["openat", "write", "pwrite64", "fsync", "fdatasync", "renameat", "unlinkat"];
    let launch = world.twinlock_launch(&["adopt", "alice", "bob"]).under(["strace", "-o", "/run/trace"]);
    assert_eq!(launch.run().code, Some(0));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for (name, rest) in fs::read_to_string("/run/trace").unwrap().lines().filter_map(|line| line.split_once('(')) {
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        if WRITES.contains(&name) && (name != "openat" || rest.contains("O_CREAT")) {
            calls.push((name.to_owned(), *count));
        }
    }
    calls
}

#[test]
fn killed_at_any_write_adopt_leaves_the_user_refused_or_with_the_second_factor_and_the_next_run_finishes() {
    with_optional(|world, alice| {
        let used = alice.codes().next();
        assert_eq!(login(world, "alice", &used), PamCode::Success);
        done(world, &["unlock", "alice"]);
        rename(world, "alice", "bob", 1001);
        done(world, &["--help"]);
        let copy = |from: &str, to: &str| {
            let copied = twinlock_tests::Launch::new(["sh", "-c", &format!("rm -rf {to}; cp -a {from} {to}")]).run();
            assert_eq!(copied.code, Some(0), "{copied:?}");
        };
        copy(STORE, "/var/lib/before");
        let points = writes_of_adopt(world);
        assert!(points.len() >= 20, "{points:?}");
        for (name, number) in points {
            let when = format!("{name} {number}");
            copy("/var/lib/before", STORE);
            let inject = format!("inject={name}:signal=SIGKILL:when={number}");
            let trace = ["strace", "-o", "/run/trace", "-e", &format!("trace={name}"), "-e", &inject];
            let killed = world.twinlock_launch(&["adopt", "alice", "bob"]).under(trace).run();
            assert_eq!(killed.signal, Some(9), "{when}: {killed:?}");
            let code = login(world, "bob", "000000");
            assert!(matches!(code, PamCode::AuthinfoUnavail | PamCode::AuthErr), "{when}: {code:?}");
            // The last write may be the line of the log.
            let again = world.twinlock(&["adopt", "alice", "bob"]);
            assert!(matches!(again.code, Some(0 | 4)), "{when}: {again:?}");
            assert!(!credentials_of("alice").exists() && !state_of("alice").exists(), "{when}");
            assert_eq!(login(world, "bob", &used), PamCode::AuthErr, "{when}");
            let fresh = alice.authenticator.code_at(alice.authenticator.now_step() + 1);
            assert_eq!(login(world, "bob", &fresh), PamCode::Success, "{when}");
        }
    });
}
