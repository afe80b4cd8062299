//! What is on the disk, and what is refused of it.

use std::fs;

use twinlock_tests::{Canaries, PamCode, STORE, Setup, Snapshot, User, credentials_of};

use super::given::{KEY, PHRASE, SITE, done, mode, sealed_file, with_sealed, with_site_key};

/// The reason and the detail of a login with a good code, which is refused.
fn refusal(alice: &User<'_>) -> (String, String) {
    let mark = alice.world.log_mark();
    assert_eq!(alice.login().code(), PamCode::AuthinfoUnavail);
    let line = alice.world.log_since(mark).into_iter().find(|line| line.text.contains("result=refused")).unwrap().text;
    let value = |key: &str| line.split(key).nth(1).unwrap().to_owned();
    (value("reason=").split(' ').next().unwrap().to_owned(), value("detail="))
}

#[test]
fn a_sealed_user_logs_in_by_code_and_recovery_code_and_the_files_show_no_secret() {
    with_site_key(|alice| {
        let mut canaries = Canaries::default();
        let text = fs::read_to_string(credentials_of("alice")).unwrap();
        canaries.password(text.split("secret = \"").nth(1).unwrap().split('"').next().unwrap());
        let output = done(alice.world, &["enable", "--escrow", PHRASE]);
        assert!(output.stderr.contains("sealed the secrets of 1 user with the key"), "{output:?}");
        assert_eq!(mode(), "yes");
        assert!(!credentials_of("alice").exists() && sealed_file("alice").exists());
        for (path, bytes) in Snapshot::of(STORE).contents() {
            canaries.assert_not_in(&path.display().to_string(), bytes);
            assert!(!String::from_utf8_lossy(bytes).contains("argon2"), "{}: recovery hashes", path.display());
        }
        assert_eq!(alice.login().code(), PamCode::Success);
        let by_recovery = alice.attempt().answer(alice.recovery_code(0)).run(alice.world);
        assert_eq!(by_recovery.code(), PamCode::Success);
        assert_eq!(done(alice.world, &["enable"]).stderr, "nothing to do: all secrets are sealed\n");
        done(alice.world, &["disable"]);
        assert_eq!((mode().as_str(), sealed_file("alice").exists()), ("", false));
        assert!(fs::read_to_string(credentials_of("alice")).unwrap().contains("argon2"));
        assert_eq!(alice.attempt().answer(alice.recovery_code(1)).run(alice.world).code(), PamCode::Success);
    });
}

#[test]
fn without_its_key_a_sealed_user_is_refused_with_the_command_that_helps() {
    with_sealed(|alice| {
        for key in [None, Some(vec![8; 32]), Some(vec![7; 31])] {
            match &key {
                None => fs::remove_file(KEY).unwrap(),
                Some(bytes) => alice.world.write_secret(KEY, bytes),
            }
            let (reason, detail) = refusal(alice);
            let is_short = key.is_some_and(|bytes| bytes.len() < 32);
            assert_eq!(reason, if is_short { "store" } else { "sealed" }, "{detail}");
            assert!(is_short || detail.contains("twinlock seal recover"), "{detail}");
            let status = alice.world.twinlock(&["seal", "status"]);
            assert!(status.stdout.contains("NOT LOADED"), "{status:?}");
        }
        alice.world.write_secret(KEY, [7; 32]);
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn a_file_that_was_cut_or_changed_or_moved_is_refused_with_the_reason() {
    with_sealed(|alice| {
        let whole = fs::read(sealed_file("alice")).unwrap();
        let write = |bytes: &[u8]| alice.world.write_secret(sealed_file("alice"), bytes);
        let last = whole.len() - 1;
        for at in [8, 20, 40, 70, last] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            write(&changed);
            assert_eq!(refusal(alice).0, "sealed", "byte {at}");
        }
        for length in [0, 10, 60, last] {
            write(&whole[..length]);
            assert_eq!(refusal(alice).0, "sealed", "{length} bytes");
        }
        // Another user's file under one's name.
        alice.world.account("bob");
        alice.world.deploy("bob");
        assert_eq!(alice.world.twinlock(&["seal", "import", "bob"]).code, Some(0));
        write(&fs::read(sealed_file("bob")).unwrap());
        let (reason, detail) = refusal(alice);
        assert_eq!(reason, "sealed");
        assert!(detail.contains("it was changed, or was sealed for another user or store"), "{detail}");
        write(&whole);
        assert_eq!(alice.login().code(), PamCode::Success);
    });
}

#[test]
fn a_file_of_another_store_does_not_open() {
    with_sealed(|alice| {
        let other = "0".repeat(32);
        for path in [twinlock_tests::BESIDE.to_owned(), format!("{STORE}/store-id")] {
            let text = fs::read_to_string(&path).unwrap().replacen(&"5eed".repeat(8), &other, 1);
            fs::write(&path, text).unwrap();
        }
        assert_eq!(refusal(alice).0, "sealed");
    });
}

#[test]
fn enrolment_devices_and_removal_work_while_secrets_are_sealed() {
    with_sealed(|alice| {
        let world = alice.world;
        world.account("bob");
        let bob = world.enrol("bob");
        assert!(sealed_file("bob").exists() && !credentials_of("bob").exists());
        let listed = world.twinlock(&["list", "--json"]).stdout;
        assert!(listed.contains("\"alice\"") && listed.contains("\"bob\""), "{listed}");
        assert_eq!(world.twinlock(&["device", "rename", "bob", &bob.label, "new"]).code, Some(0));
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
        assert_eq!(world.twinlock(&["remove", "bob", "--yes"]).code, Some(0));
        assert!(!sealed_file("bob").exists());
    });
}

#[test]
fn an_account_with_a_new_uid_or_name_keeps_its_sealed_second_factor() {
    Setup::new().config(SITE).enrolled_by_command(&[]).enrolled(|alice| {
        alice.world.write_secret(KEY, [7; 32]);
        done(alice.world, &["enable", "--escrow", PHRASE]);
        alice.world.account_with_uid("alice", 4321);
        assert_eq!(refusal(alice).0, "store");
        assert_eq!(alice.world.twinlock(&["adopt", "alice"]).code, Some(0));
        assert_eq!(alice.login().code(), PamCode::Success);
        alice.world.remove_account("alice");
        alice.world.account_with_uid("carol", 4321);
        let adopted = alice.world.twinlock(&["adopt", "alice", "carol"]);
        assert_eq!(adopted.code, Some(0), "{adopted:?}");
        assert!(sealed_file("carol").exists() && !sealed_file("alice").exists());
    });
}

#[test]
fn a_screen_locker_logs_in_by_the_broker_while_secrets_are_sealed() {
    Setup::with_broker().config(SITE).enrolled(|alice| {
        alice.world.write_secret(KEY, [7; 32]);
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let outcome = alice.unprivileged_attempt().answer(alice.codes().next()).run(alice.world);
        assert_eq!(outcome.code(), PamCode::Success);
        fs::remove_file(KEY).unwrap();
        let mark = alice.world.log_mark();
        let outcome = alice.unprivileged_attempt().answer(alice.recovery_code(0)).run(alice.world);
        assert_eq!(outcome.code(), PamCode::AuthinfoUnavail);
        assert!(alice.world.log_since(mark).iter().any(|line| line.text.contains("reason=sealed")));
    });
}

/// The system calls of a login with a good code, by these names, with their arguments.
fn traced(alice: &User<'_>, code: usize) -> Vec<String> {
    let under =
        ["strace", "-f", "-o", "/run/trace", "-e", "trace=openat,openat2,open,execve,clone,fork,vfork,socket,connect"];
    let outcome = alice.attempt().answer(alice.recovery_code(code)).under(under).run(alice.world);
    assert_eq!(outcome.code(), PamCode::Success);
    let trace = fs::read_to_string("/run/trace").unwrap();
    trace.lines().map(|line| line.split_once(' ').unwrap().1.trim_start().to_owned()).collect()
}

#[test]
fn a_sealed_login_opens_no_device_starts_no_process_and_uses_no_socket_that_one_in_clear_does_not() {
    with_site_key(|alice| {
        let count = |calls: &[String], word: &str| calls.iter().filter(|call| call.contains(word)).count();
        let before = traced(alice, 0);
        done(alice.world, &["enable", "--escrow", PHRASE]);
        let after = traced(alice, 1);
        for word in ["execve(", "clone", "fork", "socket(", "connect(", "/dev/"] {
            assert_eq!(count(&after, word), count(&before, word), "{word}: {after:#?}");
        }
        assert!(
            count(&after, "alice.sealed") > 0 && count(&after, "twinlock-key") > 0 && count(&after, "/dev/tpm") == 0
        );
    });
}
