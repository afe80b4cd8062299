//! What is given at the same moment is accepted once: a code, a recovery code, two codes in a row, in any spelling.

use std::fs;

use twinlock_tests::state_of;

use crate::races::course::{attempt, on_a_course, rounds};

/// One code given by so many at once.
fn one_code_opens_one_login(together: usize, whole: usize) {
    on_a_course("", together, |course| {
        for round in 0..rounds(whole) {
            course.state().write(course.world);
            let code = course.alice.codes().next();
            course.one_wins(vec![attempt(&[&code]); together], round);
        }
    });
}

#[test]
fn of_2_with_one_code_one_is_let_in() {
    one_code_opens_one_login(2, 10_000);
}

#[test]
fn of_4_with_one_code_one_is_let_in() {
    one_code_opens_one_login(4, 7_000);
}

#[test]
fn of_8_with_one_code_one_is_let_in() {
    one_code_opens_one_login(8, 5_000);
}

#[test]
fn of_16_with_one_code_one_is_let_in() {
    one_code_opens_one_login(16, 2_500);
}

#[test]
fn of_32_with_one_code_one_is_let_in() {
    one_code_opens_one_login(32, 1_000);
}

/// The first attempt of a user makes the state.
#[test]
fn of_4_with_one_code_and_no_state_yet_one_is_let_in() {
    on_a_course("", 4, |course| {
        for round in 0..rounds(1_000) {
            drop(fs::remove_file(state_of("alice")));
            let code = course.alice.codes().next();
            course.one_wins(vec![attempt(&[&code]); 4], round);
        }
    });
}

#[test]
fn of_8_with_one_code_in_8_spellings_one_is_let_in() {
    on_a_course("", 8, |course| {
        for round in 0..rounds(3_000) {
            course.state().write(course.world);
            let code = course.alice.codes().next();
            let (head, tail) = code.split_at(3);
            let spellings = [
                code.clone(),
                format!(" {code}"),
                format!("{code} "),
                format!("{head} {tail}"),
                format!("{head}-{tail}"),
                format!("\t{code}\t"),
                format!("--{head}--{tail}--"),
                format!("{head}  {tail}"),
            ];
            course.one_wins(spellings.iter().map(|spelling| attempt(&[spelling])).collect(), round);
        }
    });
}

#[test]
fn of_6_with_the_same_two_codes_one_is_let_in() {
    on_a_course("", 6, |course| {
        for round in 0..rounds(2_000) {
            course.state().wrong_codes(3).write(course.world);
            let mut codes = course.alice.codes();
            let (now, next) = (codes.next(), codes.next());
            course.one_wins(vec![attempt(&[&now, &next]); 6], round);
        }
    });
}

#[test]
fn of_4_with_one_recovery_code_in_4_spellings_one_is_let_in() {
    on_a_course("", 4, |course| {
        for round in 0..rounds(1_200) {
            course.state().write(course.world);
            let code = &course.alice.recovery_codes[round % 10];
            let spellings = [code.clone(), code.to_lowercase(), code.replace('-', ""), code.replace('-', " ")];
            course.one_wins(spellings.iter().map(|spelling| attempt(&[spelling])).collect(), round);
        }
    });
}
