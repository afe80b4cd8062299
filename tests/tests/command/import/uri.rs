//! One address on stdin.

use serde_json::json;
use twinlock_tests::{Authenticator, Output, PamCode, World};

use crate::import::given::{SECRET, TWINLOCK, assert_refused, in_world, is_stored, login, outcomes};

fn import(world: &World, arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
    world.twinlock_launch(&[&["import", "uri", "alice"], arguments].concat()).run_with_input(input.as_ref())
}

#[test]
fn an_app_with_other_parameters_logs_in() {
    in_world(|world| {
        world.account("alice");
        world.service("new", TWINLOCK);
        let uri = format!("otpauth://totp/Old:alice?secret={SECRET}&issuer=Old&algorithm=SHA256&digits=8&period=60");
        let output = import(world, &[], &uri);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(login(world, "new", &Authenticator::from_uri(&uri).codes().next()), PamCode::Success);
        assert!(world.twinlock(&["device", "list", "alice"]).stdout.contains("Old:alice"));
    });
}

#[test]
fn a_token_goes_on_where_it_stands() {
    in_world(|world| {
        world.account("alice");
        world.service("new", TWINLOCK);
        let uri = format!("otpauth://hotp/t?counter=40&secret={SECRET}&image=https%3A%2F%2Fx&foo=1");
        let output = import(world, &["--json"], format!("{uri}\n"));
        let one = &outcomes(&output)[0];
        assert_eq!(one["not_carried"], json!(["image: only the app uses it", "parameter 4 is unknown"]));
        assert_eq!((&one["recovery_codes"], &one["authenticators"][0]["period"]), (&json!(0), &json!(null)));
        let token = Authenticator::from_base32(SECRET);
        assert_eq!(login(world, "new", &token.code_at(39)), PamCode::AuthErr);
        assert_eq!(login(world, "new", &token.code_at(40)), PamCode::Success, "{:?}", world.log());
    });
}

#[test]
fn a_label_is_shown_without_what_is_for_no_terminal() {
    in_world(|world| {
        world.account("alice");
        let output = import(world, &[], format!("otpauth://totp/a%E2%80%AEb%3A%3Ac?secret={SECRET}"));
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(world.twinlock(&["device", "list", "alice"]).stdout.contains("ab::c"));
    });
}

#[test]
fn bad_addresses_give_one_message_that_repeats_nothing_and_store_nothing() {
    in_world(|world| {
        world.account("alice");
        let long = "x".repeat(10_000);
        for (input, wanted) in [
            (Vec::new(), "the input is empty"),
            (SECRET.into(), "not an otpauth://totp/"),
            (b"otpauth-migration://offline?data=CiEK".to_vec(), "an app's export of several entries"),
            (format!("otpauth://totp/a?secret={SECRET}&secret={SECRET}").into(), "secret occurs twice"),
            (format!("otpauth://totp/a%1B%5B2J?secret={SECRET}").into(), "its label contains control characters"),
            (format!("otpauth://totp/\x1b[2J?secret={SECRET}").into(), "not plain text"),
            (format!("otpauth://totp/{long}?secret={SECRET}").into(), "the input is larger than 4096 bytes"),
            (format!("otpauth://totp/a?secret={SECRET}&digits=9").into(), "codes have 6 to 8 digits"),
            (b"otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ".to_vec(), "the secret has 80 bits; at least 128 are required"),
            (format!("otpauth://totp/a?secret={SECRET}\notpauth://").into(), "more than one line"),
            (b"otpauth://totp/a?secret=\xff".to_vec(), "not plain text"),
        ] {
            let output = import(world, &[], &input);
            assert_refused(&output, wanted);
            assert!(!output.stderr.contains("GEZDGNBV") && !output.stderr.contains('\x1b'), "{output:?}");
        }
        let whole = format!("otpauth://totp/a?secret={SECRET}&issuer=b&period=60&digits=8");
        for length in (0..whole.len()).step_by(7) {
            let output = import(world, &["--dry-run"], &whole.as_bytes()[..length]);
            assert!(matches!(output.code, Some(0 | 1)) && output.signal.is_none(), "{output:?}");
        }
        assert!(!is_stored("alice"));
    });
}

#[test]
fn a_short_secret_is_carried_with_a_warning() {
    in_world(|world| {
        world.account("alice");
        let output = import(world, &[], "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY");
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("warning: the secret has 128 bits"), "{output:?}");
    });
}
