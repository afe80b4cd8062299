//! Many logins at once.

use twinlock_tests::{race, tally};

use crate::contender::{Contender, Scene, granted};
use crate::row::Finding;
use crate::tools::on_a_disk;

const TOGETHER: usize = 8;
const ROUNDS: usize = 20;

pub(super) fn one_code_opens_one_login(contender: Contender) -> Finding {
    contender.scene(|scene| raced(scene, || scene.codes().next()))
}

pub(super) fn one_recovery_code_opens_one_login(contender: Contender) -> Finding {
    contender.scene(|scene| match &scene.recovery_code {
        Some(code) => raced(scene, || code.clone()),
        None => Finding::Unfit("no recovery codes"),
    })
}

/// Round after round, each with a fresh state, all logins give the code at the same moment.
fn raced(scene: &Scene<'_>, code: impl Fn() -> String) -> Finding {
    let round = |_| {
        scene.reset();
        let attempt = on_a_disk(scene.attempt()).answer(code());
        granted(&race(scene.world, vec![attempt; TOGETHER]))
    };
    let opened: Vec<usize> = (0..ROUNDS).map(round).collect();
    tally("security", "logins raced with one code", (ROUNDS * TOGETHER) as u64);
    assert!(!opened.contains(&0), "{}: nobody got in: {opened:?}", scene.contender.name());
    let lost = opened.iter().filter(|opened| **opened > 1).count();
    let most = opened.iter().max().unwrap();
    Finding::of(
        lost == 0,
        if lost == 0 {
            format!("1 of {TOGETHER} logins granted, {ROUNDS} rounds")
        } else {
            format!("in {lost} of {ROUNDS} rounds up to {most} of {TOGETHER} logins granted")
        },
    )
}
