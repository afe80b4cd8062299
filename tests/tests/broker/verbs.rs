//! All that users do for themselves, as they do it: on a terminal, or with a code piped in.

use std::fs;
use std::os::unix::fs::MetadataExt;

use twinlock_tests::{
    Attempt, Authenticator, PASSWORD, PamCode, Setup, Snapshot, Terminal, User, World, address_in, credentials_of,
    recovery_code_in, recovery_codes_in,
};

use crate::asked::{CONFIRM, KEPT, PROOF, by_broker, changes};

fn login(world: &World, answer: &str) -> PamCode {
    Attempt::new("svc").user("alice").answer(answer).run(world).code()
}

/// Shows that the new recovery codes are there; one of them.
fn keep(terminal: &mut Terminal) -> String {
    let shown = terminal.expect(KEPT);
    let code = recovery_code_in(&shown);
    terminal.send_line(&code);
    code
}

/// Scans the new app and types its code.
fn confirm(terminal: &mut Terminal) -> Authenticator {
    let shown = terminal.expect(CONFIRM);
    let app = Authenticator::from_uri(address_in(&shown));
    terminal.send_line(&app.code_at(app.now_step()));
    app
}

#[test]
fn the_pictures_of_a_first_enrolment_are_the_user_s_own() {
    Setup::with_broker().unenrolled(|world, alice| {
        let pictures = ["/home/alice/code.png", "/home/alice/code.svg"];
        let arguments = ["enroll", "--label", "my phone", "--png", pictures[0], "--svg", pictures[1], "--qr", "none"];
        let begin = || {
            let mut terminal = Terminal::start(world.twinlock_as(alice, &arguments));
            terminal.expect("Password: ");
            terminal.send_line(PASSWORD);
            terminal
        };
        // Given up: the pictures are gone again.
        let mut terminal = begin();
        terminal.expect(CONFIRM);
        assert!(pictures.iter().all(|path| fs::exists(path).unwrap()));
        terminal.send(b"\x04");
        assert_eq!(terminal.finish().code, Some(1));
        assert!(!pictures.iter().any(|path| fs::exists(path).unwrap()));
        assert!(!fs::exists(credentials_of("alice")).unwrap());

        let mut terminal = begin();
        let app = confirm(&mut terminal);
        keep(&mut terminal);
        terminal.expect("Done: alice now has a second factor.");
        assert_eq!(terminal.finish().code, Some(0));
        for path in pictures {
            let found = fs::metadata(path).unwrap();
            assert_eq!((found.mode() & 0o7777, found.uid(), found.gid()), (0o600, alice.uid, alice.uid), "{path}");
        }
        assert!(fs::read(pictures[0]).unwrap().starts_with(b"\x89PNG"));
        assert!(fs::read_to_string(pictures[1]).unwrap().contains("<svg"));
        let devices = world.twinlock_as(alice, &["device", "list", "--json"]).run().json();
        assert_eq!(devices[0]["label"], "my phone");
        let used = app.code_at(app.now_step());
        assert_eq!(login(world, &used), PamCode::AuthErr, "the confirming code is used");
        assert_eq!(login(world, &app.code_at(app.now_step() + 1)), PamCode::Success);
        // Never over a file that is there; nobody is asked for more than the code first.
        let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll", "--add", "--png", pictures[0]]));
        terminal.expect(PROOF);
        terminal.send(b"\x04");
        assert_eq!(terminal.finish().code, Some(1));
    });
}

#[test]
fn a_picture_that_cannot_be_written_ends_the_enrolment() {
    Setup::with_broker().enrolled(|alice| {
        let before = Snapshot::of(credentials_of("alice"));
        alice.world.write("/home/alice/there.png", "a holiday");
        for (at, path) in ["/home/alice/there.png", "/root/code.png", "/etc/code.png"].into_iter().enumerate() {
            let mut terminal = alice.types(&["enroll", "--add", "--png", path]);
            terminal.expect(PROOF);
            terminal.send_line(alice.recovery_code(at));
            terminal.expect(&format!("twinlock: cannot write the QR code to {path}: "));
            assert_eq!(terminal.finish().code, Some(1));
        }
        assert_eq!(Snapshot::of(credentials_of("alice")), before);
        assert_eq!(fs::read_to_string("/home/alice/there.png").unwrap(), "a holiday");
    });
}

#[test]
fn a_second_app_is_added() {
    Setup::with_broker().enrolled(|alice| {
        let mark = alice.world.log_mark();
        let mut terminal = alice.types(&["enroll", "--add", "--label", "tablet"]);
        terminal.expect(PROOF);
        terminal.send_line(&alice.codes().next());
        let app = confirm(&mut terminal);
        terminal.expect("Done: alice now has a second factor.");
        let output = terminal.finish();
        assert_eq!(output.code, Some(0));
        assert!(!output.stdout.contains(KEPT), "the recovery codes are those of before");
        assert_eq!(changes(alice.world, mark), ["twinlockd: change=device-added user=alice by-uid=1001"]);
        let listed = alice.runs(&["device", "list"], &[]);
        assert_eq!(listed.stdout.lines().count(), 2, "{listed:?}");
        assert!(listed.stdout.contains("  tablet  totp SHA1 6 digits 30 s  created "), "{listed:?}");
        assert_eq!(login(alice.world, &app.code_at(app.now_step() + 1)), PamCode::Success);
        let mut codes = alice.codes();
        codes.next();
        assert_eq!(login(alice.world, &codes.next()), PamCode::Success, "and the old one is still good");
        assert_eq!(login(alice.world, alice.recovery_code(0)), PamCode::Success);
    });
}

#[test]
fn everything_is_replaced() {
    Setup::with_broker().enrolled(|alice| {
        let mark = alice.world.log_mark();
        let mut terminal = alice.types(&["enroll", "alice", "--replace"]);
        terminal.expect(PROOF);
        terminal.send_line(alice.recovery_code(0));
        let app = confirm(&mut terminal);
        let recovery = keep(&mut terminal);
        terminal.expect("Done: alice now has a second factor.");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(changes(alice.world, mark), ["twinlockd: change=replaced user=alice by-uid=1001"]);
        assert_eq!(alice.runs(&["device", "list"], &[]).stdout.lines().count(), 1);
        assert_eq!(alice.runs(&["recovery", "count"], &[]).stdout, "10\n", "the one that was shown back is not spent");
        assert_eq!(login(alice.world, &app.code_at(app.now_step() + 1)), PamCode::Success);
        assert_eq!(login(alice.world, &alice.codes().next()), PamCode::AuthErr);
        assert_eq!(login(alice.world, alice.recovery_code(1)), PamCode::AuthErr);
        assert_eq!(login(alice.world, &recovery), PamCode::Success);
    });
}

#[test]
fn recovery_codes_are_renewed() {
    Setup::with_broker().enrolled(|alice| {
        let mark = alice.world.log_mark();
        let mut terminal = alice.types(&["recovery", "new"]);
        terminal.expect(PROOF);
        terminal.send_line(&alice.codes().next());
        let shown = terminal.expect(KEPT);
        let (_, new) = shown.split_once("These are your recovery codes.").unwrap();
        let listed = recovery_codes_in(new);
        assert_eq!(listed.len(), 10, "{shown}");
        let new = listed[3].clone();
        terminal.send_line("XXXX-XXXX-XXXX-XXXX");
        terminal.expect("That is not one of the codes above.");
        terminal.send_line(&new);
        terminal.expect("Done: the new recovery codes of alice are valid, and the old ones no longer work.");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(changes(alice.world, mark), ["twinlockd: change=recovery-codes-renewed user=alice by-uid=1001"]);
        assert_eq!(alice.runs(&["recovery", "count"], &[]).stdout, "10\n");
        assert_eq!(login(alice.world, alice.recovery_code(1)), PamCode::AuthErr);
        assert_eq!(login(alice.world, &new), PamCode::Success);
        assert_eq!(alice.runs(&["recovery", "count", "--json"], &[]).json()["recovery_codes_left"], 9);
    });
}

fn change(alice: &User<'_>, arguments: &[&str], code: usize) -> (Option<i32>, String) {
    let output = alice.runs(arguments, &[alice.recovery_code(code)]);
    assert_eq!(output.stdout, "", "{arguments:?}");
    (output.code, output.stderr)
}

#[test]
fn a_device_is_renamed_suspended_resumed_and_removed() {
    Setup::with_broker().enrolled(|alice| {
        alice.world.enrol_with("alice", &["--add", "--label", "tablet"]);
        let devices = alice.runs(&["device", "list", "--json"], &[]).json();
        let tablet = devices[1]["id"].as_str().unwrap();
        let mark = alice.world.log_mark();
        let done = |what: &str| (Some(0), format!("alice: {what}\n"));
        assert_eq!(change(alice, &["device", "rename", "phone", "work phone"], 0), done("renamed phone1"));
        assert_eq!(change(alice, &["device", "suspend", "work phone"], 1), done("suspended phone1"));
        assert!(alice.runs(&["device", "list"], &[]).stdout.contains("SUSPENDED"));
        assert_eq!(login(alice.world, &alice.codes().next()), PamCode::AuthErr);
        assert_eq!(change(alice, &["device", "resume", "alice", "phone1"], 2), done("resumed phone1"));
        assert_eq!(login(alice.world, &alice.codes().next()), PamCode::Success);
        assert_eq!(change(alice, &["device", "remove", "alice", tablet], 3), done(&format!("removed {tablet}")));
        let line = |change: &str| format!("twinlockd: change={change} user=alice by-uid=1001");
        let made = ["device-renamed", "device-suspended", "device-resumed", "device-removed"];
        assert_eq!(changes(alice.world, mark), made.map(line));
        // The last one is not removed so, and what is not there not at all; both cost the code that was shown.
        let (code, told) = change(alice, &["device", "remove", "alice", "phone1"], 4);
        assert_eq!(
            (code, told.contains("hint: `twinlock remove alice` removes the second factor altogether")),
            (Some(1), true),
            "{told}"
        );
        let (code, told) = change(alice, &["device", "suspend", "alice", "nosuch"], 5);
        assert_eq!(
            (code, told.contains("hint: `twinlock device list alice` shows the devices with their ids and labels")),
            (Some(1), true),
            "{told}"
        );
        let (code, told) = change(alice, &["device", "suspend", "alice", "phone1"], 6);
        let alone = "alice: suspended phone1\nalice has no active device left: only recovery codes are accepted until \
                     you resume one that `twinlock device list alice` shows\n";
        assert_eq!((code, told.as_str()), (Some(0), alone));
        assert_eq!(alice.runs(&["recovery", "count"], &[]).stdout, "3\n");
    });
}

#[test]
fn a_code_is_tried_as_in_a_login() {
    Setup::with_broker().enrolled(|alice| {
        let mut codes = alice.codes();
        let mark = alice.world.log_mark();
        let code = codes.next();
        assert_eq!(
            alice.runs(&["verify"], &[&code]).parts(),
            (Some(0), "correct: the code is now used up; the next login needs a new one\n", "")
        );
        let output = alice.runs(&["verify", "alice"], &[&code]);
        let told = "twinlock: that code has been used already\nhint: wait for the next code\n";
        assert_eq!(output.parts(), (Some(1), "", told));
        let right = "correct: this recovery code is now used up; 9 left\n";
        assert_eq!(alice.runs(&["verify"], &[alice.recovery_code(0)]).parts(), (Some(0), right, ""));
        assert_eq!(alice.runs(&["verify"], &[&alice.wrong_code()]).code, Some(1));
        assert_eq!(alice.runs(&["verify"], &[]).code, Some(1));
        alice.world.wait_for_log(|line| line.text.contains("reason=no-answer"));
        let ends: Vec<_> = by_broker(alice.world, mark)
            .iter()
            .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        let expected = [
            "result=granted reason=-",
            "result=refused reason=replayed",
            "result=granted reason=-",
            "result=refused reason=wrong-code",
            "result=refused reason=no-answer",
        ];
        assert_eq!(ends, expected);
        let mut terminal = alice.types(&["verify"]);
        terminal.expect("Verification code: ");
        terminal.send_line(&codes.next());
        terminal.expect("correct: the code is now used up; the next login needs a new one\n");
        assert_eq!(terminal.finish().code, Some(0));
    });
}

#[test]
fn a_clock_is_set_right() {
    Setup::with_broker().enrolled(|alice| {
        let app = &alice.enrolled.authenticator;
        let at = |away: u64| app.code_at(app.now_step() + 12 + away);
        assert_eq!(login(alice.world, &at(0)), PamCode::AuthErr);
        let mark = alice.world.log_mark();
        let output = alice.runs(&["resync"], &[&at(0), &at(1)]);
        assert_eq!(output.parts(), (Some(0), "correct: codes of this device are accepted again\n", ""));
        assert_eq!(changes(alice.world, mark), ["twinlockd: change=resynced user=alice by-uid=1001"]);
        assert_eq!(login(alice.world, &at(2)), PamCode::Success);
    });
}

#[test]
fn a_second_factor_is_removed() {
    Setup::with_broker().config("second_factor = \"optional\"\n").enrolled(|alice| {
        let mark = alice.world.log_mark();
        let mut terminal = alice.types(&["remove", "alice"]);
        terminal.expect("Remove the second factor of alice? Type yes: ");
        terminal.send_line("no");
        assert_eq!(terminal.finish().code, Some(1));
        let mut terminal = alice.types(&["remove", "alice"]);
        terminal.expect("Type yes: ");
        terminal.send_line("yes");
        terminal.expect(PROOF);
        terminal.send_line(&alice.codes().next());
        terminal.expect("alice: second factor removed. Without a second factor, alice logs in");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(changes(alice.world, mark), ["twinlockd: change=removed user=alice by-uid=1001"]);
        assert_eq!(alice.attempt().run(alice.world).prompts(), Vec::<&str>::new());
        let not_enrolled = "twinlock: alice is not enrolled\nhint: enrol the account with `twinlock enroll alice`\n";
        let nothing_to_remove = "twinlock: alice is not enrolled\nhint: there is nothing to remove\n";
        assert_eq!(alice.runs(&["remove", "alice", "--yes"], &[]).parts(), (Some(4), "", nothing_to_remove));
        for arguments in [
            &["recovery", "count"][..],
            &["recovery", "new"],
            &["device", "list"],
            &["device", "suspend", "alice", "phone"],
            &["enroll", "--add"],
            &["enroll", "--replace"],
        ] {
            assert_eq!(alice.runs(arguments, &[]).parts(), (Some(4), "", not_enrolled), "{arguments:?}");
        }
        assert_eq!(alice.runs(&["verify"], &["123456"]).code, Some(4));
    });
}

#[test]
fn what_is_shown_to_users_is_what_is_shown_to_root() {
    Setup::with_broker().enrolled(|alice| {
        alice.world.enrol_with("alice", &["--add", "--type", "hotp", "--label", "token"]);
        alice.unprivileged_attempt().rhost("192.0.2.7").answer(alice.codes().next()).run(alice.world);
        alice.unprivileged_attempt().answer(alice.wrong_code()).run(alice.world);
        for arguments in [
            &["status", "alice"][..],
            &["status", "alice", "--json"],
            &["device", "list", "alice"],
            &["device", "list", "alice", "--json"],
            &["recovery", "count", "alice"],
            &["recovery", "count", "alice", "--json"],
        ] {
            let by_alice = alice.runs(arguments, &[]);
            assert_eq!(by_alice, alice.world.twinlock(arguments), "{arguments:?}");
            assert_eq!(by_alice.code, Some(0), "{arguments:?}");
        }
        alice.world.twinlock(&["remove", "alice", "--yes"]);
        for arguments in [&["status", "alice"][..], &["status", "alice", "--json"], &["recovery", "count", "alice"]] {
            let by_alice = alice.runs(arguments, &[]);
            assert_eq!(by_alice, alice.world.twinlock(arguments), "{arguments:?}");
            assert_eq!(by_alice.code, Some(4), "{arguments:?}");
        }
    });
}

#[test]
fn an_enrolment_can_be_had_as_json() {
    Setup::with_broker().enrolled(|alice| {
        let mut terminal = Terminal::start(
            alice.world.twinlock_as(&alice.account, &["enroll", "--add", "--json", "--qr", "none"]).under([
                "sh",
                "-c",
                "\"$@\" >/home/alice/json",
                "sh",
            ]),
        );
        terminal.expect(PROOF);
        terminal.send_line(&alice.codes().next());
        let app = confirm(&mut terminal);
        assert_eq!(terminal.finish().code, Some(0));
        let printed: serde_json::Value =
            serde_json::from_str(&fs::read_to_string("/home/alice/json").unwrap()).unwrap();
        assert_eq!(Authenticator::from_uri(printed["uri"].as_str().unwrap()), app);
        let names: Vec<_> = printed.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = ["user", "authenticator", "label", "type", "uri", "recovery_codes"];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(printed["recovery_codes"].as_array().map(Vec::len), Some(0));
    });
}
