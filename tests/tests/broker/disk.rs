//! A disk that is full, read-only, or fails, under the broker: the client learns that the host is not in order, its log
//! says what it is, and nothing is stored by half.

use std::fs;

use twinlock_tests::{Broker, PamCode, STORE, credentials_of, state_of};

use crate::injection::{Host, attach, later_code, wait_until, with_host};
use crate::person::{Given, Talk, Turn, enroll, renew};

const GENERIC: &str = "this host cannot do that at the moment, because of a problem that its administrator has to fix";
const LAST: &str = "Enter one of these codes";

fn files() -> [Option<Vec<u8>>; 2] {
    [fs::read(credentials_of("alice")).ok(), fs::read(state_of("alice")).ok()]
}

/// The last answer is given under this fault: the user hears nothing of what it is, and the log says this.
fn fails(host: &Host<'_>, broker: &Broker, mut talk: Talk, fault: &str, told: &str) {
    let mark = host.world.log_mark();
    let tracer = attach(broker, &["-e", &format!("inject={fault}")]);
    let end = talk.finish_with(LAST);
    assert!(tracer.injected(), "{fault}");
    assert_eq!(end, Turn::Refused("refused".into(), GENERIC.into()), "{fault}");
    let lines = host.host_errors(mark);
    assert_eq!(lines.len(), 1, "{fault}: {lines:#?}");
    let uid = format!("by-uid={}", host.alice.uid);
    assert!(lines[0].text.contains(told) && lines[0].text.contains(&uid), "{fault}: {}", lines[0].text);
    host.assert_sound(fault);
    let left = fs::read_dir(format!("{STORE}/credentials")).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| name == "alice.toml"), "no half of a file is left: {fault}");
}

/// Every way in which storing can fail. The credentials are written beside and renamed; the state in its slots.
fn faults() -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    for (error, told) in [
        ("ENOSPC", "No space left on device"),
        ("EIO", "Input/output error"),
        ("EROFS", "Read-only file system"),
        ("EDQUOT", "Disk quota exceeded"),
    ] {
        for calls in ["pwrite64", "fsync,fdatasync", "rename,renameat,renameat2", "write"] {
            faults.push((format!("{calls}:error={error}"), told));
        }
    }
    faults
}

#[test]
fn a_first_enrolment_that_cannot_be_stored_is_refused_and_leaves_nothing() {
    with_host("", |host| {
        let broker = host.world.broker();
        for (fault, told) in faults() {
            let talk = Talk::begin(host.world.caller(host.alice.uid).connect(), &enroll("first"), Given::password());
            fails(host, &broker, talk.until(LAST), &fault, told);
            assert!(!host.is_enrolled(), "{fault}");
        }
        assert!(host.asks(&enroll("first"), Given::password()).is_done(), "and the next one is stored");
    });
}

#[test]
fn a_replacement_that_cannot_be_stored_is_refused_and_the_old_one_works() {
    with_host("", |host| {
        let broker = host.world.broker();
        for (fault, told) in faults() {
            let held = host.deploy();
            let talk = Talk::begin(
                host.world.caller(host.alice.uid).connect(),
                &enroll("instead"),
                Given::code(&held.recovery_codes[0]),
            );
            let talk = talk.until(LAST);
            let [credentials, _] = files();
            let new = talk.app.clone().unwrap();
            fails(host, &broker, talk, &fault, told);
            // A sync that fails after the rename leaves the new one or the old one: which of both, the disk knows.
            let stays = files()[0] == credentials;
            let works = [held.codes().next(), later_code(&new)].map(|code| host.logs_in(&code) == PamCode::Success);
            assert_eq!(works, [stays, !stays], "{fault}");
            assert!(stays || fault.contains("sync"), "{fault}");
        }
    });
}

#[test]
fn on_a_full_disk_nothing_is_stored() {
    with_host("", |host| {
        for folder in ["credentials", "state"] {
            // Room for a directory and no file.
            let path = format!("{STORE}/{folder}");
            let mount = ["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=8,mode=0700", "store", &path];
            assert_eq!(twinlock_tests::Launch::new(mount).run().code, Some(0));
            fs::write(format!("{path}/.filler"), [1; 4096]).unwrap();
        }
        let _broker = host.world.broker();
        let mark = host.world.log_mark();
        let end = host.asks(&enroll("first"), Given::password());
        assert_eq!(end, Turn::Refused("refused".into(), GENERIC.into()));
        let lines = host.host_errors(mark);
        assert!(lines.len() == 1 && lines[0].text.contains("No space left on device"), "{lines:#?}");
        assert!(!host.is_enrolled());
        for folder in ["credentials", "state"] {
            fs::remove_file(format!("{STORE}/{folder}/.filler")).unwrap();
            let mount = ["mount", "-o", "remount,size=1m", &format!("{STORE}/{folder}")];
            assert_eq!(twinlock_tests::Launch::new(mount).run().code, Some(0));
        }
        assert!(host.asks(&enroll("first"), Given::password()).is_done());
    });
}

#[test]
fn a_read_only_store_refuses_changes_and_still_tells_how_somebody_stands() {
    with_host("", |host| {
        host.deploy();
        for options in [&["--bind", STORE, STORE][..], &["-o", "remount,bind,ro", STORE]] {
            assert_eq!(twinlock_tests::Launch::new(["mount"].iter().chain(options)).run().code, Some(0));
        }
        let broker = host.world.broker();
        let before = files();
        assert!(host.asks(&serde_json::json!("status"), Given::default()).is_done());
        let mark = host.world.log_mark();
        let code = host.world.app_of("alice").codes().next();
        for request in [renew(), enroll("instead"), enroll("beside"), serde_json::json!("verify")] {
            let end = host.asks(&request, Given::code(&code));
            assert_eq!(end, Turn::Refused("refused".into(), GENERIC.into()), "{request}");
        }
        assert_eq!(files(), before);
        wait_until("the log says why", || host.host_errors(mark).len() == 4);
        assert!(host.host_errors(mark).iter().all(|line| line.text.contains("Read-only file system")));
        assert!(broker.is_running());
    });
}
