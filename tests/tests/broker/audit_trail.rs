//! What becomes of the lines of the log when there is no room for them, and when there are too many.

use std::fs;
use std::os::unix::net::UnixDatagram;

use serde_json::{Value, json};
use twinlock_tests::{Launch, Raw, Setup, in_world};

use crate::asked::changes;
use crate::messages::{ask, login, request, say, with_scene};

/// A `/dev/log` whose queue is full and that nobody reads.
fn full_log() -> UnixDatagram {
    fs::remove_file("/dev/log").unwrap();
    let log = UnixDatagram::bind("/dev/log").unwrap();
    let writer = UnixDatagram::unbound().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.send_to(b"<13>flood: x", "/dev/log").is_ok() {}
    log
}

fn rename() -> Value {
    json!({ "device": ["phone1", { "rename": "new" }] })
}

#[test]
fn a_change_that_syslog_does_not_take_is_on_standard_error() {
    Setup::with_broker().enrolled(|alice| {
        let line = "change=device-renamed user=alice by-uid=0";
        let rename = |label: &str| {
            let output = alice.world.twinlock(&["device", "rename", "alice", "phone1", label]);
            output.stderr.lines().filter(|told| told.contains(line)).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(rename("a"), [""; 0]);
        let full = full_log();
        let told = format!("twinlock: not in syslog (Resource temporarily unavailable (os error 11)): {line}");
        assert_eq!(rename("b"), [told]);
        drop(full);
        fs::remove_file("/dev/log").unwrap();
        assert_eq!(rename("c"), [format!("twinlock: not in syslog (No such file or directory (os error 2)): {line}")]);
    });
}

#[test]
fn a_change_that_the_broker_cannot_log_is_on_its_standard_error() {
    in_world(|world| {
        world.set_up("");
        world.broker_service();
        world.account("alice");
        world.deploy("alice");
        let broker = world.broker();
        fs::remove_file("/dev/log").unwrap();
        assert_eq!(ask(Raw::connect(), &request(Some("alice"), &rename())).last, Some('D'));
        assert_eq!(
            broker.stop().stderr,
            "twinlockd: not in syslog (No such file or directory (os error 2)): \
             change=device-renamed user=alice by-uid=0\n"
        );
    });
}

#[test]
fn under_systemd_a_line_that_syslog_does_not_take_goes_to_the_journal() {
    in_world(|world| {
        world.set_up("");
        world.broker_service();
        world.account("alice");
        world.deploy("alice");
        let journald = world.journald(1000);
        // As systemd does it: a stream of the unit's own, and its number in the environment.
        let named = "JOURNAL_STREAM=$(stat --dereference --format=%d:%i /proc/self/fd/2) exec \"$@\"";
        let _broker = world.broker_under(&["systemd-cat", "--identifier=twinlockd", "sh", "-c", named, "sh"]);
        fs::remove_file("/dev/log").unwrap();
        assert_eq!(ask(Raw::connect(), &request(Some("alice"), &rename())).last, Some('D'));
        assert_eq!(journald.lines("twinlockd"), ["4 change=device-renamed user=alice by-uid=0"]);
    });
}

#[test]
fn a_change_has_a_priority_that_no_attempt_has() {
    Setup::with_broker().enrolled(|alice| {
        let output = alice.runs(&["device", "rename", "alice", "phone1", "x"], &[alice.recovery_code(0)]);
        assert_eq!(output.code, Some(0), "{output:?}");
        alice.unprivileged_attempt().answer(alice.wrong_code()).run(alice.world);
        assert_eq!(alice.world.twinlock(&["unlock", "alice"]).code, Some(0));
        let lines = alice.world.log();
        let priorities = |text: &str| -> Vec<u8> {
            let ours = lines.iter().filter(|line| line.tag.starts_with("twinlock") && line.text.contains(text));
            ours.map(|line| line.severity).collect()
        };
        assert_eq!(priorities("change="), [4, 4]);
        assert_eq!((priorities("result=granted"), priorities("result=refused")), (vec![6], vec![5]));
    });
}

#[test]
fn a_change_by_root_names_who_logged_in() {
    Setup::with_broker().enrolled(|alice| {
        let as_login = |uid: &str| {
            let script = format!("echo {uid} >/proc/self/loginuid && exec \"$@\"");
            let rename = ["twinlock", "device", "rename", "alice", "phone1", uid];
            let renamed = Launch::new(rename).under(["sh", "-c", &script, "sh"]).run();
            assert_eq!(renamed.code, Some(0), "{renamed:?}");
        };
        let mark = alice.world.log_mark();
        as_login("1001");
        as_login("4294967295");
        let line = "twinlock: change=device-renamed user=alice by-uid=0";
        assert_eq!(changes(alice.world, mark), [&format!("{line} by-loginuid=1001"), line]);
    });
}

#[test]
fn a_change_through_the_broker_names_who_logged_in_where_that_is_another_user() {
    Setup::with_broker().enrolled(|alice| {
        let uid = alice.account.uid.to_string();
        let script = "echo \"$LOGIN\" >/proc/self/loginuid || exit 99\n\
                      exec setpriv --reuid \"$UID_OF_USER\" --regid \"$UID_OF_USER\" --clear-groups \"$@\"";
        let mark = alice.world.log_mark();
        // Another user's login, the user's own, and none.
        for (login, code) in [("4711", 0), (uid.as_str(), 1), ("4294967295", 2)] {
            let rename = alice.world.twinlock_launch(&["device", "rename", "alice", "phone1", login]);
            let rename = rename.under(["sh", "-c", script, "sh"]).environment("LOGIN", login);
            let typed = format!("{}\n", alice.recovery_code(code));
            let renamed = rename.environment("UID_OF_USER", uid.as_str()).run_with_input(typed.as_bytes());
            assert_eq!(renamed.code, Some(0), "{renamed:?}");
        }
        let line = format!("twinlockd: change=device-renamed user=alice by-uid={uid}");
        assert_eq!(changes(alice.world, mark), [format!("{line} by-loginuid=4711"), line.clone(), line]);
    });
}

#[test]
fn refusals_of_one_uid_are_counted_where_they_are_too_many_and_judged_answers_are_logged_each() {
    const REFUSALS: u64 = 300;
    with_scene(|scene| {
        let (alice, carol) = (scene.caller(&scene.alice), scene.caller(&scene.carol));
        let mark = scene.world.log_mark();
        for _ in 0..REFUSALS {
            assert_eq!(say(alice.connect(), 'L', &login("bob")).text(), "refused unknown-user");
        }
        // Another user is logged all the same, and so is what was counted.
        assert_eq!(say(carol.connect(), 'L', &login("bob")).text(), "refused unknown-user");
        let mut guess = alice.connect();
        guess.say('L', &login("alice"));
        assert_eq!(guess.hear().map(|frame| frame.kind), Some('Q'));
        guess.say('A', scene.phone.authenticator.wrong_code().as_bytes());
        assert_eq!(guess.hear().map(|frame| frame.text()), Some("refused wrong-code".into()));
        scene.broker.ask_to_stop();
        while scene.broker.is_running() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let lines: Vec<_> = scene.world.log_since(mark).into_iter().map(|line| line.text).collect();
        let of = |uid: u32| lines.iter().filter(move |line| line.contains(&format!("uid {uid} requested"))).count();
        let counted: u64 = lines
            .iter()
            .filter_map(|line| line.strip_prefix("not-logged=")?.strip_suffix(&format!(" by-uid={}", scene.alice.uid)))
            .map(|count| count.parse::<u64>().unwrap())
            .sum();
        let logged = u64::try_from(of(scene.alice.uid)).unwrap();
        assert_eq!(logged + counted, REFUSALS, "{lines:#?}");
        assert!((10..150).contains(&logged), "{logged} logged");
        assert_eq!(of(scene.carol.uid), 1);
        assert_eq!(lines.iter().filter(|line| line.contains("reason=wrong-code user=alice")).count(), 1);
    });
}
