//! `twinlock resync`, and what the log says of a clock that is off.

use twinlock_tests::{PamCode, World};

use crate::devices::verbs::{SECRET, done, fed, login, token, with_account};

fn resync(world: &World, first: &str, second: &str) -> twinlock_tests::Output {
    fed(world, &["resync", "alice"], &format!("{first}\n{second}\n"))
}

#[test]
fn two_consecutive_codes_of_a_clock_that_is_off_set_it_right() {
    with_account(|world| {
        let alice = world.enrol("alice");
        // Six minutes ahead.
        let at = |away: u64| alice.authenticator.code_at(alice.authenticator.now_step() + 12 + away);
        assert_eq!(login(world, &[&at(0)]), PamCode::AuthErr);
        world.wait_for_log(|line| line.text.contains("reason=wrong-code") && line.text.contains(" clock-offset=+3"));
        let output = resync(world, &at(0), &at(1));
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(login(world, &[&at(1)]), PamCode::AuthErr, "these two are used");
        assert_eq!(login(world, &[&at(2)]), PamCode::Success);
    });
}

#[test]
fn what_does_not_follow_or_is_too_far_off_sets_nothing_right_and_is_charged() {
    with_account(|world| {
        let alice = world.enrol("alice");
        let at = |away: u64| alice.authenticator.code_at(alice.authenticator.now_step() + away);
        for (first, second) in [(at(12), at(14)), (at(12), at(12))] {
            assert_eq!(resync(world, &first, &second).code, Some(1));
        }
        assert_eq!(resync(world, &at(25), &at(26)).code, Some(1));
        let status = done(world, &["status", "alice", "--json"]).json();
        assert_eq!(status["throttle"]["failures"], 3);
    });
}

#[test]
fn a_junk_answer_or_none_sets_nothing_right_and_is_not_charged() {
    with_account(|world| {
        world.enrol("alice");
        for input in ["hunter2\n", "123456\nhunter2\n", "123456\n", ""] {
            assert_eq!(fed(world, &["resync", "alice"], input).code, Some(1), "{input:?}");
        }
        assert_eq!(done(world, &["status", "alice", "--json"]).json()["throttle"]["failures"], 0);
    });
}

#[test]
fn a_token_is_found_again_up_to_a_hundred_presses_ahead() {
    with_account(|world| {
        let arguments = ["enroll", "alice", "--type", "hotp", "--secret-stdin", "--no-confirm"];
        assert_eq!(fed(world, &arguments, SECRET).code, Some(0));
        assert_eq!(login(world, &[&token().code_at(90)]), PamCode::AuthErr);
        assert_eq!(resync(world, &token().code_at(90), &token().code_at(91)).code, Some(0));
        assert_eq!(login(world, &[&token().code_at(92)]), PamCode::Success);
    });
}

#[test]
fn verify_says_by_how_much_the_clocks_differ() {
    with_account(|world| {
        let alice = world.enrol("alice");
        let late = alice.authenticator.code_at(alice.authenticator.now_step() - 6);
        let output = fed(world, &["verify", "alice"], &late);
        assert!(output.code == Some(1) && output.stderr.contains("this host differ by -1"), "{output:?}");
    });
}

/// The advice is about what the user has: a token has no clock, and a phone no button.
#[test]
fn what_was_wrong_is_said_of_what_the_user_has() {
    const HOTP: [&str; 6] = ["--type", "hotp", "--label", "token", "--secret-stdin", "--no-confirm"];
    let enrolled = |world: &World, arguments: &[&str]| {
        let output = fed(world, &[&["enroll", "alice"], arguments].concat(), SECRET);
        assert_eq!(output.code, Some(0), "{output:?}");
    };
    // Nobody's code: it is neither among the next of the token nor of the phones' clocks, whatever their secrets.
    let told = |world: &World, verb: &str| {
        let output = fed(world, &[verb, "alice"], "00000000\n00000000\n");
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
        output.stderr
    };
    for verb in ["verify", "resync"] {
        with_account(|world| {
            world.enrol("alice");
            let phone = told(world, verb);
            assert!(phone.contains("automatic") && !phone.contains("token"), "{verb}: {phone}");
            enrolled(world, &[&HOTP[..], &["--add"]].concat());
            let both = told(world, verb);
            assert!(both.contains("device") && both.contains("phone"), "{verb}: {both}");
        });
        with_account(|world| {
            enrolled(world, &HOTP);
            let token = told(world, verb);
            assert!(token.contains("button"), "{verb}: {token}");
            assert!(!token.contains("clock") && !token.contains("phone"), "{verb}: {token}");
        });
    }
}

#[test]
fn a_code_that_a_token_has_used_is_followed_by_pressing_it() {
    with_account(|world| {
        let arguments = ["enroll", "alice", "--type", "hotp", "--secret-stdin", "--no-confirm"];
        assert_eq!(fed(world, &arguments, SECRET).code, Some(0));
        assert_eq!(login(world, &[&token().code_at(0)]), PamCode::Success);
        let output = fed(world, &["verify", "alice"], &token().code_at(0));
        assert_eq!(
            (output.code, output.stderr.contains("press the button of the token")),
            (Some(1), true),
            "{output:?}"
        );
    });
}
