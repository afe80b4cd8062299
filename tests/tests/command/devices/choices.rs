//! Digits, period and hash: what is chosen is what a login takes, with a warning where apps get it wrong.

use twinlock_tests::PamCode;

use crate::devices::verbs::{done, login, refused, with_account};

#[test]
fn every_choice_makes_codes_that_open() {
    for (arguments, in_uri) in [
        (["--digits", "8"], "&digits=8"),
        (["--digits", "7"], "&digits=7"),
        (["--period", "60"], "&period=60"),
        (["--algorithm", "SHA256"], "&algorithm=SHA256"),
        (["--algorithm", "SHA512"], "&algorithm=SHA512"),
    ] {
        with_account(|world| {
            let output = done(world, &[["enroll", "alice", "--no-confirm"].as_slice(), &arguments].concat());
            let uri = output.stdout.lines().next().unwrap();
            assert!(uri.ends_with(in_uri), "{uri}");
            assert!(output.stderr.starts_with("warning: "), "{output:?}");
            let app = twinlock_tests::Authenticator::from_uri(uri);
            assert_eq!(login(world, &[&app.codes().next()]), PamCode::Success, "{arguments:?}");
        });
    }
}

#[test]
fn the_choice_that_every_app_handles_comes_without_a_warning() {
    with_account(|world| {
        let output = done(world, &["enroll", "alice", "--no-confirm"]);
        assert!(!output.stderr.contains("warning"), "{output:?}");
    });
}

#[test]
fn what_is_out_of_range_is_refused() {
    with_account(|world| {
        for (flag, value) in [
            ("--digits", "5"),
            ("--digits", "9"),
            ("--period", "14"),
            ("--period", "121"),
            ("--algorithm", "MD5"),
            ("--type", "steam"),
        ] {
            refused(world, &["enroll", "alice", "--no-confirm", flag, value], 2, flag);
        }
    });
}
