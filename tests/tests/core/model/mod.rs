//! Every order in which five processes, kills, power failures, clocks and a new enrolment can come, with the real code of
//! core in each process: nothing opens twice, nothing is looked at for free, nobody waits for ever, the owner gets in.

mod explore;
mod flaw;
mod program;
mod protocol;

use std::time::Duration;

use twinlock_core::{
    credentials::{Authenticator, Enrolment},
    otp::ReplayState,
    record::Record,
    throttle::Limits,
    time::UnixTime,
};
use twinlock_tests::{is_long, tally};

use self::{
    explore::explore,
    flaw::Flaw,
    protocol::{Allowed, Protocol, Scene, Worth},
};
use crate::given::{ISSUED, NOON, RECOVERY, enrolment, id, issued_code, phone, subject};

const STEP: u64 = NOON / 30;

/// The code of a step of the old phone or the new one.
fn code(enrolment: u8, step: u64) -> String {
    phone(enrolment + 1).otp.code(step)
}

fn of_step(enrolment: u8, step: u64) -> (String, Worth) {
    (code(enrolment, step), Worth::Step { enrolment, step })
}

fn wrong() -> (String, Worth) {
    let near: Vec<_> = (0..=1).flat_map(|held| (STEP - 10..STEP + 10).map(move |step| code(held, step))).collect();
    ((0..99).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap(), Worth::Wrong)
}

fn owner(enrolment: u8, now: u64) -> Vec<String> {
    let step = phone(1).otp.step_at(UnixTime::from_seconds(now), ReplayState::default());
    vec![code(enrolment, step), code(enrolment, step + 1)]
}

/// A new phone, of the same owner.
fn replaced() -> Enrolment {
    let authenticator = Authenticator { id: id("phone2"), ..phone(2) };
    Enrolment { authenticators: vec![authenticator], ..enrolment("alice") }
}

fn scene(attempts: &[&[usize]], answers: Vec<(String, Worth)>) -> Scene {
    Scene {
        attempts: attempts.iter().map(|answers| answers.to_vec()).collect(),
        answers,
        enrolments: [enrolment("alice"), replaced()],
        replaced: None,
        owner,
        record: Record::new(&subject("alice")),
        limits: Limits { free_failures: 2, budget: 10, spacing: Duration::from_secs(10), disable_after: 100 },
        moves: &[10, -30],
        allowed: Allowed { kills: 0, power_failures: 0, clock_moves: 0 },
    }
}

/// One code twice, a guess, and a new phone with a login of its own; two codes are asked for after one failure.
fn replays() -> Scene {
    let answers = vec![of_step(0, STEP), of_step(0, STEP + 1), wrong(), of_step(1, STEP + 1)];
    let scene = scene(&[&[0], &[0, 1], &[2, 2], &[3]], answers);
    Scene { replaced: Some(STEP), limits: Limits { free_failures: 1, ..scene.limits }, ..scene }
}

/// Guesses while the owner comes, with two left in the budget and days that pass.
fn guesses() -> Scene {
    let answers = vec![wrong(), of_step(0, STEP), of_step(0, STEP + 1)];
    let scene = scene(&[&[0], &[0], &[0, 0], &[0, 0], &[1, 2]], answers);
    let mut record = scene.record.clone();
    record.throttle.spent = 8;
    record.throttle.refilled = UnixTime::from_seconds(NOON);
    Scene { record, moves: &[10, -30, 86_400], ..scene }
}

/// One recovery code three times, a wrong one, and a code.
fn recoveries() -> Scene {
    let right = (RECOVERY[0].to_owned(), Worth::Recovery { enrolment: 0 });
    let other = ("ZZZZ-ZZZZ-ZZZZ-ZZZZ".to_owned(), Worth::Wrong);
    scene(&[&[0], &[0], &[0], &[1], &[2]], vec![right, other, of_step(0, STEP)])
}

/// A code that was issued, twice.
fn issued_codes() -> Scene {
    let (from, until) = (NOON - 10, NOON + 300);
    let issued = (ISSUED.to_owned(), Worth::Issued { from, until });
    let scene = scene(&[&[0], &[0]], vec![issued]);
    let mut record = scene.record.clone();
    record.issue(issued_code(from, until));
    Scene { record, moves: &[300, -30], ..scene }
}

fn allow(scene: Scene, [kills, power_failures, clock_moves]: [u8; 3]) -> Scene {
    Scene { allowed: Allowed { kills, power_failures, clock_moves }, ..scene }
}

/// Sees that everything holds in a scene, and how much was seen.
fn holds(scene: Scene) {
    let explored = explore(&mut Protocol::new(scene, None));
    assert!(explored.broken.is_none(), "{explored}");
    tally("model", "states", explored.states as u64);
    tally("model", "steps", explored.steps as u64);
}

#[test]
fn one_code_opens_once_whatever_is_killed_and_the_power_fails() {
    holds(allow(replays(), [1, 1, 0]));
}

#[test]
fn one_code_opens_once_however_the_clock_moves() {
    holds(allow(replays(), if is_long() { [1, 1, 1] } else { [0, 0, 1] }));
}

#[test]
fn guesses_are_on_record_whatever_is_killed_and_the_power_fails() {
    holds(allow(guesses(), if is_long() { [2, 1, 0] } else { [1, 1, 0] }));
}

#[test]
fn guesses_are_on_record_however_the_clock_moves() {
    holds(allow(guesses(), if is_long() { [1, 1, 1] } else { [0, 0, 1] }));
}

#[test]
fn one_recovery_code_opens_once_whatever_is_killed() {
    holds(allow(recoveries(), if is_long() { [2, 1, 0] } else { [1, 0, 0] }));
}

#[test]
fn one_issued_code_opens_once_in_its_time_whatever_is_killed_and_the_power_fails() {
    // The phone is replaced by one that keeps the recovery codes.
    let scene = Scene { replaced: Some(STEP), ..issued_codes() };
    holds(allow(scene, if is_long() { [2, 1, 1] } else { [1, 1, 0] }));
}

#[test]
fn an_issued_code_opens_in_its_time_alone_however_the_clock_moves() {
    holds(allow(issued_codes(), if is_long() { [1, 1, 2] } else { [0, 0, 2] }));
}

/// Sees that a flaw is found, and how.
#[allow(clippy::print_stdout, reason = "the history of a flaw is worth reading, with --nocapture")]
fn finds(flaw: Flaw, scene: Scene, expected: &str) {
    let explored = explore(&mut Protocol::new(scene, Some(flaw)));
    println!("{flaw:?}: {explored}");
    assert_eq!(explored.broken.map(|(how, _)| how), Some(expected));
}

const TWICE: &str = "I2: one answer was granted twice";
const FORGOTTEN: &str = "I3: more refusals were seen than are on record";

#[test]
fn a_lock_that_keeps_nobody_out_is_found() {
    finds(Flaw::NoLock, Scene { attempts: vec![vec![0]; 2], replaced: None, ..replays() }, TWICE);
}

#[test]
fn an_end_that_is_told_before_anything_is_written_is_found() {
    finds(Flaw::RevealsEarly, guesses(), FORGOTTEN);
}

#[test]
fn a_charge_that_is_taken_back_twice_is_found() {
    finds(Flaw::RefundsTwice, guesses(), FORGOTTEN);
}

#[test]
fn failures_that_a_clock_set_back_forgets_are_found() {
    finds(Flaw::TrustsTheClock, allow(replays(), [0, 0, 1]), "I1: an answer was looked at too early");
}

#[test]
fn a_last_step_that_goes_back_is_found() {
    finds(Flaw::StepGoesBack, allow(replays(), [0, 0, 1]), TWICE);
}

#[test]
fn a_sync_that_does_nothing_is_found() {
    finds(Flaw::NoSync, allow(replays(), [0, 1, 0]), FORGOTTEN);
}

/// What login and enrolment did once: they forgot the old phone's steps while the power could still bring it back.
#[test]
fn a_forgotten_enrolment_that_comes_back_is_found() {
    finds(Flaw::ForgetsEarly, allow(replays(), [1, 1, 0]), TWICE);
}
