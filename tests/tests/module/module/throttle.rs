//! Outside the free failures and the budget: two consecutive codes.

use twinlock_tests::{Attempt, PamCode, Setup, State, User};

use crate::module::end::{End, granted, granted_by_recovery, login, refused, refused_by, run};

const BOTH: [&str; 2] = ["Verification code: ", "Wait for the next code and enter it: "];

/// alice after three consecutive incorrect codes, an hour ago.
fn after_three_failures(test: impl FnOnce(&User<'_>) + Send) {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(3).write(alice.world);
        test(alice);
    });
}

fn two(alice: &User<'_>, first: &str, second: &str) -> Attempt {
    alice.attempt().answer(first).answer(second)
}

#[test]
fn three_failures_are_free_and_the_fourth_attempt_is_not() {
    Setup::new().enrolled(|alice| {
        let wrong = alice.wrong_code();
        for failures in ["1", "2", "3"] {
            assert_eq!(login(alice, &[&wrong]), refused_by("totp", failures, PamCode::AuthErr, "wrong-code"));
        }
        assert_eq!(login(alice, &[&wrong]), refused_by("totp", "3", PamCode::AuthErr, "throttled"));
    });
}

#[test]
fn two_consecutive_codes_are_granted() {
    after_three_failures(|alice| {
        let mut codes = alice.codes();
        let (outcome, end) = run(alice.world, two(alice, &codes.next(), &codes.next()));
        assert_eq!(end, granted());
        assert_eq!((outcome.prompts(), outcome.notices()), (BOTH.to_vec(), vec![]));
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 3]);
    });
}

#[test]
fn a_wrong_second_code_is_refused() {
    after_three_failures(|alice| {
        let (outcome, end) = run(alice.world, two(alice, &alice.codes().next(), &alice.wrong_code()));
        assert_eq!(end, refused_by("totp", "4", PamCode::AuthErr, "step-up"));
        assert_eq!(outcome.prompts(), BOTH);
    });
}

#[test]
fn a_wrong_first_code_is_asked_for_a_second_all_the_same() {
    after_three_failures(|alice| {
        let (outcome, end) = run(alice.world, two(alice, &alice.wrong_code(), &alice.codes().next()));
        assert_eq!(end, refused_by("totp", "4", PamCode::AuthErr, "wrong-code"));
        assert_eq!(outcome.prompts(), BOTH);
    });
}

#[test]
fn a_second_answer_that_is_junk_costs_nothing() {
    after_three_failures(|alice| {
        let state = alice.state_bytes();
        for junk in ["", "hunter2"] {
            let (outcome, end) = run(alice.world, two(alice, &alice.codes().next(), junk));
            assert_eq!(end, refused(PamCode::AuthErr, "junk"));
            assert_eq!(outcome.prompts(), BOTH);
        }
        assert_eq!(alice.state_bytes(), state);
    });
}

#[test]
fn the_same_code_twice_is_refused() {
    after_three_failures(|alice| {
        let code = alice.codes().next();
        let end = run(alice.world, two(alice, &code, &code)).1;
        assert_eq!(end, refused_by("totp", "4", PamCode::AuthErr, "step-up"));
    });
}

#[test]
fn two_codes_in_the_wrong_order_are_refused() {
    after_three_failures(|alice| {
        let mut codes = alice.codes();
        let (now, next) = (codes.next(), codes.next());
        let end = run(alice.world, two(alice, &next, &now)).1;
        assert_eq!(end, refused_by("totp", "4", PamCode::AuthErr, "step-up"));
    });
}

#[test]
fn a_conversation_that_ends_before_the_second_code_costs_nothing() {
    after_three_failures(|alice| {
        let state = alice.state_bytes();
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!(end, refused(PamCode::ConvErr, "no-answer"));
        assert_eq!(outcome.prompts(), BOTH);
        assert_eq!(alice.state_bytes(), state);
    });
}

#[test]
fn after_two_codes_neither_is_accepted_again() {
    after_three_failures(|alice| {
        let mut codes = alice.codes();
        let (now, next) = (codes.next(), codes.next());
        assert_eq!(login(alice, &[&now, &next]), granted());
        for code in [&now, &next] {
            assert_eq!(login(alice, &[code]), refused_by("totp", "0", PamCode::AuthErr, "replayed"));
        }
    });
}

#[test]
fn a_recovery_code_is_one_answer_in_step_up() {
    after_three_failures(|alice| {
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.recovery_code(0)));
        assert_eq!(end, granted_by_recovery());
        assert_eq!(outcome.prompts(), ["Verification code: "]);
    });
}

#[test]
fn a_recovery_code_instead_of_the_second_code_is_enough() {
    after_three_failures(|alice| {
        let end = run(alice.world, two(alice, &alice.codes().next(), alice.recovery_code(0))).1;
        assert_eq!(end, granted_by_recovery());
    });
}

#[test]
fn an_empty_budget_asks_for_two_codes_though_no_failure_is_in_a_row() {
    Setup::new().enrolled(|alice| {
        alice.state().budget_spent(30).write(alice.world);
        let mut codes = alice.codes();
        let (outcome, end) = run(alice.world, two(alice, &codes.next(), &codes.next()));
        assert_eq!((end, outcome.prompts()), (granted(), BOTH.to_vec()));
    });
}

#[test]
fn the_hundredth_failure_in_a_row_disables() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(99).write(alice.world);
        let end = run(alice.world, two(alice, &alice.codes().next(), &alice.wrong_code())).1;
        let last = refused_by("totp", "100", PamCode::AuthErr, "step-up");
        assert_eq!(end, End { log: format!("{} now=disabled", last.log), ..last });
        assert_eq!(login(alice, &[&alice.codes().next()]), refused_by("totp", "100", PamCode::AuthErr, "disabled"));
    });
}

#[test]
fn the_count_survives_a_clock_that_jumps() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(3).failed_ago(0).write(alice.world);
        for shift in ["-1m", "-1y", "-20y"] {
            let attempt = alice.attempt().under(["faketime", "-f", shift]).answer(alice.wrong_code());
            assert_eq!(
                run(alice.world, attempt).1,
                refused_by("totp", "3", PamCode::AuthErr, "throttled"),
                "G04: {shift}"
            );
        }
        assert_eq!(State::of("alice").charges(), [3, 3, 0, 3]);
    });
}

#[test]
fn a_clock_far_ahead_gives_the_budget_back_and_not_the_free_failures() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(30).write(alice.world);
        let attempt = alice.attempt().under(["faketime", "-f", "+1y"]).answer(alice.wrong_code());
        let (outcome, _) = run(alice.world, attempt);
        assert_eq!(outcome.prompts(), BOTH);
    });
}
