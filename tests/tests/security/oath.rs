//! Flaws of pam_oath and the OATH toolkit (O).

use twinlock_tests::{PamCode, one_after_another};

use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "O03",
    flaw: "No throttle: a right code is let in after any number of wrong ones",
    trial: Trial::Everyone(o03_guessing_ends),
}];

fn o03_guessing_ends(contender: Contender) -> Finding {
    const GUESSES: usize = 200;
    contender.scene(|scene| {
        let guesses = vec![scene.attempt().answer(scene.app.wrong_code()); GUESSES];
        assert_eq!(granted(&one_after_another(scene.world, guesses)), 0);
        let open = scene.answer(scene.codes().next()) == PamCode::Success;
        Finding::of(
            !open,
            format!("after {GUESSES} guesses the next is {}", if open { "judged" } else { "not judged" }),
        )
    })
}
