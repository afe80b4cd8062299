//! `adopt`, `repair` and `recovery count`.

use std::fs;

use twinlock_tests::{PamCode, Snapshot, state_of};

use crate::devices::verbs::{SECRET, done, fed, login, refused, token, with_account};

#[test]
fn the_same_person_under_another_uid_keeps_the_second_factor_and_what_was_used() {
    with_account(|world| {
        let alice = world.enrol("alice");
        let mut codes = alice.codes();
        let used = codes.next();
        assert_eq!(login(world, &[&used]), PamCode::Success);
        world.remove_account("alice");
        world.account_with_uid("alice", 4004);
        assert_eq!(login(world, &[&codes.next()]), PamCode::AuthinfoUnavail);
        done(world, &["adopt", "alice"]);
        assert_eq!(login(world, &[&used]), PamCode::AuthErr);
        assert_eq!(login(world, &[&codes.next()]), PamCode::Success);
    });
}

#[test]
fn nobody_is_adopted_who_is_not_enrolled() {
    with_account(|world| refused(world, &["adopt", "alice"], 4, "alice is not enrolled"));
}

#[test]
fn a_repaired_record_counts_as_used_whatever_may_have_been() {
    with_account(|world| {
        let alice = world.enrol("alice");
        let step = alice.authenticator.now_step();
        fs::write(state_of("alice"), [0; 8192]).unwrap();
        assert_eq!(login(world, &[&alice.authenticator.code_at(step)]), PamCode::AuthinfoUnavail);
        let output = done(world, &["repair", "alice"]);
        assert!(output.stderr.contains("recovery new alice"), "{output:?}");
        for away in [0, 1] {
            assert_eq!(login(world, &[&alice.authenticator.code_at(step + away)]), PamCode::AuthErr);
        }
        assert_eq!(login(world, &[&alice.recovery_codes[3]]), PamCode::AuthErr);
        assert_eq!(done(world, &["recovery", "count", "alice"]).stdout, "0\n");
        done(world, &["unlock", "alice"]);
        let later = twinlock_tests::Attempt::new("svc").user("alice").under(["faketime", "-f", "+690s"]);
        assert_eq!(later.answer(alice.authenticator.code_at(step + 23)).run(world).code(), PamCode::Success);
    });
}

#[test]
fn a_repaired_token_must_be_enrolled_anew() {
    with_account(|world| {
        let enrol = ["enroll", "alice", "--type", "hotp", "--secret-stdin", "--no-confirm"];
        assert_eq!(fed(world, &enrol, SECRET).code, Some(0));
        fs::write(state_of("alice"), [0; 8192]).unwrap();
        done(world, &["repair", "alice"]);
        assert_eq!(login(world, &[&token().code_at(0)]), PamCode::AuthErr);
        assert_eq!(
            fed(world, &["resync", "alice"], &format!("{}\n{}\n", token().code_at(0), token().code_at(1))).code,
            Some(1)
        );
    });
}

#[test]
fn a_record_that_can_be_read_is_left_alone() {
    with_account(|world| {
        world.enrol("alice");
        let store = Snapshot::of("/var/lib/twinlock");
        assert!(done(world, &["repair", "alice"]).stderr.contains("nothing was changed"));
        assert_eq!(Snapshot::of("/var/lib/twinlock"), store);
        refused(world, &["repair", "root"], 4, "root is not enrolled");
    });
}

#[test]
fn recovery_codes_are_counted() {
    with_account(|world| {
        refused(world, &["recovery", "count", "alice"], 4, "alice is not enrolled");
        let alice = world.enrol("alice");
        assert_eq!(done(world, &["recovery", "count", "alice"]).stdout, "10\n");
        assert_eq!(login(world, &[&alice.recovery_codes[0]]), PamCode::Success);
        let told = done(world, &["recovery", "count", "alice", "--json"]).json();
        assert_eq!((&told["user"], &told["recovery_codes_left"]), (&"alice".into(), &9.into()));
    });
}
