//! One row of the report: all contenders do the same thing, in turns.

use std::iter;

use crate::contender::{Contender, Given};
use crate::samples::Samples;
use crate::scene::{ACCOUNTS, Scene};
use crate::worker::Pool;

/// What is done in turns.
pub(crate) struct Race<'a> {
    pub(crate) scene: &'a Scene<'a>,
    /// How many are enrolled in the stores.
    pub(crate) enrolled: usize,
    /// What they answer.
    pub(crate) given: Given,
    /// How many log in at once.
    pub(crate) together: usize,
}

/// What one contender took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    /// Each login: alone from its begin to its end, together from the common release to its end.
    pub(crate) each: Samples,
    /// The processor's part in each.
    pub(crate) worked: Samples,
    /// From the release to the end of the last one.
    pub(crate) all: Samples,
    /// How many were refused that should have been granted: their times are worthless, and so are all the others.
    pub(crate) wrongly_refused: usize,
}

/// In the order of [`Contender::ALL`].
pub(crate) type Results = [Option<Times>; 5];

impl Race<'_> {
    /// Runs so many rounds of all contenders, each round beginning with another one, so that drift and what one leaves
    /// behind for the next hit all alike.
    ///
    /// # Panics
    /// When a login ends otherwise than it should; but see [`Race::may_fail`].
    pub(crate) fn run(&self, pool: &mut Pool, rounds: usize) -> Results {
        let mark = self.scene.world.log_mark();
        let mut results = Contender::ALL.map(|contender| {
            let takes_part = self.scene.present.contains(&contender) && contender.takes(self.given);
            takes_part.then(Times::default)
        });
        for round in 0..rounds {
            for turn in 0..results.len() {
                let at = (round + turn) % results.len();
                if let Some(times) = &mut results[at] {
                    self.turn(pool, Contender::ALL[at], round, times);
                }
            }
        }
        self.check_log(mark, rounds);
        results
    }

    fn turn(&self, pool: &mut Pool, contender: Contender, round: usize, times: &mut Times) {
        let people: Vec<_> = match self.together {
            1 => vec![round % ACCOUNTS.min(self.enrolled)],
            several => (0..several).collect(),
        };
        self.scene.put_back(contender, self.enrolled, &people);
        let jobs: Vec<_> =
            people.iter().map(|who| self.scene.job(contender, self.enrolled, *who, self.given)).collect();
        let (release, done) = pool.perform(&jobs);
        for (done, job) in iter::zip(&done, &jobs) {
            let verdict = Contender::verdict(self.given);
            if contender != Contender::Floor && done.code != verdict {
                assert!(
                    self.may_fail(contender),
                    "{job:?} ended with {:?}, not {verdict:?}: {}",
                    done.code,
                    self.scene.world.log().last().map(ToString::to_string).unwrap_or_default()
                );
                times.wrongly_refused += 1;
            }
            times.worked.push(done.worked);
            times.each.push(done.end - if jobs.len() == 1 { done.begin } else { release });
        }
        let last = done.iter().map(|done| done.end).max().expect("somebody logged in");
        times.all.push(last - release);
    }

    /// `pam_oath` has one lock for everybody and does not wait for it: of several correct codes at once it refuses most.
    /// The report leaves those times out.
    fn may_fail(&self, contender: Contender) -> bool {
        contender == Contender::Oath && self.together > 1
    }

    /// The same code may have several reasons: the log tells the right one.
    fn check_log(&self, mark: usize, rounds: usize) {
        let lines = self.scene.world.log_since(mark);
        for contender in &self.scene.present {
            let words = contender.log_words(self.given);
            if !words.is_empty() {
                let found = lines.iter().filter(|line| words.iter().all(|word| line.text.contains(word))).count();
                assert_eq!(found, rounds * self.together, "lines with {words:?}, one a login");
            }
        }
    }
}
