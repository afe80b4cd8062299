//! How the accounts are shown.

use std::fs;

use serde_json::json;
use twinlock_tests::{Attempt, Launch, PamCode, Terminal, in_world};

use crate::list::{furnish, json, lines};

#[test]
fn a_login_leaves_when_and_from_where() {
    in_world(|world| {
        furnish(world);
        let mut codes = world.enrol("alice").codes();
        world.service("svc", "auth required pam_twinlock.so\n");
        let outcome = Attempt::new("svc").user("alice").rhost("2001:db8::7").answer(codes.next()).run(world);
        assert_eq!(outcome.code(), PamCode::Success);
        let output = world.twinlock(&["list"]);
        assert_eq!(lines(&output)[0][4], "2001:db8::7", "{output:?}");
        let row = &json(&world.twinlock(&["list", "--json"]))[0];
        assert_eq!(row["last_from"], "2001:db8::7");
        assert_eq!(row["last_used"].as_str().unwrap().len(), "2026-11-24T04:00:00Z".len());
        assert_eq!(row["last_used"], row["authenticators"][0]["last_used"]);
        assert_eq!(row["last_from"], row["authenticators"][0]["last_from"]);
        assert!(world.twinlock(&["status", "alice"]).stdout.contains(" from 2001:db8::7\n"));

        // A use at the host itself is the last one then.
        world.twinlock_launch(&["verify", "alice"]).run_with_input(codes.next().as_bytes());
        let row = &json(&world.twinlock(&["list", "--json"]))[0];
        assert!(row["last_from"].is_null() && row["last_used"].is_string(), "{row}");
    });
}

#[test]
fn a_hostile_origin_leaves_the_record_whole() {
    in_world(|world| {
        furnish(world);
        let mut codes = world.enrol("alice").codes();
        world.service("svc", "auth required pam_twinlock.so\n");
        let hostile = format!("\"\n[throttle]\nfailures = 9\u{1b}[2J{}", "x".repeat(1000));
        let outcome = Attempt::new("svc").user("alice").rhost(hostile).answer(codes.next()).run(world);
        assert_eq!(outcome.code(), PamCode::Success);
        let row = &json(&world.twinlock(&["list", "--json"]))[0];
        assert_eq!(row["throttle"]["failures"], 0);
        assert_eq!(row["last_from"], format!("throttlefailures92J{}", "x".repeat(26)));
    });
}

#[test]
fn the_fields_of_json_are_these() {
    in_world(|world| {
        furnish(world);
        let alice = world.enrol("alice");
        let mut rows = json(&world.twinlock(&["list", "--json"]));
        let created = rows[0]["authenticators"][0]["created"].take();
        assert_eq!(created.as_str().unwrap().len(), 20);
        let throttle = json!({"mode": "normal", "failures": 0, "budget_left": 30, "next_attempt": null});
        let phone = json!({
            "id": alice.id, "label": "phone", "type": "totp", "digits": 6, "period": 30, "algorithm": "SHA1",
            "created": null, "last_used": null, "last_from": null, "suspended": false
        });
        assert_eq!(
            rows[0],
            json!({
                "user": "alice", "uid": 1001, "enrolled": true, "authenticators": [phone], "last_used": null,
                "last_from": null, "recovery_codes_left": 10, "throttle": throttle, "error": null
            })
        );
        assert_eq!(
            rows[1],
            json!({
                "user": "bob", "uid": 1002, "enrolled": false, "authenticators": [], "last_used": null,
                "last_from": null, "recovery_codes_left": 0, "throttle": throttle, "error": null
            })
        );
    });
}

#[test]
fn on_a_terminal_the_columns_are_aligned_by_what_is_seen() {
    in_world(|world| {
        furnish(world);
        world.enrol_with("alice", &["--label", "电话 é"]);
        world.enrol("bob");
        let output = Terminal::start(world.twinlock_launch(&["list"]).environment("NO_COLOR", "1")).finish();
        assert_eq!(
            output.stdout,
            "USER   FACTOR    DEVICES  LAST USED  FROM  RECOVERY  THROTTLE\n\
             alice  enrolled  电话 é   -          -     10        normal\n\
             bob    enrolled  phone    -          -     10        normal\n\
             carol  none      -        -          -     -         -\n\
             root   none      -        -          -     -         -\n"
        );
        let coloured = Terminal::start(world.twinlock_launch(&["list"])).finish().stdout;
        assert!(coloured.contains("\u{1b}[33mnone\u{1b}[0m"), "{coloured:?}");
        let dumb = Terminal::start(world.twinlock_launch(&["list"]).under(["env", "TERM=dumb"])).finish().stdout;
        assert_eq!(dumb, output.stdout);
    });
}

#[test]
fn many_or_long_labels_do_not_push_the_other_columns_away() {
    in_world(|world| {
        furnish(world);
        world.enrol_with("alice", &["--label", "the phone that I had before"]);
        world.enrol_with("alice", &["--add", "--label", "tablet"]);
        let output = Terminal::start(world.twinlock_launch(&["list"])).finish();
        assert!(output.stdout.contains("alice  enrolled  2 devices  "), "{output:?}");
        assert_eq!(lines(&world.twinlock(&["list"]))[0][2], "the phone that I had before, tablet");
    });
}

#[test]
fn nothing_reaches_the_terminal_that_moves_it() {
    in_world(|world| {
        furnish(world);
        world.enrol("alice");
        let path = "/var/lib/twinlock/credentials/alice.toml";
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace("label = \"phone\"", "label = \"a\u{202e}b\u{200b}c\"")).unwrap();
        assert_eq!(lines(&world.twinlock(&["list"]))[0][2], "a?b?c");
        fs::write(path, text.replace("label = \"phone\"", "label = \"a\\u001b[2Jb\"")).unwrap();
        let output = world.twinlock(&["list"]);
        assert_eq!(output.code, Some(1));
        assert!(!output.stdout.contains('\u{1b}') && lines(&output)[0][1].starts_with("error: "), "{output:?}");
    });
}

#[test]
fn a_reader_that_leaves_is_no_news() {
    in_world(|world| {
        furnish(world);
        world.install();
        let many: Vec<String> = (2000..7000).map(|number| format!("u{number}:x:{number}:{number}:::")).collect();
        world.write("/etc/passwd", format!("root:x:0:0:::\n{}\n", many.join("\n")));
        for list in ["twinlock list", "twinlock list --json"] {
            let output = Launch::new(["sh", "-c", &format!("{list} | head -c 10 >/dev/null")]).run();
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    });
}
