//! Users of `pam_oath`: from a `users.oath` that the real module updated.

use std::path::Path;

use twinlock_tests::{Attempt, Authenticator, PamCode, World, set_mode};

use crate::import::given::{KEY, OATH, SECRET, TWINLOCK, in_world, is_stored, login, outcomes, trace};

const FILE: &str = "/etc/users.oath";

fn users(world: &World, text: &str) {
    world.write(FILE, text);
    set_mode(FILE, 0o600);
    world.service("old", OATH);
    world.service("new", TWINLOCK);
}

#[test]
fn a_counter_goes_on_after_the_code_that_was_used() {
    in_world(|world| {
        world.account("alice");
        users(world, &format!("# tokens\nHOTP\talice\t-\t{KEY}\n"));
        let token = Authenticator::from_base32(SECRET);
        assert_eq!(login(world, "old", &token.code_at(0)), PamCode::Success, "{:?}", world.log());
        assert_eq!(login(world, "old", &token.code_at(2)), PamCode::Success, "{:?}", world.log());
        let before = trace(Path::new(FILE));
        let output = world.twinlock(&["import", "oath", FILE]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.starts_with("alice: imported hotp "), "{output:?}");
        assert_eq!(trace(Path::new(FILE)), before);
        assert_eq!(login(world, "new", &token.code_at(2)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &token.code_at(1)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &token.code_at(3)), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn a_counter_that_was_never_used_starts_where_it_was_set() {
    in_world(|world| {
        world.account("alice");
        users(world, &format!("HOTP/E/8 alice - {KEY} 7\n"));
        let token = Authenticator { digits: 8, ..Authenticator::from_base32(SECRET) };
        assert_eq!(world.twinlock(&["import", "oath", FILE]).code, Some(0));
        assert_eq!(login(world, "new", &token.code_at(6)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &token.code_at(7)), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn the_code_of_an_app_that_was_used_stays_used() {
    for (kind, period, digits) in [("HOTP/T30", 30, 6), ("HOTP/T60/8", 60, 8)] {
        in_world(|world| {
            world.account("alice");
            users(world, &format!("{kind} alice - {KEY}\n"));
            let app = Authenticator { period, digits, ..Authenticator::from_base32(SECRET) };
            let mut codes = app.codes();
            let used = codes.next();
            assert_eq!(login(world, "old", &used), PamCode::Success, "{:?}", world.log());
            assert_eq!(world.twinlock(&["import", "oath", FILE]).code, Some(0));
            assert_eq!(login(world, "new", &used), PamCode::AuthErr);
            world.wait_for_log(|line| line.text.contains("reason=replayed"));
            assert_eq!(login(world, "new", &codes.next()), PamCode::Success, "{:?}", world.log());
        });
    }
}

#[test]
fn every_user_is_imported_or_told_why_not() {
    in_world(|world| {
        world.account("alice");
        world.account("bob");
        users(
            world,
            &format!(
                "HOTP alice - {KEY}\nHOTP/T30 alice 1234 {KEY}\nHOTP bob - 00\nHOTP/T30 gone - {KEY}\nMOTP bob - {KEY}\n"
            ),
        );
        let output = world.twinlock(&["import", "oath", FILE, "--json"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(
            output.stderr.contains("1 imported, 0 skipped because they are enrolled already, 2 failed."),
            "{output:?}"
        );
        let all = outcomes(&output);
        let seen: Vec<_> = all.iter().map(|one| (one["user"].as_str().unwrap(), one["reason"].as_str())).collect();
        let wanted = [
            ("alice", None),
            ("bob", Some("line 3: the secret has 8 bits; at least 128 are required")),
            ("gone", Some("there is no account of this name")),
        ];
        assert_eq!(seen, wanted);
        let labels: Vec<_> = all[0]["authenticators"].as_array().unwrap().iter().map(|one| &one["label"]).collect();
        assert_eq!(labels, ["imported", "imported-2"]);
        assert!(all[0]["not_carried"][0].as_str().unwrap().starts_with("line 2: the PIN"), "{output:?}");
        assert!(!is_stored("bob") && !is_stored("gone"));
        let app = Authenticator::from_base32(SECRET);
        for code in [app.code_at(0), app.codes().next()] {
            assert_eq!(login(world, "new", &code), PamCode::Success, "{:?}", world.log());
        }
        assert_eq!(Attempt::new("new").user("bob").answer("123456").run(world).code(), PamCode::AuthErr);
    });
}

#[test]
fn a_file_that_is_not_understood_stores_nothing() {
    in_world(|world| {
        world.account("alice");
        for (text, wanted) in [
            (String::new(), "the input is empty"),
            ("# nobody\n".into(), "the input is empty"),
            (format!("HOTP alice - {KEY}"), "line 1: the last line has no end"),
            (format!("HOTP alice - {KEY}\nHOTP\n"), "line 2: the fields of a line are TYPE USER PIN KEY"),
            (format!("HOTP alice - {KEY}\nHOTP a/b - {KEY}\n"), "line 2: the user name is not valid"),
            (format!("HOTP alice - {KEY}\nHOTP \u{1b}[31m - {KEY}\n"), "line 2: it is not plain text"),
        ] {
            users(world, &text);
            crate::import::given::assert_refused(&world.twinlock(&["import", "oath", FILE]), wanted);
        }
        users(world, &format!("HOTP alice - {KEY}\n"));
        set_mode(FILE, 0o644);
        crate::import::given::assert_refused(&world.twinlock(&["import", "oath", FILE]), "its mode is 0644");
    });
}
