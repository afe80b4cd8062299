//! Every way to have a code verified draws on one budget, and uses the code up for all the others.

use serde_json::{Value, json};
use twinlock_tests::{Attempt, ForgedState, Frame, PamCode, Raw, Snapshot, State};

use crate::messages::{Scene, hear_out, login, request, wish, with_scene};

/// First messages of alice upon which a code of hers is asked for.
fn ways() -> Vec<(char, Vec<u8>)> {
    let device = json!({ "device": ["phone1", { "rename": "new" }] });
    let requests =
        [json!("verify"), json!("resync"), device, json!({ "renew-recovery": "ask" }), wish("beside"), wish("instead")];
    let requests = requests.into_iter().map(|wanted: Value| ('R', request(None, &wanted)));
    requests.chain([('L', login("alice"))]).collect()
}

/// A connection of alice on which the broker has asked for a code.
fn asked(scene: &Scene<'_>, (kind, content): &(char, Vec<u8>)) -> Raw {
    let mut connection = scene.caller(&scene.alice).connect();
    connection.say(*kind, content);
    assert_eq!(connection.hear().map(|frame| frame.kind), Some('Q'));
    connection
}

#[test]
fn a_wrong_code_is_charged_by_whatever_way_it_comes() {
    with_scene(|scene| {
        scene.world.service("svc", "auth required pam_twinlock.so\n");
        let credentials = Snapshot::of("/var/lib/twinlock/credentials");
        for way in ways() {
            ForgedState::of(&scene.alice).write(scene.world);
            let mut connection = asked(scene, &way);
            // Two for those who want two; the others ask no more, or hear nothing more.
            connection.say('A', b"000000");
            connection.say('A', b"000000");
            connection.say('X', b"");
            connection.hang_up();
            hear_out(connection);
            let shown = String::from_utf8_lossy(&way.1).into_owned();
            let [failures, otp, recovery, spent] = State::of("alice").charges();
            // What proves whose it is may be typed again.
            assert!((1..=2).contains(&failures) && failures == otp && recovery == 0 && spent == otp, "{shown}");
        }
        let attempt = Attempt::new("svc").user("alice").answer("000000").run(scene.world);
        assert_eq!(attempt.code(), PamCode::AuthErr);
        assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), credentials);
    });
}

#[test]
fn when_codes_are_disabled_no_way_takes_one() {
    with_scene(|scene| {
        let credentials = Snapshot::of("/var/lib/twinlock/credentials");
        for way in ways() {
            ForgedState::of(&scene.alice).wrong_codes(100).write(scene.world);
            let mut codes = scene.phone.codes();
            let mut connection = asked(scene, &way);
            connection.say('A', codes.next().as_bytes());
            connection.say('A', codes.next().as_bytes());
            connection.hang_up();
            let said = hear_out(connection);
            let shown = String::from_utf8_lossy(&way.1).into_owned();
            assert!(said.last == Some('F') || said.text() == "refused disabled", "{shown}: {said:?}");
            assert_eq!(State::of("alice").charges()[0], 100, "{shown}");
        }
        assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), credentials);
    });
}

#[test]
fn a_code_that_was_used_here_is_used_everywhere() {
    with_scene(|scene| {
        scene.world.service("svc", "auth required pam_twinlock.so\n");
        let code = scene.phone.codes().next();
        let mut connection = asked(scene, &('R', request(None, &json!("verify"))));
        connection.say('A', code.as_bytes());
        assert_eq!(hear_out(connection).text(), r#"{"right":null}"#);
        let attempt = Attempt::new("svc").user("alice").answer(&code).run(scene.world);
        assert_eq!(attempt.code(), PamCode::AuthErr);
        for way in ways() {
            let credentials = Snapshot::of("/var/lib/twinlock/credentials");
            ForgedState::of(&scene.alice).used(State::of("alice").number("authenticator.last_step")).write(scene.world);
            let mut connection = asked(scene, &way);
            connection.say('A', code.as_bytes());
            connection.say('A', code.as_bytes());
            connection.hang_up();
            let said = hear_out(connection);
            let shown = String::from_utf8_lossy(&way.1).into_owned();
            assert!(said.last == Some('F') || said.text() == "refused replayed", "{shown}: {said:?}");
            assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), credentials, "{shown}");
        }
    });
}

/// Answers as the owner would, but breaks off at the question of this number; how many questions there were.
fn break_off(scene: &Scene<'_>, wanted: &Value, at: usize) -> (usize, Option<char>) {
    let mut connection = scene.caller(&scene.alice).connect();
    connection.say('R', &request(None, wanted));
    let (mut questions, mut told) = (0, String::new());
    let mut app = scene.phone.authenticator.clone();
    while let Some(Frame { kind, content }) = connection.hear() {
        let text = String::from_utf8_lossy(&content).into_owned();
        match kind {
            'Q' if questions == at => {
                drop(connection);
                return (questions, None);
            }
            'Q' => {
                questions += 1;
                let answer = if text.contains("Enter one of these codes") {
                    told.split_whitespace().find(|word| word.len() == 19).unwrap().to_owned()
                } else {
                    app.codes().next()
                };
                connection.say('A', answer.as_bytes());
            }
            'T' => told.push_str(&text),
            'I' => {
                let offer: Value = serde_json::from_str(&text).unwrap();
                app = twinlock_tests::Authenticator::from_uri(offer["uri"].as_str().unwrap());
            }
            last => return (questions, Some(last)),
        }
    }
    panic!("no last word to {wanted}");
}

#[test]
fn whoever_breaks_off_at_any_question_has_changed_nothing() {
    with_scene(|scene| {
        for (wanted, questions) in [
            (wish("instead"), 3),
            (wish("beside"), 2),
            (json!({ "renew-recovery": "ask" }), 2),
            (json!({ "device": ["phone1", { "rename": "new" }] }), 1),
        ] {
            let before = Snapshot::of("/var/lib/twinlock/credentials");
            for at in 0..questions {
                ForgedState::of(&scene.alice).write(scene.world);
                let mark = scene.world.log_mark();
                assert_eq!(break_off(scene, &wanted, at), (at, None), "{wanted}");
                scene.assert_serving();
                let log = scene.world.log_since(mark);
                assert!(log.iter().all(|line| !line.text.contains("change=")), "{wanted} at {at}: {log:?}");
            }
            assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), before, "{wanted}");
        }
        // Followed to the end it is done: it was not for another reason that nothing was changed.
        ForgedState::of(&scene.alice).write(scene.world);
        assert_eq!(break_off(scene, &wish("instead"), usize::MAX), (3, Some('D')));
    });
}
