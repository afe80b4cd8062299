//! A full disk that copies on write (A31). Origin: attack on Twinlock, 2026-11-30.

use twinlock_tests::{Attempt, LoopDisk, PamCode, in_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "A31",
    flaw: "A user who filled a btrfs locked everybody out",
    origin: Some("Twinlock 0.1.0"),
    trial: Trial::Ours(a_full_btrfs_locks_nobody_out),
}];

fn a_full_btrfs_locks_nobody_out() -> String {
    let mut let_in = 0;
    in_world(|world| {
        world.set_up("");
        world.service("svc", "auth required pam_twinlock.so\n");
        world.account("alice");
        let disk = LoopDisk::lay_over_var_lib();
        let alice = world.enrol("alice");
        disk.fill();
        let mut codes = alice.codes();
        let answers = [codes.next(), codes.next()].into_iter().chain(alice.recovery_codes[..4].iter().cloned());
        let granted = |answer| Attempt::new("svc").user("alice").answer(answer).run(world).code() == PamCode::Success;
        let_in = answers.map(granted).filter(|granted| *granted).count();
    });
    assert_eq!(let_in, 6, "of six");
    "6 of 6 correct codes accepted, 4 of them recovery codes".into()
}
