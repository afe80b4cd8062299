//! `twinlock status`.

use serde_json::{Value, json};
use twinlock_tests::PamCode;

use crate::cli::alice::{fields, json, login, with_account, with_alice};

#[test]
fn json_has_the_promised_fields_in_their_order() {
    with_alice(|world, _| {
        let output = world.twinlock(&["status", "alice", "--json"]);
        let expected = json!({
            "user": "alice",
            "enrolled": true,
            "authenticators": [{
                "id": "phone1", "label": "phone", "type": "totp", "digits": 6, "period": 30, "algorithm": "SHA1",
                "created": null, "last_used": null, "last_from": null, "suspended": false,
            }],
            "recovery_codes_left": 10,
            "recovery_codes": 10,
            "issued_codes": [],
            "throttle": { "mode": "normal", "failures": 0, "budget_left": 30, "next_attempt": null },
            "remembered": [],
        });
        assert_eq!((json(&output), output.code, output.stderr.as_str()), (expected, Some(0), ""));
        let order = [
            "user",
            "enrolled",
            "authenticators",
            "id",
            "label",
            "type",
            "digits",
            "period",
            "algorithm",
            "created",
            "last_used",
            "suspended",
            "recovery_codes_left",
            "recovery_codes",
            "issued_codes",
            "throttle",
            "mode",
            "failures",
            "budget_left",
            "next_attempt",
            "remembered",
        ];
        assert!(fields(&output.stdout, &order), "{output:?}");
    });
}

#[test]
fn who_is_not_enrolled_has_the_same_fields_and_exit_4() {
    with_account(|world, _| {
        let output = world.twinlock(&["status", "alice", "--json"]);
        let expected = json!({
            "user": "alice", "enrolled": false, "authenticators": [], "recovery_codes_left": 0, "recovery_codes": 0,
            "issued_codes": [], "throttle": { "mode": "normal", "failures": 0, "budget_left": 30, "next_attempt": null },
            "remembered": [],
        });
        assert_eq!((json(&output), output.code, output.stderr.as_str()), (expected, Some(4), ""));
        assert_eq!(world.twinlock(&["status", "alice"]).parts(), (Some(4), "alice: not enrolled\n", ""));
    });
}

#[test]
fn what_was_used_is_shown_in_utc() {
    with_account(|world, _| {
        let enrolled = world.enrol("alice");
        assert_eq!(login(world, &enrolled.codes().next()), PamCode::Success);
        assert_eq!(login(world, &enrolled.recovery_codes[0]), PamCode::Success);
        let status = json(&world.twinlock(&["status", "alice", "--json"]));
        let rfc3339 = |value: &Value| {
            let text = value.as_str().unwrap_or_default();
            let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
            shape == "0000-00-00T00:00:00Z"
        };
        let authenticator = &status["authenticators"][0];
        assert!(rfc3339(&authenticator["created"]) && rfc3339(&authenticator["last_used"]), "{status}");
        assert_eq!(status["recovery_codes_left"], 9);
    });
}

#[test]
fn the_throttle_is_shown_in_every_mode() {
    with_alice(|world, alice| {
        let throttle = || json(&world.twinlock(&["status", "alice", "--json"]))["throttle"].clone();
        alice.state().wrong_codes(2).write(world);
        assert_eq!(throttle(), json!({ "mode": "normal", "failures": 2, "budget_left": 28, "next_attempt": null }));
        alice.state().wrong_codes(3).write(world);
        assert_eq!(throttle(), json!({ "mode": "step-up", "failures": 3, "budget_left": 27, "next_attempt": null }));
        alice.state().wrong_codes(100).write(world);
        assert_eq!(throttle(), json!({ "mode": "disabled", "failures": 100, "budget_left": 0, "next_attempt": null }));
        alice.state().wrong_codes(3).failed_ago(0).write(world);
        assert!(throttle()["next_attempt"].as_str().is_some_and(|time| time.ends_with('Z')), "{}", throttle());
    });
}

#[test]
fn people_see_the_same_in_words() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(3).spent_codes([1, 2]).write(world);
        let expected = "alice: enrolled\n  \
              phone1  phone  totp SHA1 6 digits 30 s  created -  last used never\n  \
              recovery codes left: 8\n  \
              throttle: step-up (two consecutive codes are required); consecutive failures: 3, failure budget left: 27\n";
        assert_eq!(world.twinlock(&["status", "alice"]).parts(), (Some(0), expected, ""));
    });
}

#[test]
fn no_secret_is_shown() {
    with_alice(|world, _| {
        let file = std::fs::read_to_string(twinlock_tests::credentials_of("alice")).unwrap();
        let secret = file.split("secret = \"").nth(1).unwrap().split('"').next().unwrap();
        for arguments in [&["status", "alice"][..], &["status", "alice", "--json"], &["check"]] {
            let output = world.twinlock(arguments);
            assert!(!output.stdout.contains(secret) && !output.stdout.contains("argon2"), "{output:?}");
        }
    });
}

#[test]
fn looking_changes_nothing_and_waits_for_nobody() {
    with_alice(|world, _| {
        let store = twinlock_tests::Snapshot::of(twinlock_tests::STORE);
        let lock =
            format!("exec 9<>{}; flock -x 9; echo locked; read line", twinlock_tests::state_of("alice").display());
        let mut holder = twinlock_tests::Launch::new(["sh", "-c", &lock]).start();
        holder.wait_for_output("locked");
        assert_eq!(world.twinlock(&["status", "alice"]).code, Some(0));
        holder.write(b"\n");
        holder.finish();
        assert_eq!(twinlock_tests::Snapshot::of(twinlock_tests::STORE), store);
    });
}
