//! Users of google-authenticator keep their phone, and what they used stays used.

use std::fs;
use std::path::Path;

use serde_json::json;
use twinlock_tests::{Attempt, PamCode, Sshd, World};

use crate::import::given::{
    GOOGLE, SECRET, TWINLOCK, google_authenticator, google_file, in_sshd_world, in_world, is_stored, login, outcomes,
    scratch_codes, trace, write_google,
};

fn services(world: &World) {
    world.service("old", GOOGLE);
    world.service("new", TWINLOCK);
}

#[test]
fn the_phone_logs_in_at_once_and_the_code_used_before_is_refused() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        let app = google_authenticator(world, &alice, &["-t", "-d", "-r", "3", "-R", "30", "-w", "3"]);
        let mut codes = app.codes();
        let used = codes.next();
        assert_eq!(login(world, "old", &used), PamCode::Success, "{:?}", world.log());
        let before = trace(&google_file(&alice));

        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.starts_with("alice: imported totp "), "{output:?}");
        assert!(output.stdout.contains("line 2: RATE_LIMIT") && output.stdout.contains("line 3: WINDOW_SIZE"));
        assert!(output.stdout.contains("warning: line 1: the secret has 128 bits"), "{output:?}");
        assert!(output.stderr.contains("Users enter it twice in a row"), "{output:?}");
        assert_eq!(trace(&google_file(&alice)), before);

        assert_eq!(login(world, "new", &used), PamCode::AuthErr);
        world.wait_for_log(|line| line.text.contains("reason=replayed"));
        assert_eq!(login(world, "new", &codes.next()), PamCode::Success, "{:?}", world.log());
        world.wait_for_log(|line| line.text.contains("change=imported user=alice by-uid=0"));
    });
}

#[test]
fn the_phone_logs_in_through_sshd() {
    in_sshd_world(|world| {
        let alice = world.account("alice");
        let rest = "account required pam_permit.so\nsession required pam_permit.so\n";
        world.service("sshd", &format!("auth required pam_google_authenticator.so\n{rest}"));
        let mut codes = google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]).codes();
        let sshd = Sshd::new(world);
        let used = codes.next();
        let login = sshd.login("alice").answer(&used).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(world.twinlock(&["import", "google-authenticator", "--all"]).code, Some(0));
        world.service("sshd", &format!("auth required pam_twinlock.so\n{rest}"));
        let replayed = sshd.login("alice").answer(&used).run();
        assert!(!replayed.granted, "{replayed:#?}");
        let login = sshd.login("alice").answer(codes.next()).run();
        assert!(login.granted, "{login:#?}");
    });
}

#[test]
fn a_counter_goes_on_where_it_stood() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        let app = google_authenticator(world, &alice, &["-c", "-u", "-w", "3"]);
        // The first counter is 1, and one press may be skipped.
        assert_eq!(login(world, "old", &app.code_at(2)), PamCode::Success, "{:?}", world.log());
        assert_eq!(world.twinlock(&["import", "google-authenticator", "--user", "alice"]).code, Some(0));
        assert_eq!(login(world, "new", &app.code_at(2)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &app.code_at(1)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &app.code_at(3)), PamCode::Success, "{:?}", world.log());
        assert_eq!(login(world, "new", &app.code_at(3)), PamCode::AuthErr);
    });
}

#[test]
fn a_scratch_code_is_typed_twice_and_works_once() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3", "-e", "3"]);
        let paper = scratch_codes(&alice);
        assert_eq!(login(world, "old", &paper[0]), PamCode::Success, "{:?}", world.log());
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice", "--json"]);
        assert_eq!(outcomes(&output)[0]["recovery_codes"], 2);
        let twice = |code: &str| format!("{code} {code}");
        assert_eq!(login(world, "new", &twice(&paper[0])), PamCode::AuthErr, "spent at google-authenticator");
        assert_eq!(login(world, "new", &twice(&paper[1])), PamCode::Success, "{:?}", world.log());
        assert_eq!(login(world, "new", &twice(&paper[1])), PamCode::AuthErr);
        assert_eq!(login(world, "new", &paper[2]), PamCode::AuthErr, "typed once it is the code of no app");
        assert_eq!(world.twinlock(&["recovery", "count", "alice"]).stdout, "1\n");
        let stored = fs::read_to_string("/var/lib/twinlock/credentials/alice.toml").unwrap();
        assert!(paper.iter().all(|code| !stored.contains(code)));
    });
}

/// With the smallest number that may be set, and at an hour of its own for each, since they are spaced.
#[test]
fn wrong_scratch_codes_end_what_right_ones_open() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        write_google(world, &alice, format!("{SECRET}\n\" TOTP_AUTH\n12345678\n"));
        world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        world.write("/etc/twinlock/config.toml", "[throttle]\ndisable_after = 11\n");
        let later = |hours: u32, answer: String| {
            let attempt = Attempt::new("new").user("alice").under(["faketime", "-f", &format!("+{hours}h")]);
            attempt.answer(answer).run(world).code()
        };
        for hours in 1..=11 {
            let wrong = 20_000_000 + hours;
            assert_eq!(later(hours, format!("{wrong}{wrong}")), PamCode::AuthErr);
        }
        assert_eq!(later(12, "1234567812345678".into()), PamCode::AuthErr);
        world.wait_for_log(|line| line.text.contains("reason=disabled"));
    });
}

#[test]
fn a_skew_is_kept_as_drift() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        write_google(world, &alice, format!("{SECRET}\n\" TIME_SKEW 6\n\" TOTP_AUTH\n"));
        let app = twinlock_tests::Authenticator::from_base32(SECRET);
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stderr.contains("`twinlock recovery new alice` makes some"), "{output:?}");
        let now = app.now_step();
        assert_eq!(login(world, "new", &app.code_at(now)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &app.code_at(now + 6)), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn a_step_of_a_minute_is_kept() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        let app = google_authenticator(world, &alice, &["-t", "-d", "-u", "-W", "-S", "60"]);
        let app = twinlock_tests::Authenticator { period: 60, ..app };
        let mut codes = app.codes();
        let used = codes.next();
        assert_eq!(login(world, "old", &used), PamCode::Success, "{:?}", world.log());
        assert_eq!(world.twinlock(&["import", "google-authenticator", "--user", "alice"]).code, Some(0));
        assert_eq!(login(world, "new", &used), PamCode::AuthErr);
        assert_eq!(login(world, "new", &codes.next()), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn a_step_that_twinlock_does_not_have_is_refused_with_the_reason() {
    in_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-D", "-u", "-W", "-S", "10"]);
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        crate::import::given::assert_refused(&output, "line 3: steps last 15 to 120 seconds");
    });
}

#[test]
fn a_dry_run_says_what_would_be_done_and_changes_nothing() {
    in_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-d", "-r", "3", "-R", "30", "-w", "3"]);
        let before = trace(&google_file(&alice));
        world.install();
        for arguments in [&["--user", "alice"][..], &["--all"]] {
            let output = world.twinlock(&[&["import", "google-authenticator", "--dry-run"], arguments].concat());
            assert_eq!(output.code, Some(0), "{output:?}");
            assert!(output.stdout.starts_with("alice: would be imported totp, 5 scratch codes"), "{output:?}");
        }
        let output = world.twinlock(&["import", "google-authenticator", "--all", "--dry-run", "--json"]);
        let one = &outcomes(&output)[0];
        assert_eq!((&one["result"], &one["dry_run"]), (&json!("imported"), &json!(true)));
        assert!(!Path::new("/var/lib/twinlock").exists());
        assert_eq!(trace(&google_file(&alice)), before);
        assert!(world.log().is_empty(), "{:?}", world.log());
    });
}

#[test]
fn json_has_the_documented_shape_and_no_secret() {
    in_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-d", "-r", "3", "-R", "30", "-w", "17"]);
        let output = world.twinlock(&["import", "google-authenticator", "--all", "--json"]);
        let all = outcomes(&output);
        let id = all[0]["authenticators"][0]["id"].as_str().unwrap();
        assert_eq!(
            all,
            [json!({
                "user": "alice",
                "result": "imported",
                "reason": null,
                "dry_run": false,
                "authenticators": [{
                    "id": id, "label": "imported", "type": "totp", "algorithm": "SHA1", "digits": 6, "period": 30,
                }],
                "recovery_codes": 5,
                "not_carried": [
                    "line 2: RATE_LIMIT: Twinlock has its own throttle, which counts failures only",
                    "line 3: WINDOW_SIZE: Twinlock always accepts one time step before and after, or five presses ahead",
                ],
                "warnings": [
                    "line 1: the secret has 128 bits instead of the 160 that RFC 4226 recommends: use `twinlock enroll --replace` when convenient",
                ],
            })]
        );
        let file = fs::read_to_string(google_file(&alice)).unwrap();
        let secrets = file.lines().filter(|line| !line.starts_with('"'));
        let all = format!("{}{}{:?}", output.stdout, output.stderr, world.log());
        assert!(secrets.into_iter().all(|secret| !all.contains(secret)));
        let again = outcomes(&world.twinlock(&["import", "google-authenticator", "--all", "--json"]));
        assert_eq!(
            (&again[0]["result"], &again[0]["reason"]),
            (&json!("skipped"), &json!("alice is already enrolled"))
        );
    });
}

#[test]
fn who_is_enrolled_stays_as_he_is_unless_it_is_asked_for() {
    in_world(|world| {
        let alice = world.account("alice");
        services(world);
        let mut codes = world.enrol("alice").codes();
        let app = google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]);
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        assert_eq!(output.code, Some(1));
        assert!(
            output.stderr.contains("alice is already enrolled") && output.stderr.contains("hint: use --replace"),
            "{output:?}"
        );
        let output = world.twinlock(&["import", "google-authenticator", "--all"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(
            output.stderr.contains("0 imported, 1 skipped because they are enrolled already, 0 failed."),
            "{output:?}"
        );
        assert_eq!(login(world, "new", &codes.next()), PamCode::Success);

        let replace = ["import", "google-authenticator", "--all", "--replace"];
        assert_eq!(world.twinlock(&replace).code, Some(0));
        assert_eq!(login(world, "new", &codes.next()), PamCode::AuthErr);
        let mut phone = app.codes();
        let used = phone.next();
        assert_eq!(login(world, "new", &used), PamCode::Success, "{:?}", world.log());
        // The old file knows nothing of this login; the store does.
        assert_eq!(world.twinlock(&replace).code, Some(0));
        assert_eq!(login(world, "new", &used), PamCode::AuthErr);
        assert_eq!(login(world, "new", &phone.next()), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn scratch_codes_can_be_left_behind() {
    in_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]);
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice", "--no-scratch-codes"]);
        assert!(output.stdout.contains("not imported: 5 scratch codes, because of --no-scratch-codes"), "{output:?}");
        assert!(is_stored("alice"));
        assert_eq!(world.twinlock(&["recovery", "count", "alice"]).stdout, "0\n");
    });
}

#[test]
fn a_file_kept_elsewhere_is_named() {
    in_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]);
        fs::create_dir("/var/secrets").unwrap();
        fs::copy(google_file(&alice), "/var/secrets/alice").unwrap();
        fs::remove_file(google_file(&alice)).unwrap();
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice"]);
        crate::import::given::assert_refused(&output, "alice has no file /home/alice/.google_authenticator");
        let output = world.twinlock(&["import", "google-authenticator", "--user", "alice", "/var/secrets/alice"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(is_stored("alice"));
    });
}

#[test]
fn only_root_imports() {
    in_sshd_world(|world| {
        let alice = world.account("alice");
        google_authenticator(world, &alice, &["-t", "-d", "-u", "-w", "3"]);
        let output = world.twinlock_launch(&["import", "google-authenticator"]).account(&alice).run();
        assert_eq!(output.code, Some(3), "{output:?}");
    });
}
