//! The same rounds on the peers: how many of eight with one code were let in is counted and printed. What is asserted is
//! that the rounds were fair: the code was right, so somebody got in.

use std::fs;

use twinlock_tests::{Disk, Runners, tally};

use crate::races::contender::{Contender, granted};
use crate::races::course::{disk, rounds};

const TOGETHER: usize = 8;

/// Rounds, and how many were let in in all of them.
#[allow(clippy::print_stdout, reason = "the count is what the rounds are run for, with --nocapture")]
fn count(contender: Contender) -> (usize, usize) {
    let rounds = rounds(1_000);
    let (mut opened, mut twice) = (0, 0);
    let disk = disk();
    contender.scene(|scene| {
        disk.iter().for_each(Disk::lay_over_var_lib);
        let before = fs::read(scene.state()).unwrap_or_default();
        let mut runners = Runners::start(scene.world, TOGETHER);
        for round in 0..rounds {
            // A module may make its state with the first login.
            if before.is_empty() {
                let _none = fs::remove_file(scene.state());
            } else {
                scene.world.write_secret(scene.state(), &before);
            }
            let attempt = scene.attempt().answer(scene.codes().next());
            let granted = granted(&runners.race(vec![attempt; TOGETHER]));
            assert!(granted >= 1, "{contender:?}, round {round}: {:#?}", scene.world.log());
            opened += granted;
            twice += usize::from(granted > 1);
        }
    });
    let name = contender.name();
    println!(
        "{name}: {opened} of {} let in by one code, more than one in {twice} of {rounds} rounds",
        rounds * TOGETHER
    );
    tally("races", &format!("{name}: rounds with one code"), rounds as u64);
    tally("races", &format!("{name}: rounds in which it opened more than one login"), twice as u64);
    (rounds, opened)
}

#[test]
fn one_code_opens_one_login_of_ours_in_the_same_rounds() {
    let (rounds, opened) = count(Contender::Twinlock);
    assert_eq!(opened, rounds);
}

#[test]
fn logins_that_google_authenticator_lets_in_by_one_code_are_counted() {
    count(Contender::GoogleAuthenticator);
}

#[test]
fn logins_that_pam_oath_lets_in_by_one_code_are_counted() {
    count(Contender::Oath);
}
