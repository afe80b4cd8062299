//! An account that was renamed (A32). Origin: attack on Twinlock, 2026-11-30.

use twinlock_tests::{Attempt, Enrolled, Launch, PamCode, World, in_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "A32",
    flaw: "A renamed account lost its second factor under `optional`",
    origin: Some("Twinlock 0.1.0"),
    trial: Trial::Ours(a_renamed_account_keeps_its_second_factor),
}];

/// alice, who has logged in, on a host where a second factor is optional.
pub(crate) fn with_alice(attack: impl FnOnce(&World, &Enrolled) + Send) {
    in_world(|world| {
        world.set_up("second_factor = \"optional\"");
        world.service("svc", "auth required pam_twinlock.so\nauth required pam_permit.so\n");
        world.account_with_uid("alice", 1001);
        let alice = world.enrol("alice");
        assert_eq!(login(world, "alice", &alice.codes().next()), PamCode::Success);
        attack(world, &alice);
    });
}

pub(crate) fn login(world: &World, user: &str, answer: &str) -> PamCode {
    Attempt::new("svc").user(user).answer(answer).run(world).code()
}

pub(crate) fn run(words: &[&str]) {
    let output = Launch::new(words).run();
    assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
}

fn a_renamed_account_keeps_its_second_factor() -> String {
    with_alice(|world, alice| {
        run(&["usermod", "--login", "bob", "alice"]);
        assert_ne!(login(world, "bob", "000000"), PamCode::Success, "a wrong code opens the renamed account");
        let adopted = world.twinlock(&["adopt", "alice", "bob"]);
        assert_eq!(adopted.code, Some(0), "{adopted:?}");
        assert_ne!(login(world, "bob", "000000"), PamCode::Success);
        let next = alice.authenticator.code_at(alice.authenticator.now_step() + 1);
        assert_eq!(login(world, "bob", &next), PamCode::Success);
    });
    "denied until `twinlock adopt`, then granted with the same phone".into()
}
