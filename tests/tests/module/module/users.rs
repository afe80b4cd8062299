//! Odd users (R0 in SECURITY.md): nothing is made for them, nothing of them is in the log.

use std::path::Path;

use twinlock_tests::{Attempt, Give, IGNORED, PamCode, STORE, Setup, Snapshot, World, odd_user_names};

use crate::module::end::{End, granted, run};

fn unknown() -> End {
    let log = "result=refused reason=unknown-user user=- method=- authenticator=- service=svc rhost=- failures=-";
    End { code: PamCode::UserUnknown, log: log.into() }
}

fn is_refused_as_unknown(world: &World, name: &[u8]) {
    let (outcome, end) = run(world, Attempt::new("svc").user(name).answer("123456"));
    let shown = String::from_utf8_lossy(name.get(..40).unwrap_or(name));
    assert_eq!(outcome.signal(), None, "{shown:?}");
    assert_eq!(end, unknown(), "{shown:?}");
    assert_eq!(outcome.prompts(), ["Verification code: "], "{shown:?}");
}

#[test]
fn names_that_nobody_has_are_all_alike_and_leave_nothing() {
    Setup::new().enrolled(|alice| {
        let store = Snapshot::of(STORE);
        for name in odd_user_names() {
            is_refused_as_unknown(alice.world, &name);
        }
        assert_eq!(Snapshot::of(STORE), store);
        assert!(!Path::new("/var/lib/x").exists());
    });
}

#[test]
fn under_optional_too_a_name_that_nobody_has_is_asked_and_refused() {
    Setup::new().config("second_factor = \"optional\"").enrolled(|alice| {
        let store = Snapshot::of(STORE);
        for name in ["../x", "zoe", "al\nice", "1001"] {
            is_refused_as_unknown(alice.world, name.as_bytes());
        }
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn an_empty_name_is_asked_for_and_then_unknown() {
    Setup::new().host(|world| {
        let (_, end) = run(world, Attempt::new("svc").user("").answer("123456").answer("123456"));
        assert!(end.log.contains("reason=unknown-user"), "{end:?}");
        assert_ne!(end.code, PamCode::Success);
        assert_ne!(end.code, IGNORED);
    });
}

#[test]
fn a_user_that_the_application_left_out_is_asked_for() {
    Setup::new().enrolled(|alice| {
        let (outcome, end) = run(alice.world, Attempt::new("svc").answer("alice").answer(alice.codes().next()));
        assert_eq!(end, granted());
        assert_eq!(outcome.prompts(), ["login:", "Verification code: "]);
    });
}

#[test]
fn nobody_gets_in_when_the_user_cannot_be_asked_for() {
    Setup::new().config("second_factor = \"optional\"").host(|world| {
        for give in [Give::ConvErr, Give::NullText, Give::NullArray, Give::Bytes(Vec::new())] {
            let (outcome, end) = run(world, Attempt::new("svc").give(give.clone()));
            assert_eq!(outcome.signal(), None, "{give:?}");
            assert!(
                ![PamCode::Success, IGNORED].contains(&end.code) && end.log.contains("user=- "),
                "{give:?}: {end:?}"
            );
        }
        // G22: the conversation's own error, and no question about a code of nobody.
        let (outcome, end) = run(world, Attempt::new("svc").give(Give::ConvErr).answer("123456"));
        assert_eq!((end.code, outcome.prompts()), (PamCode::ConvErr, vec!["login:"]));
    });
}

#[test]
fn an_account_whose_name_is_no_plain_text_has_files_of_its_own() {
    Setup::new().host(|world| {
        world.account("DOM\\al.ice");
        let enrolled = world.enrol("DOM\\al.ice");
        let (_, end) = run(world, Attempt::new("svc").user("DOM\\al.ice").answer(enrolled.codes().next()));
        assert_eq!(end.code, PamCode::Success);
        assert!(end.log.contains(" user=DOM%5Cal.ice "), "{end:?}");
        assert!(Path::new(STORE).join("credentials/DOM%5Cal.ice.toml").is_file());
    });
}

#[test]
fn an_account_with_a_dot_in_front_has_no_hidden_file() {
    Setup::new().host(|world| {
        world.account(".new");
        let enrolled = world.enrol(".new");
        let (_, end) = run(world, Attempt::new("svc").user(".new").answer(enrolled.codes().next()));
        assert_eq!(end.code, PamCode::Success);
        assert!(Path::new(STORE).join("state/%2Enew").is_file());
    });
}
