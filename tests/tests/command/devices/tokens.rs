//! Hardware tokens: RFC 4226, enrolled with their own secret.

use twinlock_tests::{PamCode, Snapshot};

use crate::devices::verbs::{SECRET, done, fed, login, refused, token, with_account};

const ENROL: [&str; 6] = ["enroll", "alice", "--type", "hotp", "--secret-stdin", "--no-confirm"];

#[test]
fn a_token_opens_by_its_count_once_and_up_to_five_presses_ahead() {
    with_account(|world| {
        let output = fed(world, &ENROL, SECRET);
        assert_eq!(output.code, Some(0), "{output:?}");
        // RFC 4226 appendix D.
        assert_eq!(login(world, &["755224"]), PamCode::Success);
        assert_eq!(login(world, &["755224"]), PamCode::AuthErr);
        assert_eq!(login(world, &[&token().code_at(6)]), PamCode::Success);
        assert_eq!(login(world, &[&token().code_at(3)]), PamCode::AuthErr);
        assert_eq!(login(world, &[&token().code_at(13)]), PamCode::AuthErr);
        assert_eq!(login(world, &[&token().code_at(12)]), PamCode::Success);
        world.wait_for_log(|line| line.text.contains("result=granted reason=- user=alice method=hotp"));
    });
}

#[test]
fn after_wrong_codes_two_presses_in_a_row_are_asked_for() {
    with_account(|world| {
        world.write("/etc/twinlock/config.toml", "[throttle]\nspacing = \"1s\"\nfree_failures = 1\n");
        assert_eq!(fed(world, &ENROL, SECRET).code, Some(0));
        assert_eq!(login(world, &["000000"]), PamCode::AuthErr);
        let later = |answers: [String; 2]| {
            let attempt = twinlock_tests::Attempt::new("svc").user("alice").under(["faketime", "-f", "+5s"]);
            answers.iter().fold(attempt, twinlock_tests::Attempt::answer).run(world).code()
        };
        let press = |count: u64| token().code_at(count);
        assert_eq!(later([press(0), press(1)]), PamCode::Success);
    });
}

#[test]
fn a_token_that_was_pressed_elsewhere_is_enrolled_where_it_stands() {
    with_account(|world| {
        let arguments = [ENROL.as_slice(), &["--counter", "40"]].concat();
        let told =
            fed(world, &[arguments.as_slice(), &["--json"]].concat(), "GEZD GNBV GY3T QOJQ gezd-gnbv-gy3t-qojq\n")
                .json();
        assert_eq!(told["type"], "hotp");
        assert!(
            told["uri"].as_str().unwrap().starts_with("otpauth://hotp/")
                && told["uri"].as_str().unwrap().ends_with("&counter=40")
        );
        assert_eq!(login(world, &[&token().code_at(39)]), PamCode::AuthErr);
        assert_eq!(login(world, &[&token().code_at(40)]), PamCode::Success);
        let status = done(world, &["status", "alice", "--json"]).json();
        assert_eq!(
            (&status["authenticators"][0]["type"], &status["authenticators"][0]["period"]),
            (&"hotp".into(), &serde_json::Value::Null)
        );
    });
}

#[test]
fn a_secret_may_be_hexadecimal_and_come_from_a_file() {
    with_account(|world| {
        world.write("/root/secret", "hex:3132333435363738393031323334353637383930\n");
        done(world, &["enroll", "alice", "--type", "hotp", "--secret-file", "/root/secret", "--no-confirm"]);
        assert_eq!(login(world, &["755224"]), PamCode::Success);
    });
}

#[test]
fn a_short_secret_is_refused_and_one_under_160_bits_warned_of() {
    with_account(|world| {
        let store = Snapshot::of("/var/lib/twinlock");
        for (secret, why) in [
            ("GEZDGNBVGY3TQOJQ", "16 to 128 bytes"),
            ("hex:31", "16 to 128 bytes"),
            ("hex:zz", "not hexadecimal"),
            ("1010101010", "not base32"),
            ("", "16 to 128 bytes"),
        ] {
            let output = fed(world, &ENROL, secret);
            assert_eq!(output.code, Some(1), "{output:?}");
            assert!(output.stderr.contains(why) && output.stderr.contains("hint: "), "{output:?}");
            assert!(secret.is_empty() || !output.stderr.contains(secret), "{output:?}");
        }
        assert_eq!(fed(world, &ENROL, &"A".repeat(100_000)).code, Some(1));
        assert_eq!(Snapshot::of("/var/lib/twinlock"), store);
        let weak = fed(world, &ENROL, "hex:31323334353637383930313233343536");
        assert!(
            weak.code == Some(0) && weak.stderr.contains("warning: the secret has fewer than the 160 bits"),
            "{weak:?}"
        );
    });
}

#[test]
fn a_counter_is_for_tokens_and_a_period_for_clocks() {
    with_account(|world| {
        refused(
            world,
            &["enroll", "alice", "--no-confirm", "--counter", "7"],
            2,
            "--counter can only be used with --type hotp",
        );
        refused(
            world,
            &["enroll", "alice", "--no-confirm", "--type", "hotp", "--period", "60"],
            2,
            "--period can only be used with --type totp",
        );
    });
}
