//! Brokers that die, answer nothing, or say what they should not (D05): nobody is let in, and the host lives.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{chown, symlink};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, listen, socket};
use twinlock_tests::{Act, Attempt, Broker, Operation, Outcome, PamCode, SOCKET, Setup, State, User, set_mode};

use crate::asked::by_broker;

const BOTH: [Operation; 2] = [Operation::Authenticate, Operation::AcctMgmt];

fn say(kind: char, content: &[u8]) -> Act {
    Act::Say(kind, content.to_vec())
}

/// Asks, and hears the answer.
fn asked() -> Vec<Act> {
    vec![Act::Hear, say('Q', b"Code? "), Act::Hear]
}

fn after(acts: Vec<Act>, last: Act) -> Vec<Act> {
    acts.into_iter().chain([last]).collect()
}

/// A login of alice, who answers everything that she is asked.
fn login(alice: &User<'_>) -> Attempt {
    let attempt = alice.unprivileged_attempt().operations(BOTH);
    (0..3).fold(attempt, |attempt, _| attempt.answer("123456"))
}

/// Claims that nobody was let in, by auth or account phase, and that the host came to its end.
fn denied(outcome: &Outcome, what: &str) {
    assert_eq!(outcome.signal(), None, "{what}");
    assert_eq!(outcome.code(), PamCode::SystemErr, "{what}: {:?}", outcome.codes);
    assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied, "{what}");
}

/// Tries alice's login against each script.
fn all_denied(scripts: Vec<(String, Vec<Act>)>) {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let mark = alice.world.log_mark();
        let number = scripts.len();
        for (what, script) in scripts {
            let _fake = alice.world.fake_broker(&script);
            denied(&login(alice).run(alice.world), &what);
        }
        let entries = alice.world.entries_since(mark);
        let why = entries.iter().filter_map(|entry| entry.detail.as_deref());
        let why = why.filter(|detail| detail.starts_with("the broker gave no verdict: ")).count();
        assert_eq!(why, number, "each is in the log: {entries:#?}");
        assert_eq!(State::of("alice").charges(), [0; 4]);
    });
}

#[test]
fn a_broker_that_dies_anywhere_lets_nobody_in() {
    all_denied(vec![
        ("at once".into(), vec![]),
        ("after the request".into(), vec![Act::Hear]),
        ("after the question".into(), vec![Act::Hear, say('Q', b"Code? ")]),
        ("after the answer".into(), asked()),
        ("in a header".into(), vec![Act::Hear, Act::Send(b"\0\0\0".to_vec())]),
        ("in a question".into(), vec![Act::Hear, Act::Send(b"\0\0\0\x06QCode".to_vec())]),
        ("in its verdict".into(), after(asked(), Act::Send(b"\0\0\0\x07Vgrante".to_vec()))),
        ("before its verdict".into(), after(asked(), Act::Send(b"\0\0\0\x07V".to_vec()))),
    ]);
}

#[test]
fn a_verdict_that_comes_unasked_for_lets_nobody_in() {
    let verdicts = ["granted", "granted 3", "not-asked", "granted\0device-added 1795492800"];
    let unasked =
        verdicts.map(|verdict| (format!("{verdict:?} unasked"), vec![Act::Hear, say('V', verdict.as_bytes())]));
    let before_the_request = ("granted before the request".into(), vec![say('V', b"granted")]);
    let answered = ("not-asked after an answer".into(), after(asked(), say('V', b"not-asked")));
    all_denied(unasked.into_iter().chain([before_the_request, answered]).collect());
}

#[test]
fn words_that_are_no_verdict_let_nobody_in() {
    let words: [&[u8]; 24] = [
        b"",
        b" ",
        b"Granted",
        b"GRANTED",
        b"granted ",
        b" granted",
        b"granted\n",
        b"granted granted",
        b"granted -1",
        b"granted x",
        b"granted 99999999999999999999999",
        b"granted 1 2",
        b"granted\0",
        b"granted\0\0",
        b"granted\0hacked 1795492800",
        b"granted\0device-added",
        b"granted\0device-added x",
        b"granted\xff",
        b"ok",
        b"success",
        b"refused",
        b"refused because",
        b"too-soon",
        b"no-answer x",
    ];
    all_denied(
        words
            .into_iter()
            .map(|word| (format!("{:?}", String::from_utf8_lossy(word)), after(asked(), say('V', word))))
            .collect(),
    );
}

#[test]
fn messages_out_of_place_let_nobody_in() {
    let kinds = ['R', 'L', 'E', 'A', 'X', 'H', 'T', 'I', 'D', 'F', 'Z', '\0'];
    let mut scripts = Vec::new();
    for kind in kinds {
        let content: &[u8] = if kind == 'X' { b"" } else { b"granted" };
        scripts.push((format!("{kind:?} at first"), vec![Act::Hear, say(kind, content), say('V', b"granted")]));
        scripts.push((format!("{kind:?} later"), after(after(asked(), say(kind, content)), say('V', b"granted"))));
    }
    scripts.push(("a length beyond all".into(), after(asked(), Act::Send(b"\xff\xff\xff\xffVgranted".to_vec()))));
    scripts.push(("a length just beyond".into(), after(asked(), say('V', "g".repeat(16 * 1024 + 1).as_bytes()))));
    scripts.push(("the longest garbage".into(), after(asked(), say('V', "g".repeat(16 * 1024).as_bytes()))));
    scripts.push((
        "a question that is no text".into(),
        vec![Act::Hear, say('Q', b"\xff\xfe"), Act::Hear, say('V', b"granted")],
    ));
    all_denied(scripts);
}

#[test]
fn a_question_twice_is_asked_twice_and_the_first_verdict_is_the_verdict() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let twice = [say('Q', b"Code? "), say('Q', b"Code? "), Act::Hear, Act::Hear];
        let verdicts = [say('V', b"refused wrong-code"), say('V', b"granted")];
        let _fake = alice.world.fake_broker(&[&[Act::Hear], &twice[..], &verdicts].concat());
        let outcome = login(alice).run(alice.world);
        assert_eq!((outcome.code(), outcome.prompts()), (PamCode::AuthErr, vec!["Code? ", "Code? "]));
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied);
    });
}

#[test]
fn a_question_with_a_zero_byte_is_no_crash() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let _fake = alice.world.fake_broker(&[Act::Hear, say('Q', b"a\0b"), Act::Hear, say('V', b"refused junk")]);
        let outcome = login(alice).run(alice.world);
        assert_eq!(outcome.signal(), None);
        assert_ne!(outcome.code(), PamCode::Success);
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied);
    });
}

#[test]
fn a_word_that_comes_byte_by_byte_for_ever_is_given_up() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let _fake = alice.world.fake_broker(&[Act::Hear, Act::Drip(vec![0, 0, 0x40, 0, b'Q'])]);
        // Half a minute, for a clock that runs a hundred times as fast.
        let outcome = login(alice).under(["faketime", "-f", "+0 x100"]).run(alice.world);
        denied(&outcome, "a drip");
    });
}

/// A screen locker asks when it locks. Its user comes back when the broker has given up, or is another process.
#[test]
fn an_answer_that_a_broker_did_not_wait_for_is_judged_by_the_next_one() {
    Setup::with_broker().enrolled(|alice| {
        let mark = alice.world.log_mark();
        let held = |answer: String| alice.unprivileged_attempt().held().answer(answer).start(alice.world);
        let right = held(alice.codes().next());
        end_of(alice.broker());
        let second = alice.world.broker();
        let outcome = right.release();
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 1));
        let wrong = held(alice.wrong_code());
        end_of(&second);
        let _third = alice.world.broker();
        let outcome = wrong.release();
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::AuthErr, 1));
        assert_eq!((by_broker(alice.world, mark).len(), State::of("alice").charges()[0]), (2, 1), "judged once each");
    });
}

#[test]
fn an_answer_that_no_broker_waits_for_lets_nobody_in_and_the_host_lives() {
    Setup::with_broker().enrolled(|alice| {
        let held = alice.unprivileged_attempt().operations(BOTH).held().answer(alice.codes().next()).start(alice.world);
        end_of(alice.broker());
        // The answer goes to nobody: a broken pipe.
        let outcome = held.release();
        assert_eq!((outcome.signal(), outcome.code()), (None, PamCode::AuthinfoUnavail));
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied);
        assert_eq!(State::of("alice").charges(), [0; 4]);
    });
}

/// A broker that was stopped takes connections until its queue is full; after that nobody may be kept waiting for ever.
#[test]
fn a_broker_that_takes_no_more_connections_lets_nobody_in() {
    Setup::with_broker().enrolled(|alice| {
        end_of(alice.broker());
        fs::remove_file(SOCKET).unwrap();
        let address = UnixAddr::new(SOCKET).unwrap();
        let stream = |flags| socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
        let never_accepts = stream(SockFlag::empty());
        bind(never_accepts.as_raw_fd(), &address).unwrap();
        set_mode(SOCKET, 0o666);
        listen(&never_accepts, Backlog::new(0).unwrap()).unwrap();
        let waiting = stream(SockFlag::empty());
        connect(waiting.as_raw_fd(), &address).unwrap();
        let one_more = stream(SockFlag::SOCK_NONBLOCK);
        assert_eq!(connect(one_more.as_raw_fd(), &address), Err(Errno::EAGAIN), "the queue is full");
        let mark = alice.world.log_mark();
        let outcome = login(alice).run(alice.world);
        assert_eq!((outcome.code(), outcome.prompts()), (PamCode::AuthinfoUnavail, vec![]));
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied);
        let detail = alice.world.entries_since(mark)[0].detail.clone().unwrap_or_default();
        assert!(detail.contains("it accepts no more connections"), "{detail}");
    });
}

/// Kills a broker, and waits until it is gone.
fn end_of(broker: &Broker) {
    broker.kill();
    while broker.is_running() {
        std::thread::yield_now();
    }
}

/// Claims that neither the module nor the command talks to what is on the socket, and that both say why.
fn not_trusted(alice: &User<'_>, why: &str) {
    let mark = alice.world.log_mark();
    let outcome = login(alice).run(alice.world);
    assert_eq!((outcome.code(), outcome.prompts()), (PamCode::AuthinfoUnavail, vec![]), "{why}");
    assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::PermDenied);
    let entries = alice.world.entries_since(mark);
    let detail = entries[0].detail.clone().unwrap_or_default();
    assert!(detail.contains(why), "{why}: {entries:?}");
    let told = alice.runs(&["status"], &[]);
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""), "{told:?}");
    assert!(told.stderr.contains(why) && told.stderr.contains("hint: tell your administrator"), "{told:?}");
}

#[test]
fn a_broker_that_is_not_root_s_is_not_asked() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let mallory = alice.world.account("mallory");
        let _stranger = alice.world.fake_broker_of(&mallory);
        not_trusted(alice, "it runs as uid 1002 instead of root");
    });
}

#[test]
fn a_socket_that_somebody_else_could_have_put_there_is_not_used() {
    Setup::with_broker().enrolled(|alice| {
        let mallory = alice.world.account("mallory");
        chown(SOCKET, Some(mallory.uid), None).unwrap();
        not_trusted(alice, "cannot trust the socket of the broker: ");
        chown(SOCKET, Some(0), None).unwrap();
        let folder = "/run/twinlock";
        for mode in [0o777, 0o775, 0o1777] {
            set_mode(folder, mode);
            not_trusted(alice, "cannot trust the socket of the broker: ");
        }
        set_mode(folder, 0o755);
        chown(folder, Some(mallory.uid), None).unwrap();
        not_trusted(alice, "cannot trust the socket of the broker: ");
        chown(folder, Some(0), None).unwrap();
        assert_eq!(alice.runs(&["status"], &[]).code, Some(0), "and all is well again");

        fs::rename(folder, "/run/elsewhere").unwrap();
        symlink("/run/elsewhere", folder).unwrap();
        not_trusted(alice, "cannot trust the socket of the broker: ");
        fs::remove_file(folder).unwrap();
        fs::rename("/run/elsewhere", folder).unwrap();
        fs::rename(SOCKET, "/run/twinlock/real.sock").unwrap();
        symlink("/run/twinlock/real.sock", SOCKET).unwrap();
        not_trusted(alice, "cannot trust the socket of the broker: ");
        fs::remove_file(SOCKET).unwrap();
        fs::write(SOCKET, "").unwrap();
        not_trusted(alice, "cannot trust the socket of the broker: ");
    });
}

#[test]
fn the_command_says_that_a_broker_did_not_finish() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let gone = "twinlock: the broker did not finish the request: the connection was closed";
        let no_message = "twinlock: the broker did not finish the request: a message was not valid";
        let out_of_place = "twinlock: the broker did not finish the request: a message was not expected";
        let other = "twinlock: the broker sent an unexpected answer";
        for (script, told) in [
            (vec![], gone),
            (vec![Act::Hear], gone),
            (vec![Act::Hear, say('D', b"{}")], no_message),
            (vec![Act::Hear, say('D', b"\"removed\"")], other),
            (vec![Act::Hear, say('D', b"\"right\"")], no_message),
            (vec![Act::Hear, say('F', b"refused")], no_message),
            (vec![Act::Hear, say('V', b"granted")], out_of_place),
            (vec![Act::Hear, say('I', b"{}")], no_message),
            (vec![Act::Hear, Act::Send(b"\xff\xff\xff\xffD".to_vec())], no_message),
            (vec![Act::Hear, say('?', b"")], no_message),
        ] {
            let _fake = alice.world.fake_broker(&script);
            let output = alice.runs(&["status"], &[]);
            let (code, stdout, stderr) = output.parts();
            assert_eq!((code, stdout), (Some(1), ""), "{script:?}: {output:?}");
            // Written before it was noticed that nobody reads, or after.
            assert!(stderr.starts_with(told) && stderr.contains("\nhint: "), "{script:?}: {stderr}");
        }
    });
}

#[test]
fn what_a_broker_refuses_with_does_not_reach_the_terminal_as_it_is() {
    Setup::with_broker().enrolled(|alice| {
        alice.broker().kill();
        let refusal = br#"{"cause":"refused","message":"no\u001b[2J\u202e","hint":"a\u0007b"}"#;
        let _fake = alice.world.fake_broker(&[Act::Hear, say('F', refusal)]);
        assert_eq!(alice.runs(&["status"], &[]).parts(), (Some(1), "", "twinlock: no?[2J?\nhint: a?b\n"));
    });
}
