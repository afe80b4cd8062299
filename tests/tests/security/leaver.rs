//! An account that was deleted and made anew (A33). Origin: attack on Twinlock, 2026-11-30.

use twinlock_tests::PamCode;

use crate::{
    renamed_account::{login, run, with_alice},
    row::{Row, Trial},
};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "A33",
    flaw: "A recreated account accepted its former owner's phone",
    origin: Some("Twinlock 0.1.0"),
    trial: Trial::Ours(the_phone_of_a_leaver_opens_nothing),
}];

fn the_phone_of_a_leaver_opens_nothing() -> String {
    with_alice(|world, alice| {
        // As the hook that ships is called by deluser, when the account has gone.
        world.write_script("/etc/remove-leaver", &world.shipped("hooks/remove-leaver"));
        run(&["userdel", "--remove", "alice"]);
        run(&["/etc/remove-leaver", "alice", "1001", "1001", "/home/alice"]);
        run(&["useradd", "--uid", "1001", "--create-home", "alice"]);
        world.write(twinlock_tests::CONFIG, "second_factor = \"required\"\n");
        let next = alice.authenticator.code_at(alice.authenticator.now_step() + 1);
        assert_ne!(login(world, "alice", &next), PamCode::Success, "the former owner's phone opens the new account");
    });
    "shipped hook removes the second factor: old phone denied".into()
}
