//! Guesses made at the same moment: no more of them are looked at than are free or left in the budget.

use twinlock_tests::{State, World};

use crate::races::contender::granted;
use crate::races::course::{attempt, on_a_course, rounds};

/// How many answers of a round were looked at, by the log.
fn looked_at(world: &World, mark: usize) -> usize {
    let looked_at = |reason: &str| ["-", "wrong-code", "replayed", "step-up"].contains(&reason);
    world.entries_since(mark).iter().filter(|entry| looked_at(entry.value("reason"))).count()
}

#[test]
fn of_16_guesses_no_more_are_looked_at_than_are_free() {
    on_a_course("[throttle]\nspacing = \"1h\"", 16, |course| {
        let wrong = course.alice.authenticator.wrong_code();
        for round in 0..rounds(1_500) {
            course.state().write(course.world);
            let mark = course.world.log_mark();
            let outcomes = course.race(vec![attempt(&[&wrong, &wrong]); 16]);
            assert_eq!(granted(&outcomes), 0, "round {round}");
            assert_eq!(looked_at(course.world, mark), 3, "round {round}");
            assert_eq!(State::of("alice").charges(), [3, 3, 0, 3], "round {round}");
        }
    });
}

#[test]
fn of_16_guesses_no_more_are_looked_at_than_the_budget_has_left() {
    on_a_course("[throttle]\nspacing = \"1h\"\nfree_failures = 10", 16, |course| {
        let wrong = course.alice.authenticator.wrong_code();
        for round in 0..rounds(1_500) {
            let left = round % 5 + 1;
            course.state().budget_spent(30 - u32::try_from(left).unwrap()).write(course.world);
            let mark = course.world.log_mark();
            course.race(vec![attempt(&[&wrong, &wrong]); 16]);
            assert_eq!(looked_at(course.world, mark), left, "round {round}");
            let left = left as u64;
            assert_eq!(State::of("alice").charges(), [left, left, 0, 30], "round {round}");
        }
    });
}

#[test]
fn a_right_code_among_guesses_opens_one_login_at_most_and_adds_no_guess() {
    on_a_course("[throttle]\nspacing = \"1h\"", 8, |course| {
        let wrong = course.alice.authenticator.wrong_code();
        let mut opened = 0;
        for round in 0..rounds(1_500) {
            course.state().write(course.world);
            let code = course.alice.codes().next();
            let mark = course.world.log_mark();
            let right = vec![attempt(&[&code, &wrong]); 2];
            let outcomes = course.race([right, vec![attempt(&[&wrong, &wrong]); 6]].concat());
            assert!(granted(&outcomes) <= 1, "round {round}: {:#?}", course.world.log_since(mark));
            opened += granted(&outcomes);
            // A success ends the row of failures: three before it, itself, and three after it.
            assert!(looked_at(course.world, mark) <= 3 + 4 * granted(&outcomes), "round {round}");
        }
        assert!(opened > 0, "the owner came first at least once");
    });
}
