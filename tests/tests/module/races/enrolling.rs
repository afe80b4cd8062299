//! A new phone is enrolled while the old one logs in: the old code is accepted once or not at all, and afterwards never.

use std::thread;
use std::time::Instant;

use twinlock_tests::{PamCode, tally};

use crate::races::contender::granted;
use crate::races::course::{attempt, on_a_course, rounds};

#[test]
fn a_code_of_a_phone_that_is_being_replaced_opens_one_login_at_most() {
    on_a_course("[throttle]\nfree_failures = 10", 4, |course| {
        let (mut opened, rounds) = (0, u32::try_from(rounds(200)).unwrap());
        course.world.deploy("alice");
        let begin = Instant::now();
        course.world.enrol_with("alice", &["--replace"]);
        let enrolling = begin.elapsed();
        for round in 0..rounds {
            course.world.deploy("alice");
            course.state().write(course.world);
            let code = course.alice.codes().next();
            let (world, old) = (course.world, attempt(&[&code]));
            let (new, outcomes) = thread::scope(|scope| {
                let new = scope.spawn(|| world.enrol_with("alice", &["--replace"]));
                // The first rounds come long before the change, the last ones after it, some in the middle of it.
                thread::sleep(enrolling * (13 * round) / (10 * rounds));
                let outcomes = course.race(vec![old.clone(); 4]);
                (new.join().unwrap(), outcomes)
            });
            assert!(granted(&outcomes) <= 1, "round {round}: {:#?}", course.world.log());
            opened += granted(&outcomes);
            let after = course.race([old]);
            assert_eq!(after[0].code(), PamCode::AuthErr, "the old phone is gone: round {round}");
            let fresh = new.codes().next();
            course.one_wins(vec![attempt(&[&fresh]); 4], round as usize);
        }
        tally("races", "logins let in by a phone that was being replaced", opened as u64);
    });
}
