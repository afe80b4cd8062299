//! An attack on Twinlock, 2026-11-30 (A): the log and the places of the broker under a flood by any local account.

use twinlock_tests::{Caller, Raw};

use crate::contender::Contender;
use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A04",
        flaw: "One account with subordinate uids could take all places of a daemon (attack on Twinlock, 2026-11-30)",
        trial: Trial::Ours(a04_numbers_without_an_account_take_no_places),
    },
];

fn a04_numbers_without_an_account_take_no_places() -> String {
    const NUMBERS: u32 = 40;
    const OF_ONE: usize = 8;
    Contender::Twinlock.scene(|scene| {
        scene.world.broker_service();
        let _broker = scene.world.broker();
        let callers: Vec<_> = (0..NUMBERS).map(|number| scene.world.caller(200_000 + number)).collect();
        let silent = |caller: &Caller| [(); OF_ONE].map(|()| caller.connect());
        let held: Vec<Raw> = callers.iter().flat_map(silent).collect();
        let served = (0..OF_ONE).filter(|_| scene.world.twinlock_as(&scene.alice, &["status"]).run().code == Some(0));
        let served = served.count();
        assert_eq!(served, OF_ONE, "{} silent connections", held.len());
        format!("{served} of {OF_ONE} requests served beside {} silent connections of {NUMBERS} numbers", held.len())
    })
}
