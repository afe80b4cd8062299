//! Several at once, and somebody else in between: one wins, nothing is used twice, nothing is half done.

use std::fs;
use std::sync::Barrier;
use std::thread;

use serde_json::json;
use twinlock_tests::{Attempt, Authenticator, PamCode, SOCKET, STORE, Snapshot, State, is_long};

use crate::injection::{Host, later_code, wait_until_idle, with_host};
use crate::person::{Given, Talk, Turn, enroll, perform_by, renew};

const CHANGED: &str = "another command changed the second factor of alice in the meantime; nothing was changed";
const LAST: &str = "Enter one of these codes";

fn open(host: &Host<'_>, request: &serde_json::Value, given: Given, question: &str) -> Talk {
    Talk::begin(host.world.caller(host.alice.uid).connect(), request, given).until(question)
}

#[test]
fn of_two_first_enrolments_of_one_user_one_wins() {
    with_host("", |host| {
        let broker = host.world.broker();
        for round in 0..4 {
            // The password is asked for one after another; both are shown secrets and codes before either is stored.
            let mut talks = [(); 2].map(|()| open(host, &enroll("first"), Given::password(), LAST));
            let start = Barrier::new(2);
            let ends = thread::scope(|scope| {
                let run = |talk| scope.spawn(|| race(talk, &start));
                let [one, other] = talks.each_mut().map(run);
                [one, other].map(|thread| thread.join().unwrap())
            });
            let winners: Vec<_> = talks.iter().zip(&ends).filter(|(_, end)| end.is_done()).collect();
            assert_eq!(winners.len(), 1, "round {round}: {ends:?}");
            let loser = ends.iter().find(|end| !end.is_done()).unwrap();
            assert_eq!(loser.refusal(), "alice is already enrolled");
            wait_until_idle(&broker);
            host.assert_sound("after the race");
            let app = winners[0].0.app.as_ref().unwrap();
            assert_eq!(host.logs_in(&later_code(app)), PamCode::Success, "round {round}: {:#?}", host.world.log());
            host.forget();
        }
    });
}

fn race(talk: &mut Talk, start: &Barrier) -> Turn {
    start.wait();
    talk.finish_with(LAST)
}

#[test]
fn a_password_is_asked_for_in_one_session_at_a_time() {
    with_host("", |host| {
        let _broker = host.world.broker();
        let first = open(host, &enroll("first"), Given::password(), "Password");
        let second = host.asks(&enroll("first"), Given::password());
        assert_eq!(second.refusal(), "another enrolment of your account is asking for your password at the moment");
        drop(first);
        // The helper of the client that left is gone soon, and with it the turn.
        crate::injection::wait_until("the next may enrol", || host.asks(&enroll("first"), Given::password()).is_done());
    });
}

#[test]
fn a_login_during_a_replacement_is_by_the_old_one_or_the_new_one() {
    with_host("", |host| {
        let broker = host.world.broker();
        for round in 0..if is_long() { 32 } else { 8 } {
            let old = host.deploy();
            let proof = &old.recovery_codes[0];
            let mut talk = open(host, &enroll("instead"), Given::code(proof), LAST);
            let new = talk.app.clone().unwrap();
            let codes = [old.codes().next(), later_code(&new)];
            let start = Barrier::new(3);
            let (end, [by_old, by_new]) = thread::scope(|scope| {
                let login = |code: String| {
                    let start = &start;
                    scope.spawn(move || {
                        let held = Attempt::new("svc").user("alice").held().answer(code).start(host.world);
                        start.wait();
                        held.release().code()
                    })
                };
                let logins = codes.clone().map(login);
                let end = race(&mut talk, &start);
                (end, logins.map(|thread| thread.join().unwrap()))
            });
            assert!(end.is_done(), "round {round}: {end:?}");
            for login in [by_old, by_new] {
                assert!(matches!(login, PamCode::Success | PamCode::AuthErr), "round {round}: {login:?}");
            }
            wait_until_idle(&broker);
            // What was used is used; what was refused because it came too early is still accepted once.
            assert_eq!(host.logs_in(&codes[0]), PamCode::AuthErr, "the old one is gone: round {round}");
            let again = host.logs_in(&codes[1]);
            assert_ne!(again == PamCode::Success, by_new == PamCode::Success, "once: round {round}");
            assert_eq!(host.logs_in(&codes[1]), PamCode::AuthErr, "round {round}");
            // The code that confirmed is used as well.
            assert_eq!(host.logs_in(&new.code_at(new.now_step())), PamCode::AuthErr, "round {round}");
            fs::remove_file(twinlock_tests::state_of("alice")).unwrap();
        }
    });
}

#[test]
fn one_code_offered_on_every_path_at_once_is_taken_on_one() {
    with_host("", |host| {
        let _broker = host.world.broker();
        for round in 0..8 {
            let held = host.deploy();
            let device = json!({ "device": [held.id, { "rename": format!("phone {round}") }] });
            let code = held.codes().next();
            let start = Barrier::new(4);
            let caller = || host.world.caller(host.alice.uid);
            // Verify by the command's way, a change that wants proof, a login as root, a login of a host that is not root's.
            let granted = thread::scope(|scope| {
                let ask = |request: serde_json::Value, question: &'static str| {
                    let (start, code) = (&start, &code);
                    scope.spawn(move || {
                        let mut talk = Talk::begin(
                            caller().connect(),
                            &request,
                            Given { code: Some(code.clone()), ..Given::default() },
                        )
                        .until(question);
                        start.wait();
                        // A second question is the proof asked again: the code was refused.
                        talk.type_in(code);
                        matches!(talk.next(), Turn::Done(_))
                    })
                };
                let log_in = |attempt: Attempt| {
                    let start = &start;
                    scope.spawn(move || {
                        let held = attempt.start(host.world);
                        start.wait();
                        held.release().code() == PamCode::Success
                    })
                };
                let attempt = || Attempt::new("svc").user("alice").held().answer(&code);
                let threads = [
                    ask(json!("verify"), "Verification code"),
                    ask(device, "To confirm your identity"),
                    log_in(attempt()),
                    log_in(attempt().as_account(&host.alice)),
                ];
                threads.map(|thread| thread.join().unwrap())
            });
            assert_eq!(
                granted.iter().filter(|granted| **granted).count(),
                1,
                "round {round}: {granted:?}: {:#?}",
                host.world.log()
            );
        }
    });
}

#[test]
fn what_root_changed_between_proof_and_change_is_not_overwritten() {
    let meddle: [(&str, &[&str]); 4] = [
        ("replaced", &["enroll", "alice", "--replace", "--no-confirm"]),
        ("added to", &["enroll", "alice", "--add", "--no-confirm", "--label", "other"]),
        ("given new recovery codes", &["recovery", "new", "alice", "--no-confirm"]),
        ("removed", &["remove", "alice", "--yes"]),
    ];
    with_host("", |host| {
        let _broker = host.world.broker();
        for (what, arguments) in meddle {
            for (request, question) in [(enroll("instead"), LAST), (enroll("beside"), "app shows now"), (renew(), LAST)]
            {
                let held = host.deploy();
                let mut talk = open(host, &request, Given::code(&held.codes().next()), question);
                let output = host.world.twinlock(arguments);
                assert_eq!(output.code, Some(0), "{output:?}");
                let store = Snapshot::of(STORE);
                let end = talk.finish_with(question);
                let gone = what == "removed" && request != enroll("instead");
                let told = if gone { "alice is not enrolled" } else { CHANGED };
                assert_eq!(end.refusal(), told, "{what}: {request}");
                let credentials = |store: &Snapshot| store.paths().iter().any(|path| path.ends_with("alice.toml"));
                assert_eq!(credentials(&Snapshot::of(STORE)), what != "removed", "{what}: {request}");
                if what != "removed" {
                    assert_eq!(Snapshot::of(STORE), store, "{what}: {request}");
                }
                host.assert_sound(what);
                host.forget();
            }
        }
    });
}

#[test]
fn a_device_that_root_suspends_meanwhile_proves_nothing_any_more() {
    with_host("", |host| {
        let _broker = host.world.broker();
        let held = host.deploy();
        let second = host.world.enrol_with("alice", &["--add", "--label", "second"]);
        for (request, question) in [(enroll("instead"), LAST), (enroll("beside"), "app shows now"), (renew(), LAST)] {
            let mut talk = open(
                host,
                &request,
                Given::code(&held.recovery_codes[usize::from(question == LAST) + usize::from(request == renew())]),
                question,
            );
            for (change, code) in [("suspend", Some(0)), ("resume", Some(0)), ("suspend", Some(0))] {
                assert_eq!(host.world.twinlock(&["device", change, "alice", &second.id]).code, code);
            }
            assert_eq!(talk.finish_with(question).refusal(), CHANGED, "{request}");
            assert_eq!(host.world.twinlock(&["device", "resume", "alice", &second.id]).code, Some(0));
        }
        host.assert_sound("after all");
    });
}

#[test]
fn the_owner_s_own_other_session_is_somebody_else_too() {
    with_host("", |host| {
        let _broker = host.world.broker();
        let held = host.deploy();
        let caller = host.world.caller(host.alice.uid);
        let mut open = open(host, &enroll("instead"), Given::code(&held.codes().next()), LAST);
        let other = perform_by(&caller, &enroll("instead"), Given::code(&held.recovery_codes[0]));
        assert!(other.is_done(), "{other:?}");
        assert_eq!(open.finish_with(LAST).refusal(), CHANGED);
        let Turn::Done(done) = other else { unreachable!() };
        let app = Authenticator::from_uri(done["enrolled"]["uri"].as_str().unwrap());
        assert_eq!(host.logs_in(&later_code(&app)), PamCode::Success);
    });
}

#[test]
fn a_broker_that_is_stopped_during_an_enrolment_leaves_nothing_behind() {
    with_host("", |host| {
        for question in ["Password", "app shows now", LAST] {
            let broker = host.world.broker();
            let mut talk = open(host, &enroll("first"), Given::password(), question);
            let before = Snapshot::of(STORE);
            let output = broker.stop();
            assert_eq!((output.code, output.signal), (Some(0), None), "{question}: {output:?}");
            assert!(!fs::exists(SOCKET).unwrap(), "the socket is removed");
            let end = talk.finish_with(question);
            assert!(matches!(&end, Turn::Gone | Turn::Refused(..)), "{question}: {end:?}");
            assert_eq!(Snapshot::of(STORE), before, "{question}");
            host.assert_sound(question);
        }
    });
}

#[test]
fn a_broker_that_is_stopped_while_changes_are_stored_stores_them_wholly_or_not_at_all() {
    with_host("", |host| {
        for round in 0..8 {
            let held = host.deploy();
            let broker = host.world.broker();
            let mut talk = open(host, &enroll("instead"), Given::code(&held.recovery_codes[0]), LAST);
            let answer = talk.answer_to(LAST).unwrap();
            talk.type_in(&answer);
            let output = broker.stop();
            assert_eq!((output.code, output.signal), (Some(0), None), "{output:?}");
            let end = talk.finish();
            let new = talk.app.clone().unwrap();
            host.assert_sound("after the stop");
            let works = [held.codes().next(), later_code(&new)].map(|code| host.logs_in(&code) == PamCode::Success);
            assert_eq!(works, [!end.is_done(), end.is_done()], "round {round}: {end:?}");
            assert!(State::of("alice").charges()[0] <= 1);
            fs::remove_file(twinlock_tests::state_of("alice")).unwrap();
        }
    });
}
