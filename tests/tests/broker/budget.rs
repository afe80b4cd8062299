//! Every path on which a code can be tried charges one and the same budget (B07), and what is no guess costs nothing.

use serde_json::json;
use twinlock_tests::{Attempt, Enrolled, PamCode, State};

use crate::injection::{Host, with_host};
use crate::person::{Given, Talk, Turn, enroll, renew};

const STRICT: &str = "[throttle]\nspacing = \"1h\"\n";

fn with_enrolled(config: &str, test: impl FnOnce(&Host<'_>, &Enrolled) + Send) {
    with_host(config, |host| {
        let held = host.deploy();
        let _broker = host.world.broker();
        test(host, &held);
    });
}

fn wrong(held: &Enrolled) -> String {
    held.authenticator.wrong_code()
}

/// One incorrect code on a path.
type Path = fn(&Host<'_>, &Enrolled);

fn verify(host: &Host<'_>, held: &Enrolled) {
    assert!(!host.verifies(&wrong(held)));
}

fn command(host: &Host<'_>, held: &Enrolled) {
    let output =
        host.world.twinlock_as(&host.alice, &["verify"]).run_with_input(format!("{}\n", wrong(held)).as_bytes());
    assert_eq!(output.code, Some(1), "{output:?}");
}

fn root_command(host: &Host<'_>, held: &Enrolled) {
    let output =
        host.world.twinlock_launch(&["verify", "alice"]).run_with_input(format!("{}\n", wrong(held)).as_bytes());
    assert_eq!(output.code, Some(1), "{output:?}");
}

fn login(host: &Host<'_>, held: &Enrolled) {
    assert_eq!(host.logs_in(&wrong(held)), PamCode::AuthErr);
}

fn locker(host: &Host<'_>, held: &Enrolled) {
    let attempt = Attempt::new("svc").user("alice").answer(wrong(held)).as_account(&host.alice);
    assert_eq!(attempt.run(host.world).code(), PamCode::AuthErr);
}

fn proof(host: &Host<'_>, held: &Enrolled) {
    for request in [renew(), enroll("instead"), enroll("beside"), json!({ "device": [held.id, "suspend"] })] {
        let mut talk = Talk::begin(host.world.caller(host.alice.uid).connect(), &request, Given::default())
            .until("To confirm your identity");
        let before = State::of("alice").charges()[0];
        talk.type_in(&wrong(held));
        // Whatever comes now, the answer was judged before.
        let end = talk.next();
        assert!(!end.is_done(), "{end:?}");
        if State::of("alice").charges()[0] > before {
            return;
        }
    }
    panic!("no charge");
}

const PATHS: [(&str, Path); 6] = [
    ("verify of the protocol", verify),
    ("twinlock verify", command),
    ("twinlock verify of root", root_command),
    ("a login as root", login),
    ("a login of a host that is not root's", locker),
    ("the proof before a change", proof),
];

#[test]
fn a_wrong_code_is_charged_the_same_on_every_path() {
    for (name, path) in PATHS {
        with_enrolled("", |host, held| {
            path(host, held);
            assert_eq!(State::of("alice").charges(), [1, 1, 0, 1], "{name}");
        });
    }
}

#[test]
fn wrong_codes_of_all_paths_add_up() {
    // Each path comes last once: whatever the three free failures were used for, nothing more is looked at there.
    for last in 0..PATHS.len() {
        with_enrolled(STRICT, |host, held| {
            for (_, path) in (1..=3).map(|offset| PATHS[(last + offset) % PATHS.len()]) {
                path(host, held);
            }
            assert_eq!(State::of("alice").charges(), [3, 3, 0, 3]);
            let right = held.codes().next();
            for (name, taken) in [
                ("protocol", host.verifies(&right)),
                ("login", host.logs_in(&right) == PamCode::Success),
                ("proof", host.asks(&renew(), Given::code(&right)).is_done()),
                (
                    "locker",
                    Attempt::new("svc").user("alice").answer(&right).as_account(&host.alice).run(host.world).code()
                        == PamCode::Success,
                ),
            ] {
                assert!(!taken, "{name}: one code is not enough any more, and it is too early for two");
            }
            assert_eq!(State::of("alice").charges(), [3, 3, 0, 3], "what was not looked at costs nothing");
        });
    }
}

#[test]
fn out_of_free_failures_the_broker_too_wants_two_codes() {
    with_enrolled("", |host, held| {
        twinlock_tests::ForgedState::of(&host.alice).wrong_codes(3).write(host.world);
        let mut codes = held.codes();
        let (now, next) = (codes.next(), codes.next());
        let mut talk =
            Talk::begin(host.world.caller(host.alice.uid).connect(), &renew(), Given::code(&now)).until("To confirm");
        talk.type_in(&now);
        let Turn::Asked(second) = talk.next() else { panic!("one code was enough") };
        assert_eq!(second, "Wait for the next code and enter it: ");
        talk.type_in(&next);
        assert!(matches!(talk.next(), Turn::Asked(question) if question.contains("Enter one of these codes")));
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 3]);
    });
}

#[test]
fn a_proof_is_asked_for_three_times_and_charged_three_times() {
    with_enrolled("", |host, held| {
        let end = host.asks(&renew(), Given::code(&wrong(held)));
        assert!(end.refusal().starts_with("that code is not valid"), "{end:?}");
        assert_eq!(State::of("alice").charges(), [3, 3, 0, 3]);
    });
}

#[test]
fn a_wrong_code_of_a_new_app_is_no_guess_and_costs_nothing() {
    // Its secret was just shown to the user who types: there is nothing to find out.
    with_enrolled("", |host, held| {
        let mut talk = Talk::begin(
            host.world.caller(host.alice.uid).connect(),
            &enroll("instead"),
            Given::code(&held.recovery_codes[0]),
        )
        .until("app shows now");
        let charges = State::of("alice").charges();
        let new = talk.app.clone().unwrap();
        for _ in 0..4 {
            talk.type_in(&new.wrong_code());
            assert!(matches!(talk.next(), Turn::Asked(question) if question.contains("app shows now")));
        }
        talk.type_in(&new.wrong_code());
        assert_eq!(talk.finish().refusal(), "not confirmed, so nothing was changed", "and that was enough");
        assert_eq!(State::of("alice").charges(), charges);
        assert_eq!(host.logs_in(&held.codes().next()), PamCode::Success, "the old one works");
    });
}
