//! What the owner of a second factor shows before it is changed: a code, counted and used up like that of a login.

use twinlock_tests::{Output, PamCode, STORE, Setup, Snapshot, State, User};

use crate::asked::{PROOF, by_broker};

const OPTIONAL: &str = "second_factor = \"optional\"\n";
const RENAME: [&str; 5] = ["device", "rename", "alice", "phone", "new"];

/// Every verb that changes something, as it is typed on a terminal.
const CHANGES: [&[&str]; 8] = [
    &["enroll", "--add"],
    &["enroll", "--replace"],
    &["recovery", "new"],
    &RENAME,
    &["device", "suspend", "alice", "phone"],
    &["device", "resume", "alice", "phone"],
    &["device", "remove", "alice", "phone"],
    &["remove", "alice", "--yes"],
];

fn label(alice: &User<'_>) -> String {
    alice.world.twinlock(&["device", "list", "alice", "--json"]).json()[0]["label"].as_str().unwrap().to_owned()
}

fn login(alice: &User<'_>, answer: &str) -> PamCode {
    alice.attempt().answer(answer).run(alice.world).code()
}

#[test]
fn every_change_wants_a_code_first() {
    Setup::with_broker().config(OPTIONAL).enrolled(|alice| {
        let before = Snapshot::of(STORE);
        for arguments in CHANGES {
            let mut terminal = alice.types(arguments);
            let shown = terminal.expect(PROOF);
            assert!(!shown.contains("otpauth"), "{arguments:?}: {shown}");
            terminal.send(b"\x04");
            let output = terminal.finish();
            assert_eq!(output.code, Some(1), "{arguments:?}: {output:?}");
            assert!(output.stdout.contains("twinlock: "), "{arguments:?}: {output:?}");
        }
        assert_eq!(Snapshot::of(STORE), before, "and without one nothing happens");
    });
}

#[test]
fn three_wrong_codes_end_it_and_are_charged() {
    Setup::with_broker().config(OPTIONAL).enrolled(|alice| {
        let credentials = Snapshot::of(twinlock_tests::credentials_of("alice"));
        let mark = alice.world.log_mark();
        let mut terminal = alice.types(&RENAME);
        for _ in 0..3 {
            terminal.expect(PROOF);
            terminal.send_line(&alice.wrong_code());
            terminal.expect("that code is not valid: it matches neither the app right now nor a recovery code\n");
        }
        assert_eq!(terminal.finish().code, Some(1));
        assert_eq!(State::of("alice").charges(), [3, 3, 0, 3]);
        let line = |failures| {
            format!(
                "result=refused reason=wrong-code user=alice method=totp authenticator=- service=twinlock rhost=- failures={failures}"
            )
        };
        assert_eq!(by_broker(alice.world, mark), [line(1), line(2), line(3)]);
        assert_eq!(Snapshot::of(twinlock_tests::credentials_of("alice")), credentials);
        // A login is counted for the same account, and so is the next change.
        assert_eq!(login(alice, &alice.codes().next()), PamCode::AuthErr);
        let output = alice.runs(&RENAME, &[&alice.codes().next()]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(
            output.stderr.starts_with("twinlock: too many incorrect codes: this one was not checked, try again in "),
            "{output:?}"
        );
    });
}

#[test]
fn that_a_code_will_be_right_later_is_told_to_root_alone() {
    Setup::with_broker().enrolled(|alice| {
        let phone = &alice.enrolled.authenticator;
        let early = || phone.code_at(phone.now_step() + 8);
        let output = alice.runs(&["verify"], &[&early()]);
        assert!(
            output.stderr.starts_with(
                "twinlock: that code is not valid: it matches neither the app right now nor a recovery code\n"
            ),
            "{output:?}"
        );
        let mut terminal = alice.types(&RENAME);
        terminal.expect(PROOF);
        terminal.send_line(&early());
        terminal.expect("that code is not valid: it matches neither the app right now nor a recovery code\n");
        drop(terminal);
        alice.state().write(alice.world);
        let output = alice.runs(&["verify"], &[&phone.code_at(phone.now_step() - 8)]);
        assert!(output.stderr.contains("this host differ by -2"), "what is over is of no use: {output:?}");
        let output = alice.world.twinlock_launch(&["verify", "alice"]).run_with_input(early().as_bytes());
        assert!(output.stderr.contains("this host differ by +2"), "{output:?}");
    });
}

#[test]
fn a_wrong_code_is_asked_again_and_a_right_one_does() {
    Setup::with_broker().enrolled(|alice| {
        let output = alice.runs(&RENAME, &[&alice.wrong_code(), "junk", &alice.codes().next()]);
        assert_eq!(output.parts(), (Some(0), "", "alice: renamed phone1\n"));
        assert_eq!(label(alice), "new");
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 1]);
    });
}

#[test]
fn the_code_is_used_up() {
    Setup::with_broker().enrolled(|alice| {
        let code = alice.codes().next();
        assert_eq!(alice.runs(&RENAME, &[&code]).code, Some(0));
        let mark = alice.world.log_mark();
        assert_eq!(login(alice, &code), PamCode::AuthErr);
        assert_eq!(alice.unprivileged_attempt().answer(&code).run(alice.world).code(), PamCode::AuthErr);
        let reasons: Vec<_> =
            alice.world.entries_since(mark).iter().map(|entry| entry.value("reason").to_owned()).collect();
        assert_eq!(reasons, ["replayed", "replayed"]);
        let output = alice.runs(&["device", "rename", "alice", "new", "other"], &[&code]);
        assert_eq!(output.code, Some(1), "nor is it good for a second change: {output:?}");
        assert_eq!(label(alice), "new");
    });
}

#[test]
fn the_code_of_a_login_is_good_for_no_change() {
    Setup::with_broker().enrolled(|alice| {
        let code = alice.codes().next();
        assert_eq!(login(alice, &code), PamCode::Success);
        let output = alice.runs(&RENAME, &[&code]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert_eq!(label(alice), "phone");
    });
}

#[test]
fn a_recovery_code_does_and_is_spent() {
    Setup::with_broker().enrolled(|alice| {
        let code = alice.recovery_code(4);
        assert_eq!(alice.runs(&RENAME, &[code]).code, Some(0));
        assert_eq!(alice.runs(&["recovery", "count"], &[]).stdout, "9\n");
        assert_eq!(login(alice, code), PamCode::AuthErr);
        assert_eq!(alice.runs(&["device", "rename", "alice", "new", "other"], &[code]).code, Some(1));
        assert_eq!(label(alice), "new");
    });
}

#[test]
fn after_many_wrong_codes_two_are_wanted_and_then_none_but_recovery_codes() {
    Setup::with_broker().enrolled(|alice| {
        alice.state().wrong_codes(12).failed_ago(100_000).write(alice.world);
        let mut codes = alice.codes();
        let (first, second) = (codes.next(), codes.next());
        let output = alice.runs(&RENAME, &[&first, &alice.wrong_code()]);
        assert_eq!(output.code, Some(1), "{output:?}");
        alice.state().wrong_codes(12).failed_ago(100_000).write(alice.world);
        let mut terminal = alice.types(&RENAME);
        terminal.expect(PROOF);
        terminal.send_line(&first);
        terminal.expect("Wait for the next code and enter it: ");
        terminal.send_line(&second);
        assert_eq!(terminal.finish().code, Some(0));
        alice.state().wrong_codes(100).failed_ago(100_000).write(alice.world);
        let output = alice.runs(&["device", "rename", "alice", "new", "other"], &[&alice.codes().next()]);
        let told =
            "twinlock: codes of alice are disabled after too many failures; recovery codes still work\nhint: root can enable them again with `twinlock unlock alice`\n";
        assert_eq!(output.parts(), (Some(1), "", told));
        assert_eq!(alice.runs(&["device", "rename", "alice", "new", "other"], &[alice.recovery_code(0)]).code, Some(0));
    });
}

#[test]
fn a_suspended_phone_proves_nothing() {
    Setup::with_broker().enrolled(|alice| {
        assert_eq!(alice.world.twinlock(&["device", "suspend", "alice", "phone"]).code, Some(0));
        assert_eq!(alice.runs(&["device", "resume", "alice", "phone"], &[&alice.codes().next()]).code, Some(1));
        assert_eq!(alice.runs(&["device", "resume", "alice", "phone"], &[alice.recovery_code(0)]).code, Some(0));
    });
}

#[test]
fn what_is_replaced_meanwhile_is_not_changed_by_an_older_proof() {
    Setup::with_broker().enrolled(|alice| {
        let mut terminal = alice.types(&["enroll", "--add"]);
        terminal.expect(PROOF);
        terminal.send_line(&alice.codes().next());
        let shown = terminal.expect(crate::asked::CONFIRM);
        let app = twinlock_tests::Authenticator::from_uri(twinlock_tests::address_in(&shown));
        // The phone was stolen; the administrator gives her a new one, while the thief is at it.
        let new = alice.world.enrol_with("alice", &["--replace"]);
        terminal.send_line(&app.codes().next());
        let output = terminal.finish();
        assert_eq!(output.code, Some(1), "{output:?}");
        let devices = alice.world.twinlock(&["device", "list", "alice", "--json"]).json();
        assert_eq!(devices.as_array().map(Vec::len), Some(1), "{devices}");
        assert_eq!(devices[0]["id"], new.id.as_str());
    });
}

fn refused_to_users(output: &Output, what: &str, hint: &str) {
    let told = format!("twinlock: not permitted: {what}\nhint: {hint}\n");
    assert_eq!(output.parts(), (Some(3), "", told.as_str()));
}

#[test]
fn what_is_root_s_alone_is_refused_to_users_with_a_reason() {
    Setup::with_broker().enrolled(|alice| {
        let before = Snapshot::of(STORE);
        alice.world.write("/home/alice/secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n");
        alice
            .world
            .write("/home/alice/config.toml", "second_factor = \"skip\"\n[store]\ndirectory = \"/home/alice/store\"\n");
        let hint = "run the command without --no-confirm";
        for arguments in [
            &["enroll", "--no-confirm", "--add"][..],
            &["enroll", "--no-confirm", "--replace", "--json"],
            &["recovery", "new", "--no-confirm"],
        ] {
            refused_to_users(&alice.runs(arguments, &[]), "only root can use --no-confirm", hint);
        }
        let secret = "only root can enrol an account with an existing secret";
        let hint = "run the command without a secret, and Twinlock makes one";
        let with_file = ["enroll", "--add", "--secret-file", "/home/alice/secret"];
        refused_to_users(&alice.runs(&with_file, &[]), secret, hint);
        let typed = ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"];
        refused_to_users(&alice.runs(&["enroll", "--add", "--secret-stdin"], &typed), secret, hint);
        for arguments in [&["status"][..], &["verify"], &["remove", "alice", "--yes"], &["enroll", "--add"]] {
            let output = alice.runs(&[&["--config", "/home/alice/config.toml"], arguments].concat(), &[]);
            refused_to_users(
                &output,
                "only root can use --config",
                "leave out --config: the broker reads its own configuration",
            );
        }
        assert_eq!(
            alice.runs(&["--config", twinlock_tests::CONFIG, "status"], &[]).code,
            Some(0),
            "the usual one is no other"
        );
        for arguments in [
            &["unlock", "alice"][..],
            &["forget", "alice"],
            &["list"],
            &["adopt", "alice"],
            &["repair", "alice"],
            &["check"],
            &["import", "uri", "alice"],
        ] {
            let output = alice.runs(arguments, &["otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]);
            assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{arguments:?}: {output:?}");
        }
        assert_eq!(Snapshot::of(STORE), before);
    });
}
