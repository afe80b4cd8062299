//! Every outcome of an attempt: its return code, its reason in the log, and what it costs.

use twinlock_tests::{Attempt, PamCode, Setup, State};

use crate::module::end::{End, granted, login, refused, refused_by, run};

#[test]
fn a_right_code_is_granted() {
    Setup::new().enrolled(|alice| assert_eq!(login(alice, &[&alice.codes().next()]), granted()));
}

#[test]
fn the_codes_of_the_step_before_and_after_are_right_and_those_beyond_are_wrong() {
    let verdict_at = |away: i64| {
        let mut end = None;
        Setup::new().enrolled(|alice| {
            // In 2001, so that no step ends meanwhile.
            let step = 981_158_400_u64 / 30;
            let code = alice.enrolled.authenticator.code_at(step.saturating_add_signed(away));
            let then = alice.attempt().under(["faketime", "2001-02-03 00:00:00"]).environment("TZ", "UTC");
            end = Some(run(alice.world, then.answer(code)).1.code);
        });
        end
    };
    let wrong = Some(PamCode::AuthErr);
    let right = Some(PamCode::Success);
    assert_eq!([-2, -1, 0, 1, 2].map(verdict_at), [wrong, right, right, right, wrong]);
}

#[test]
fn a_wrong_code_is_refused_and_charged() {
    Setup::new().enrolled(|alice| {
        let expected = refused_by("totp", "1", PamCode::AuthErr, "wrong-code");
        assert_eq!(login(alice, &[&alice.wrong_code()]), expected);
        assert_eq!(State::of("alice").charges(), [1, 1, 0, 1]);
    });
}

#[test]
fn a_used_code_is_refused_and_not_charged() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        assert_eq!(login(alice, &[&code]), granted());
        assert_eq!(login(alice, &[&code]), refused_by("totp", "0", PamCode::AuthErr, "replayed"));
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 0]);
    });
}

#[test]
fn an_older_code_than_the_one_used_last_is_refused() {
    Setup::new().enrolled(|alice| {
        let mut codes = alice.codes();
        let (now, next) = (codes.next(), codes.next());
        assert_eq!(login(alice, &[&next]), granted());
        assert_eq!(login(alice, &[&now]), refused_by("totp", "0", PamCode::AuthErr, "replayed"));
    });
}

#[test]
fn a_used_code_stays_used_when_the_clock_is_set_back() {
    Setup::new().enrolled(|alice| {
        let step = 981_158_400_u64 / 30;
        let code = alice.enrolled.authenticator.code_at(step);
        let at = |time: &str, code: &str| {
            run(alice.world, alice.attempt().under(["faketime", time]).environment("TZ", "UTC").answer(code)).1.code
        };
        assert_eq!(at("2001-02-03 00:00:00", &code), PamCode::Success);
        let later = alice.enrolled.authenticator.code_at(step + 20);
        assert_eq!(at("2001-02-03 00:10:00", &later), PamCode::Success);
        assert_eq!(at("2001-02-03 00:00:00", &code), PamCode::AuthErr, "G05");
    });
}

#[test]
fn stale_codes_at_their_own_pace_never_open_anything() {
    Setup::new().enrolled(|alice| {
        let step = 981_158_400_u64 / 30;
        for (minute, away) in [("00:00:00", -240), ("00:00:30", -240), ("00:01:00", -240)] {
            let now = step + u64::from(minute == "00:00:30") + 2 * u64::from(minute == "00:01:00");
            let code = alice.enrolled.authenticator.code_at(now.saturating_add_signed(away));
            let then = alice.attempt().under(["faketime", &format!("2001-02-03 {minute}")]).environment("TZ", "UTC");
            assert_eq!(run(alice.world, then.answer(code)).1.code, PamCode::AuthErr, "G03");
        }
        assert_eq!(State::of("alice").text("authenticator.drift"), "", "no skew is learnt");
    });
}

#[test]
fn the_code_of_another_user_is_wrong() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        let code = alice.world.deploy("bob").codes().next();
        assert_eq!(login(alice, &[&code]), refused_by("totp", "1", PamCode::AuthErr, "wrong-code"));
    });
}

#[test]
fn junk_is_neither_verified_nor_charged() {
    Setup::new().enrolled(|alice| {
        let state = alice.state_bytes();
        for junk in ["", "hunter2", "12345", "123456789", "ABCD-EFGH"] {
            assert_eq!(login(alice, &[junk]), refused(PamCode::AuthErr, "junk"), "{junk:?}");
        }
        assert_eq!(alice.state_bytes(), state);
    });
}

#[test]
fn who_is_not_enrolled_is_asked_and_refused() {
    Setup::new().host(|world| {
        world.account("alice");
        let (outcome, end) = run(world, Attempt::new("svc").user("alice").answer("123456"));
        assert_eq!(end, refused(PamCode::AuthErr, "not-enrolled"));
        assert_eq!(outcome.prompts(), ["Verification code: "]);
    });
}

#[test]
fn an_unknown_user_is_asked_and_refused_and_not_named_in_the_log() {
    Setup::new().host(|world| {
        let (outcome, end) = run(world, Attempt::new("svc").user("MyS3cret!").answer("123456"));
        let log = "result=refused reason=unknown-user user=- method=- authenticator=- service=svc rhost=- failures=-";
        assert_eq!(end, End { code: PamCode::UserUnknown, log: log.into() });
        assert_eq!(outcome.prompts(), ["Verification code: "]);
        assert!(!world.log().iter().any(|line| line.text.contains("MyS3cret")), "L15");
    });
}

/// Codes and recovery codes have a count each. A used code, which is not a failure, does not disable anybody.
#[test]
fn the_attempt_that_disables_somebody_says_so() {
    Setup::new().config("[throttle]\ndisable_after = 11").enrolled(|alice| {
        let says = |end: End, failures: &str, method| {
            let End { code, log } = refused_by(method, failures, PamCode::AuthErr, "wrong-code");
            assert_eq!(end, End { code, log: format!("{log} now=disabled") });
        };
        let wrong = alice.wrong_code();
        alice.state().wrong_codes(9).write(alice.world);
        assert_eq!(login(alice, &[&wrong, &wrong]), refused_by("totp", "10", PamCode::AuthErr, "wrong-code"));
        let mut codes = alice.codes();
        let used = codes.next_step();
        alice.state().wrong_codes(10).used(used + 1).write(alice.world);
        let (first, second) = (codes.next(), codes.next());
        assert_eq!(login(alice, &[&first, &second]), refused_by("totp", "10", PamCode::AuthErr, "replayed"));
        says(login(alice, &[&wrong, &wrong]), "11", "totp");
        assert_eq!(login(alice, &[&wrong]), refused_by("totp", "11", PamCode::AuthErr, "disabled"));
        alice.state().wrong_recovery_codes(10).write(alice.world);
        says(login(alice, &["AAAA-BBBB-CCCC-DDDD"]), "11", "recovery");
    });
}

#[test]
fn a_disabled_user_is_asked_and_refused_and_not_charged() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(100).write(alice.world);
        let state = alice.state_bytes();
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!(end, refused_by("totp", "100", PamCode::AuthErr, "disabled"));
        assert_eq!((outcome.prompts(), outcome.notices()), (vec!["Verification code: "], vec![]));
        assert_eq!(alice.state_bytes(), state);
    });
}

#[test]
fn too_soon_is_told_in_seconds_and_neither_looked_at_nor_charged() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(3).failed_ago(0).write(alice.world);
        let state = alice.state_bytes();
        let mut codes = alice.codes();
        let attempt = alice.attempt().answer(codes.next()).answer(codes.next());
        let (outcome, end) = run(alice.world, attempt);
        assert_eq!(end, refused_by("totp", "3", PamCode::AuthErr, "throttled"));
        let told = (1..=10).map(|left| format!("Too many incorrect codes. Try again in {left} seconds."));
        assert!(
            outcome.notices().len() == 1 && told.into_iter().any(|text| text == outcome.notices()[0]),
            "{outcome:?}"
        );
        assert_eq!(outcome.prompts(), ["Verification code: "]);
        assert_eq!(alice.state_bytes(), state);
    });
}

#[test]
fn right_codes_end_the_row_of_failures() {
    Setup::new().enrolled(|alice| {
        assert_eq!(login(alice, &[&alice.wrong_code()]).code, PamCode::AuthErr);
        assert_eq!(login(alice, &[&alice.codes().next()]), granted());
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 1], "the budget stays spent");
    });
}
