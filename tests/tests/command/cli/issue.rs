//! `twinlock recovery issue`: one more code, for a while.

use serde_json::json;
use twinlock_tests::{PamCode, STORE, Snapshot, World};

use crate::cli::alice::{fields, json, login, with_alice};

fn issue(world: &World) -> String {
    let output = world.twinlock(&["recovery", "issue", "alice"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.trim_end().to_owned()
}

#[test]
fn the_code_is_printed_once_and_opens_one_login_beside_the_others() {
    with_alice(|world, alice| {
        let mark = world.log_mark();
        let output = world.twinlock(&["recovery", "issue", "alice", "--valid", "30m"]);
        let code = output.stdout.trim_end();
        assert_eq!((output.code, code.len(), output.stdout.len()), (Some(0), 19, 20), "{output:?}");
        let until = output.stderr.strip_prefix("alice can use this code for one login until 20").unwrap();
        let told = "Z, in the place of a code from the app. It is not shown again. Check who the user is \
                    before you read it out.\n";
        assert!(until.ends_with(told), "{output:?}");
        let log: Vec<_> = world.log_since(mark).into_iter().map(|line| line.text).collect();
        assert_eq!(log.len(), 1, "{log:?}");
        assert!(log[0].contains("change=recovery-code-issued user=alice by-uid=0"), "{log:?}");
        assert_eq!(login(world, code), PamCode::Success);
        assert_eq!(login(world, code), PamCode::AuthErr);
        assert_eq!(login(world, alice.recovery_code(0)), PamCode::Success);
        assert_eq!(login(world, &alice.codes().next()), PamCode::Success);
    });
}

#[test]
fn with_json_it_is_one_object() {
    with_alice(|world, _| {
        let output = world.twinlock(&["recovery", "issue", "alice", "--json"]);
        let value = json(&output);
        assert!(fields(&output.stdout, &["user", "code", "expires"]) && value.as_object().unwrap().len() == 3);
        assert_eq!((&value["user"], output.stderr.as_str()), (&json!("alice"), ""));
        assert_eq!(login(world, value["code"].as_str().unwrap()), PamCode::Success);
    });
}

#[test]
fn issued_codes_are_counted_apart_until_they_are_used() {
    with_alice(|world, _| {
        let code = issue(world);
        for arguments in [&["status", "alice", "--json"][..], &["recovery", "count", "alice", "--json"]] {
            let value = json(&world.twinlock(arguments));
            assert_eq!(value["recovery_codes_left"], 10, "{value}");
            let issued = value["issued_codes"].as_array().unwrap();
            assert_eq!((issued.len(), &issued[0]["by_uid"]), (1, &json!(0)), "{value}");
            assert!(issued[0]["issued"].as_str() < issued[0]["expires"].as_str(), "{value}");
        }
        let told = "1 issued code is valid until 20";
        assert!(world.twinlock(&["status", "alice"]).stdout.contains(told));
        let count = world.twinlock(&["recovery", "count", "alice"]);
        assert!(count.stderr.starts_with(told), "{count:?}");
        assert_eq!(login(world, &code), PamCode::Success);
        assert_eq!(json(&world.twinlock(&["status", "alice", "--json"]))["issued_codes"], json!([]));
    });
}

#[test]
fn of_three_issued_codes_the_first_ends() {
    with_alice(|world, _| {
        let codes = [(); 3].map(|()| issue(world));
        assert_eq!(codes.map(|code| login(world, &code)), [PamCode::AuthErr, PamCode::Success, PamCode::Success]);
    });
}

#[test]
fn new_recovery_codes_and_a_new_phone_end_an_issued_code_and_a_new_device_does_not() {
    with_alice(|world, _| {
        for (arguments, end) in [
            (&["enroll", "alice", "--add", "--label", "tablet", "--no-confirm", "--json"][..], PamCode::Success),
            (&["recovery", "new", "alice", "--no-confirm"], PamCode::AuthErr),
            (&["enroll", "alice", "--replace", "--no-confirm", "--json"], PamCode::AuthErr),
        ] {
            let code = issue(world);
            assert_eq!(world.twinlock(arguments).code, Some(0), "{arguments:?}");
            assert_eq!(login(world, &code), end, "{arguments:?}");
        }
    });
}

#[test]
fn a_user_without_recovery_codes_can_be_issued_one() {
    with_alice(|world, _| {
        let imported = |hex: &str| {
            world.write_secret("/etc/users.oath", format!("HOTP/T30 alice - {hex}\n"));
            let output = world.twinlock(&["import", "oath", "/etc/users.oath", "--replace"]);
            assert_eq!(output.code, Some(0), "{output:?}");
        };
        imported("3132333435363738393031323334353637383930");
        assert_eq!(login(world, &issue(world)), PamCode::Success);
        let code = issue(world);
        imported("3132333435363738393031323334353637383931");
        assert_eq!(login(world, &code), PamCode::AuthErr, "an import ends it");
    });
}

#[test]
fn what_is_refused_changes_nothing() {
    with_alice(|world, _| {
        world.account("bob");
        let store = Snapshot::of(STORE);
        for (arguments, code) in [
            (&["recovery", "issue", "alice", "--valid", "4m"][..], 2),
            (&["recovery", "issue", "alice", "--valid", "8days"], 2),
            (&["recovery", "issue", "alice", "--valid", "soon"], 2),
            (&["recovery", "issue"], 2),
            (&["recovery", "issue", "bob"], 4),
            (&["recovery", "issue", "nobody-of-this-name"], 1),
        ] {
            let output = world.twinlock(arguments);
            assert_eq!((output.code, output.stdout.as_str()), (Some(code), ""), "{arguments:?}: {output:?}");
        }
        assert_eq!(Snapshot::of(STORE), store);
    });
}
