//! Brokers of root's that are out of order: whatever they say, the command fails and claims nothing, and the module lets
//! nobody in.

use std::fs;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use twinlock_tests::{
    Account, Attempt, Operation, Output, PamCode, Raw, SOCKET, World, frame, in_world, is_root_in_earnest, set_mode,
};

/// What users can have done without a terminal.
const COMMANDS: [&[&str]; 9] = [
    &["status"],
    &["verify"],
    &["resync"],
    &["enroll"],
    &["enroll", "--replace"],
    &["recovery", "new"],
    &["device", "suspend", "alice", "phone1"],
    &["device", "rename", "alice", "phone1", "new"],
    &["remove", "alice", "--yes"],
];

/// Everything that can be done, and which commands ask for it.
const DONE: [(&str, &[usize]); 7] = [
    (
        r#"{"status":{"user":"alice","enrolled":true,"authenticators":[],"recovery_codes_left":1,"throttle":{"mode":"normal","failures":0,"budget_left":30,"next_attempt":null},"remembered":[]}}"#,
        &[0],
    ),
    (r#"{"right":null}"#, &[1]),
    (r#""resynced""#, &[2]),
    (
        r#"{"enrolled":{"authenticator":"a","label":"phone","type":"totp","uri":"otpauth://x","recovery_codes":[]}}"#,
        &[3, 4],
    ),
    (r#"{"recovery-renewed":["A"]}"#, &[5]),
    (r#"{"device-changed":{"authenticator":"phone1","active":1}}"#, &[6, 7]),
    (r#""removed""#, &[8]),
];

/// A broker that answers each first message with the bytes it was given, and then hangs up.
struct Fake<'w> {
    world: &'w World,
    alice: Account,
    answers: Sender<Vec<u8>>,
}

fn with_fake(test: impl FnOnce(&Fake<'_>) + Send) {
    if !is_root_in_earnest("a broker") {
        return;
    }
    in_world(|world| {
        world.set_up("");
        world.service("lock", "auth required pam_permit.so\nauth required pam_twinlock.so\naccount required pam_permit.so\naccount required pam_twinlock.so\n");
        let alice = world.account("alice");
        world.deploy("alice");
        fs::create_dir("/run/twinlock").unwrap();
        let listener = UnixListener::bind(SOCKET).unwrap();
        set_mode(SOCKET, 0o666);
        let (answers, next) = channel::<Vec<u8>>();
        // Nobody waits for its end: a test that fails may leave it waiting for a connection.
        thread::spawn(move || {
            for answer in next {
                let mut connection = Raw::over(listener.accept().unwrap().0);
                assert!(connection.hear().is_some_and(|first| matches!(first.kind, 'R' | 'L')));
                connection.send(&answer);
                connection.hang_up();
                while connection.hear().is_some() {}
            }
        });
        test(&Fake { world, alice, answers });
    });
}

impl Fake<'_> {
    /// What the command makes of such an answer.
    fn run(&self, arguments: &[&str], answer: &[u8]) -> Output {
        self.answers.send(answer.to_vec()).unwrap();
        self.world.twinlock_as(&self.alice, arguments).run_with_input(b"123456\n123456\n")
    }

    fn assert_fails(&self, arguments: &[&str], answer: &[u8], said: &str) {
        let output = self.run(arguments, answer);
        let shown =
            format!("{arguments:?} {:?}: {output:?}", String::from_utf8_lossy(&answer[..answer.len().min(200)]));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{shown}");
        let lines: Vec<_> = output.stderr.lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("twinlock: ") && lines[0].contains(said), "{shown}");
        assert!(lines[1].starts_with("hint: "), "{shown}");
    }
}

/// What is no message, or none that a broker says, with what is said of it.
fn broken() -> Vec<(Vec<u8>, &'static str)> {
    const GONE: &str = "the broker did not finish the request: the connection was closed";
    const NONE: &str = "the broker did not finish the request: a message was not valid";
    const PLACE: &str = "the broker did not finish the request: a message was not expected";
    let whole = frame('D', DONE[0].0.as_bytes());
    let mut answers = vec![(vec![], GONE), (b"\0\0\0\x01Q".to_vec(), GONE)];
    answers.extend([1, 4, 5, 6, whole.len() - 1].map(|length| (whole[..length].to_vec(), GONE)));
    answers.extend(b"?\0d\xff ".map(|kind| (vec![0, 0, 0, 0, kind], NONE)));
    answers.extend([b'Q', b'T', b'D', b'F', b'I'].map(|kind| (vec![0xff, 0xff, 0xff, 0xff, kind], NONE)));
    answers.extend([b'Q', b'T', b'D', b'F', b'I'].map(|kind| (vec![0, 0, 0x40, 1, kind], NONE)));
    answers.extend(['Q', 'H', 'T'].map(|kind| (frame(kind, b"\xff"), NONE)));
    answers.extend(
        ["", "null", "{}", "[]", "x", "\"done\"", "\"Removed\""].map(|text| (frame('I', text.as_bytes()), NONE)),
    );
    answers.extend(
        ["", "null", "{}", r#"{"cause":"granted","message":"x","hint":null}"#]
            .map(|text| (frame('F', text.as_bytes()), NONE)),
    );
    answers.extend(['R', 'L', 'A', 'X', 'V'].map(|kind| (frame(kind, b""), PLACE)));
    answers.push((frame('V', b"granted"), PLACE));
    answers.push(([frame('V', b"granted"), frame('D', br#"{"right":null}"#)].concat(), PLACE));
    answers
}

#[test]
fn what_is_no_message_is_never_taken_for_success() {
    with_fake(|fake| {
        // Those that ask no code and those that do.
        for arguments in [COMMANDS[0], COMMANDS[1], COMMANDS[8]] {
            for (answer, said) in broken() {
                fake.assert_fails(arguments, &answer, said);
            }
        }
        for arguments in COMMANDS {
            fake.assert_fails(arguments, b"", "the broker did not finish the request: the connection was closed");
        }
    });
}

#[test]
fn what_was_not_asked_for_is_never_taken_for_success() {
    with_fake(|fake| {
        for (number, arguments) in COMMANDS.iter().enumerate() {
            for (done, _) in DONE.iter().filter(|(_, commands)| !commands.contains(&number)) {
                let said = if number == 0 { "the broker sent an unexpected answer" } else { "the broker " };
                fake.assert_fails(arguments, &frame('D', done.as_bytes()), said);
            }
        }
    });
}

#[test]
fn what_is_done_without_a_question_is_never_taken_for_success() {
    with_fake(|fake| {
        for (done, commands) in &DONE[1..] {
            for number in *commands {
                let said = "the broker did not finish the request: a message was not expected";
                fake.assert_fails(COMMANDS[*number], &frame('D', done.as_bytes()), said);
            }
        }
        // The same broker, in order.
        let asked = [frame('Q', b"Code: "), frame('D', DONE[1].0.as_bytes())].concat();
        let output = fake.run(COMMANDS[1], &asked);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(0), "correct: the code is now used up; the next login needs a new one\n"),
            "{output:?}"
        );
    });
}

#[test]
fn the_right_thing_done_in_the_wrong_words_is_never_taken_for_success() {
    with_fake(|fake| {
        for done in [
            "",
            "null",
            "\"right\"",
            "{\"right\":-1}",
            "{\"right\":\"1\"}",
            "{\"right\":null,\"resynced\":null}",
            "{\"right\":null}x",
            "{\"right\":null",
            "{\"right\":null}\0",
            "{\"Right\":null}",
            "{\"granted\":null}",
        ] {
            let answer = [frame('Q', b"Code: "), frame('D', done.as_bytes())].concat();
            fake.assert_fails(COMMANDS[1], &answer, "the broker did not finish the request: a message was not valid");
        }
    });
}

#[test]
fn the_first_last_word_counts() {
    with_fake(|fake| {
        let refused = frame('F', br#"{"cause":"refused","message":"no","hint":"really"}"#);
        let right = frame('D', DONE[1].0.as_bytes());
        let question = frame('Q', b"Code: ");
        fake.assert_fails(COMMANDS[1], &[&question[..], &refused, &right].concat(), "twinlock: no");
        fake.assert_fails(COMMANDS[1], &[&refused[..], &question, &right].concat(), "twinlock: no");
    });
}

#[test]
fn a_refusal_is_shown_without_what_a_terminal_would_obey() {
    with_fake(|fake| {
        let refused = br#"{"cause":"refused","message":"\u001b]0;x\u0007\n\u001b[2J","hint":"\u001b[31m"}"#;
        let output = fake.run(COMMANDS[0], &frame('F', refused));
        assert_eq!(output.code, Some(1));
        assert!(!output.stderr.contains('\u{1b}') && !output.stderr.contains('\u{7}'), "{output:?}");
    });
}

#[test]
fn causes_are_exit_statuses() {
    with_fake(|fake| {
        for (cause, status) in [("refused", 1), ("host", 1), ("not-permitted", 3), ("not-enrolled", 4)] {
            let refusal = format!(r#"{{"cause":"{cause}","message":"no","hint":null}}"#);
            let output = fake.run(COMMANDS[0], &frame('F', refusal.as_bytes()));
            assert_eq!((output.code, output.stderr.as_str()), (Some(status), "twinlock: no\n"), "{cause}");
        }
    });
}

#[test]
fn the_module_lets_nobody_in_by_what_is_no_verdict() {
    with_fake(|fake| {
        let question = frame('Q', b"Code: ");
        let mut answers: Vec<Vec<u8>> = broken().into_iter().map(|(answer, _)| answer).collect();
        // Granted without a question, or in words that are none of a verdict.
        answers.push(frame('V', b"granted"));
        answers.push(frame('V', b"granted 3"));
        answers.push(frame('V', b"not-asked"));
        for verdict in [
            "",
            "granted ",
            "granted x",
            "granted -1",
            "granted 1 ",
            "granted\0",
            "granted\n",
            "Granted",
            "grant",
            "right",
            "not-asked",
            "not-asked ",
            "refused",
            "refused ",
            "refused bogus",
            "too-soon",
            "too-soon x",
            "no-answer x",
            "no-answer 99999999999",
            "\u{ff47}ranted",
        ] {
            answers.push([&question[..], &frame('V', verdict.as_bytes())].concat());
        }
        let granted = frame('V', b"granted");
        for other in ["T", "H", "I", "D", "F", "R", "L", "A", "X"] {
            let kind = other.chars().next().unwrap();
            answers.push([&question[..], &frame(kind, b""), &granted].concat());
        }
        answers.push([&question[..], &frame('V', b"refused wrong-code"), &granted].concat());
        answers.push([&question[..], &frame('V', b"\xff"), &granted].concat());
        for length in 0..granted.len() {
            answers.push([&question[..], &granted[..length]].concat());
        }
        for answer in answers {
            fake.answers.send(answer.clone()).unwrap();
            let shown = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
            let outcome = attempt(fake);
            assert_ne!(outcome.code(), PamCode::Success, "{shown:?}: {outcome:?}");
        }
        // The same broker, in order.
        fake.answers.send([&question[..], &granted].concat()).unwrap();
        assert_eq!(attempt(fake).code(), PamCode::Success);
    });
}

fn attempt(fake: &Fake<'_>) -> twinlock_tests::Outcome {
    let attempt = Attempt::new("lock").user("alice").answer("123456").as_account(&fake.alice);
    attempt.operations([Operation::Authenticate]).run(fake.world)
}
