//! Flaws of google-authenticator-libpam (G).

use twinlock_tests::{race, tally};

use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "G01",
    flaw: "One code opened several of the logins that gave it at the same moment",
    trial: Trial::Everyone(g01_one_code_opens_one_login),
}];

fn g01_one_code_opens_one_login(contender: Contender) -> Finding {
    const TOGETHER: usize = 8;
    contender.scene(|scene| {
        let code = scene.codes().next();
        let opened = granted(&race(scene.world, vec![scene.attempt().answer(code); TOGETHER]));
        tally("security", "logins raced with one code", TOGETHER as u64);
        Finding::of(opened == 1, format!("{opened} of {TOGETHER} logins opened"))
    })
}
