//! Messages that are torn, too long, or out of place: nothing is done on the strength of half a message, and the broker
//! lives on.

use std::time::Duration;

use serde_json::json;
use twinlock_tests::{Caller, State, frame};

use crate::messages::{Said, ask, hear_out, login, request, store, with_scene};

/// The kinds there are.
const KINDS: &[u8] = b"RLEAXQHTIDFV";
const CODE: &str = "Verification code: ";

/// A connection on which the broker has asked for a code.
fn asked(caller: &Caller) -> twinlock_tests::Raw {
    let mut connection = caller.connect();
    connection.say('R', &request(None, &json!("verify")));
    assert_eq!(connection.hear().map(|frame| frame.text()).as_deref(), Some(CODE));
    connection
}

/// What is said of a question that nobody answered.
fn no_code() -> Said {
    let content = r#"{"cause":"refused","message":"no code was entered","hint":"enter the code at the prompt, or pipe it into stdin"}"#;
    Said { questions: vec![], last: Some('F'), content: content.into() }
}

#[test]
fn a_first_message_that_is_torn_anywhere_is_none() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let (mark, before) = (scene.world.log_mark(), store());
        for whole in [frame('R', &request(Some("alice"), &json!("verify"))), frame('L', &login("alice"))] {
            for length in 0..whole.len() {
                let mut connection = caller.connect();
                connection.send(&whole[..length]);
                connection.hang_up();
                assert!(hear_out(connection).is_nothing(), "{length}");
            }
            // The same without waiting for what becomes of it.
            for length in 0..whole.len() {
                caller.connect().send(&whole[..length]);
            }
        }
        assert_eq!(store(), before);
        assert_eq!(scene.world.log_since(mark), []);
        scene.assert_serving();
    });
}

#[test]
fn a_message_that_comes_byte_by_byte_is_one() {
    with_scene(|scene| {
        let mut connection = scene.caller(&scene.alice).connect();
        for byte in frame('R', &request(None, &json!("status"))) {
            connection.send(&[byte]);
        }
        assert_eq!(hear_out(connection).json()["status"]["user"], json!("alice"));
    });
}

#[test]
fn an_answer_that_is_torn_anywhere_is_none_and_charges_nothing() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let charges = State::of("alice").charges();
        let whole = frame('A', b"000000");
        for length in 0..whole.len() {
            let mut connection = asked(&caller);
            connection.send(&whole[..length]);
            connection.hang_up();
            assert_eq!(hear_out(connection), no_code(), "{length}");
        }
        assert_eq!(State::of("alice").charges(), charges);
        scene.assert_serving();
    });
}

#[test]
fn a_length_beyond_what_a_kind_may_have_is_no_message() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let before = store();
        for kind in KINDS {
            let longest: u32 = match kind {
                b'A' => 1024,
                b'X' => 0,
                _ => 16 * 1024,
            };
            for length in [longest + 1, 1 << 16, 1 << 24, i32::MAX.unsigned_abs(), 1 << 31, u32::MAX] {
                let mut connection = caller.connect();
                // The content is not waited for: the head alone says that it is none.
                connection.send(&[&length.to_be_bytes()[..], &[*kind]].concat());
                assert!(hear_out(connection).is_nothing(), "{} {length}", char::from(*kind));
            }
        }
        assert_eq!(store(), before);
        scene.assert_serving();
    });
}

#[test]
fn the_first_message_is_a_request_or_a_login() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let (mark, before) = (scene.world.log_mark(), store());
        let content = request(None, &json!("status"));
        for kind in (0..=u8::MAX).filter(|kind| !b"RL".contains(kind)) {
            let mut connection = caller.connect();
            let content: &[u8] = if kind == b'X' { b"" } else { &content };
            connection.send(&[&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &[kind], content].concat());
            assert!(hear_out(connection).is_nothing(), "{kind}");
        }
        assert_eq!(store(), before);
        assert_eq!(scene.world.log_since(mark), []);
        scene.assert_serving();
    });
}

#[test]
fn one_connection_is_one_request() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let status = frame('R', &request(None, &json!("status")));
        let verify = frame('R', &request(None, &json!("verify")));
        let one = ask(caller.connect(), &request(None, &json!("status")));
        let before = store();
        for more in [
            status.clone(),
            verify,
            frame('L', &login("alice")),
            frame('A', b"000000"),
            frame('X', b""),
            vec![0; 40_000],
        ] {
            let mut connection = caller.connect();
            connection.send(&[&status[..], &more].concat());
            let first = connection.hear().unwrap();
            assert_eq!((first.kind, first.content), ('D', one.content.clone()));
            connection.send(&more);
            assert!(hear_out(connection).is_nothing());
        }
        assert_eq!(store(), before);
    });
}

#[test]
fn nothing_but_an_answer_answers_a_question() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let charges = State::of("alice").charges();
        let code = scene.phone.codes().next();
        for kind in (0..=u8::MAX).filter(|kind| *kind != b'A') {
            let mut connection = asked(&caller);
            connection.send(&[&[0, 0, 0, 6, kind][..], code.as_bytes()].concat());
            assert_eq!(hear_out(connection), no_code(), "{kind}");
        }
        assert_eq!(State::of("alice").charges(), charges);
        // The code was not used up by any of it.
        let mut connection = asked(&caller);
        connection.say('A', code.as_bytes());
        assert_eq!(hear_out(connection).text(), r#"{"right":null}"#);
    });
}

#[test]
fn one_answer_is_one_try() {
    with_scene(|scene| {
        let mut connection = asked(&scene.caller(&scene.alice));
        connection.send(&frame('A', b"000000").repeat(20));
        let said = hear_out(connection);
        assert!(said.questions.is_empty() && said.refusal().starts_with("that code is not valid"), "{said:?}");
        assert_eq!(State::of("alice").charges()[0], 1);
    });
}

#[test]
fn an_answer_that_is_too_long_costs_next_to_nothing() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let charges = State::of("alice").charges();
        drop(asked(&caller));
        let (memory, time) = (scene.broker.resident_kib(), scene.broker.processor_time());
        let sizes = [1025, 1 << 16, 200_000, 1 << 24];
        for size in sizes {
            let mut connection = asked(&caller);
            connection.say('A', &vec![b'7'; size]);
            assert_eq!(hear_out(connection), no_code(), "{size}");
        }
        let used = scene.broker.processor_time().saturating_sub(time);
        assert!(used <= Duration::from_millis(50) * u32::try_from(sizes.len()).unwrap(), "{used:?}");
        let more = scene.broker.resident_kib().saturating_sub(memory);
        assert!(more < 2048, "{more} KiB");
        // The longest that is an answer is no code, and charges nothing either.
        let mut connection = asked(&caller);
        connection.say('A', &[b'7'; 1024]);
        assert!(hear_out(connection).refusal().starts_with("that is not a code"));
        assert_eq!(State::of("alice").charges(), charges);
        scene.assert_serving();
    });
}

#[test]
fn a_password_that_is_too_long_costs_next_to_nothing() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.carol);
        let before = store();
        for size in [1025, 1 << 16, 1 << 24] {
            let mut connection = caller.connect();
            connection.say('R', &request(None, &crate::messages::wish("first")));
            assert_eq!(connection.hear().map(|frame| frame.kind), Some('T'));
            assert_eq!(connection.hear().map(|frame| (frame.kind, frame.text())), Some(('H', "Password: ".into())));
            connection.say('A', &vec![b'7'; size]);
            assert_eq!(hear_out(connection).refusal(), "the password was not accepted", "{size}");
        }
        assert_eq!(store(), before);
        scene.assert_serving();
    });
}
