//! Half a million hostile messages, the same in every run: what comes over the broker's socket, from either side, never
//! panics, and is never understood by us as something that a second, simpler reading of it does not find.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod random;

use std::{io::Write as _, net::Shutdown, os::unix::net::UnixStream, time::Duration};

use proptest::prelude::*;
use serde_json::Value;
use twinlock_core::{
    lifecycle::{Confirm, NewAuthenticator, Request},
    login::{Attempt, Outcome},
    policy::SecondFactor,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Typing},
    wire::{
        Connection, Frame, Kind, LONGEST, LONGEST_ANSWER, LoginRequest, ask_broker, attempt, envelope, open_envelope,
        verdict,
    },
};
use zeroize::Zeroizing;

use random::{Mutations, Random};

const MUTATIONS: Mutations = Mutations { pieces: PIECES, places: 4, copied: 12 };

const PIECES: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\n",
    b" ",
    b"\"",
    b"\\u0000",
    b"null",
    b"[",
    b"{",
    b"}",
    b"-1",
    b"1e9",
    b"\"uid\":0,",
    b"\"secret\":\"A\",",
    b"\"user\":\"root\",",
    b"\"skip\"",
    b"granted",
    b"\0\0\0\0",
    b"\0\0\0\x07Vgranted",
    b"\0\0\0\x01Q?",
];

/// What stands at the beginning, read a second time: a kind, and its content with what comes after it.
fn first(bytes: &[u8]) -> Option<(char, &[u8], &[u8])> {
    let head = bytes.get(..5)?;
    let length = head[..4].iter().fold(0_usize, |length, byte| length * 256 + usize::from(*byte));
    let kind = char::from(head[4]);
    let longest = match kind {
        'X' => 0,
        'A' => 1024,
        'R' | 'L' | 'Q' | 'H' | 'T' | 'I' | 'D' | 'F' | 'V' => 16 * 1024,
        _ => return None,
    };
    let whole = bytes.get(5..)?.get(..length)?;
    (length <= longest).then_some((kind, whole, &bytes[5 + length..]))
}

/// All of them, as far as they are messages.
fn messages(mut bytes: &[u8]) -> Vec<(char, &[u8])> {
    let mut all = Vec::new();
    while let Some((kind, content, rest)) = first(bytes) {
        all.push((kind, content));
        bytes = rest;
    }
    all
}

fn written(kind: Kind, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::write(&mut bytes, kind, content).unwrap();
    bytes
}

fn wish() -> Request {
    Request::Enroll(Box::new(NewAuthenticator {
        place: twinlock_core::lifecycle::Place::Instead,
        label: twinlock_core::credentials::Label::parse("phone").unwrap(),
        issuer: Some("Example".into()),
        parameters: twinlock_core::enrol::Parameters::default(),
        secret: None,
        confirm: Confirm::Ask,
    }))
}

fn requests() -> Vec<Vec<u8>> {
    let all = [
        (None, Request::Status),
        (Some("alice"), Request::Verify),
        (None, wish()),
        (None, Request::RenewRecovery(Confirm::Ask)),
        (Some("bob"), Request::Device("phone1".into(), twinlock_core::devices::DeviceChange::Suspend)),
        (None, Request::Remove),
        (None, Request::Resync),
    ];
    all.iter().map(|(user, request)| envelope(*user, request).unwrap().to_vec()).collect()
}

#[test]
fn a_message_is_read_as_it_was_written_or_not_at_all() {
    let seeds: Vec<_> = requests()
        .iter()
        .map(|request| written(Kind::Request, request))
        .chain([written(Kind::Answer, b"123456"), written(Kind::NoAnswer, b""), written(Kind::Verdict, b"granted")])
        .chain([written(Kind::Tell, &[b'x'; LONGEST]), written(Kind::Answer, &[b'7'; LONGEST_ANSWER])])
        .collect();
    let mut random = Random(0x2026_1124_0600_0001);
    let mut read = 0;
    for _ in 0..50_000 {
        let bytes = random.mutated(&seeds, &MUTATIONS);
        let ours = Frame::read(&mut bytes.as_slice()).ok();
        let second = first(&bytes);
        assert_eq!(ours.is_some(), second.is_some());
        if let (Some(frame), Some((_, content, rest))) = (ours, second) {
            read += 1;
            assert_eq!(frame.content.as_slice(), content);
            assert_eq!([&written(frame.kind, &frame.content)[..], rest].concat(), bytes);
        }
    }
    assert!((5_000..45_000).contains(&read), "{read}");
}

#[test]
fn a_request_names_nothing_but_a_user_and_what_is_wanted() {
    const FIELDS: [&str; 3] = ["version", "user", "request"];
    let seeds = requests();
    let mut random = Random(0x2026_1124_0600_0002);
    let mut understood = 0;
    for _ in 0..200_000 {
        let bytes = random.mutated(&seeds, &MUTATIONS);
        let Ok((user, request)) = open_envelope(&bytes) else { continue };
        understood += 1;
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let object = value.as_object().unwrap();
        assert!(object.keys().all(|key| FIELDS.contains(&key.as_str())), "{value}");
        assert_eq!((&value["version"], value["user"].as_str()), (&Value::from(1), user.as_deref()));
        let wish = &value["request"]["enroll"];
        assert!(wish.get("secret").is_none() && wish.get("uid").is_none(), "{value}");
        if let Request::Enroll(wish) = &request {
            assert!(wish.secret.is_none());
        }
        // What was understood means the same when it is said again.
        let again = envelope(user.as_deref(), &request).unwrap();
        let (second_user, second) = open_envelope(&again).ok().unwrap();
        assert_eq!(envelope(second_user.as_deref(), &second).unwrap(), again);
        let said: Value = serde_json::from_slice(&again).unwrap();
        assert_eq!((&said["request"], said["user"].as_str()), (&value["request"], user.as_deref()));
    }
    assert!((20_000..180_000).contains(&understood), "{understood}");
}

#[test]
fn a_login_has_six_fields_and_a_policy() {
    let seeds: Vec<Vec<u8>> = [
        "1\0alice\0required\0lock\0\0Code: ",
        "1\0alice\0optional\0login\x00192.0.2.1\0Verification code: ",
        "1\0\0skip\0\0\0",
        "1\0bob\0enroll\0x\0y\0z",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into();
    let mut random = Random(0x2026_1124_0600_0003);
    let mut understood = 0;
    for _ in 0..200_000 {
        let bytes = random.mutated(&seeds, &MUTATIONS);
        let Ok(request) = LoginRequest::parse(&bytes) else { continue };
        understood += 1;
        let [rhost, prompt] = [&request.rhost, &request.prompt].map(|field| field.clone().unwrap_or_default());
        let fields = ["1", &request.user, request.policy.name(), &request.service, &rhost, &prompt];
        assert_eq!(fields.join("\0").as_bytes(), bytes);
        assert!(fields.iter().all(|field| !field.contains('\0')));
    }
    assert!((20_000..180_000).contains(&understood), "{understood}");
}

/// Answers every question.
#[derive(Default)]
struct Answering {
    questions: usize,
    introduced: usize,
}

impl Conversation for Answering {
    fn ask(&mut self, _: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.questions += 1;
        Ok(b"123456".to_vec().into())
    }
}

impl Dialogue for Answering {
    fn ask(&mut self, _: &str, _: Typing) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.questions += 1;
        Ok(b"123456".to_vec().into())
    }

    fn tell(&mut self, _: &str) -> Result<(), NoAnswer> {
        Ok(())
    }

    fn introduce(&mut self, _: &Offer) -> Result<(), NoAnswer> {
        self.introduced += 1;
        Ok(())
    }
}

/// A connection to a broker that says all this, whatever it is told, and hangs up; and the broker's end of it.
fn broker_that_says(bytes: &[u8]) -> (Connection, UnixStream) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    (Connection::accepted(ours), theirs)
}

/// What brokers say, in order and out of it.
fn conversations() -> Vec<Vec<u8>> {
    let ask = written(Kind::Ask, b"Code: ");
    let done = |text: &str| written(Kind::Done, text.as_bytes());
    let offer = r#"{"user":"alice","issuer":"x","uri":"otpauth://x","key":"AAAA","digits":6,"period":30}"#;
    let refused = written(Kind::Refused, br#"{"cause":"refused","message":"no","hint":null}"#);
    let end = |outcome: Outcome| written(Kind::Verdict, verdict(&Attempt::ended(outcome)).as_bytes());
    vec![
        [&ask[..], &done("{\"right\":null}")].concat(),
        [&ask[..], &done("{\"right\":3}")].concat(),
        [&ask[..], &done("\"removed\"")].concat(),
        [&ask[..], &written(Kind::Introduce, offer.as_bytes()), &ask, &refused].concat(),
        refused.clone(),
        [&written(Kind::AskHidden, b"Password: ")[..], &refused].concat(),
        [&ask[..], &end(Outcome::Granted { recovery_codes_left: None })].concat(),
        [&ask[..], &ask, &end(Outcome::Granted { recovery_codes_left: Some(3) })].concat(),
        end(Outcome::Granted { recovery_codes_left: None }),
        [&ask[..], &end(Outcome::TooSoon(Duration::from_secs(7)))].concat(),
        [&ask[..], &end(Outcome::NoAnswer(NoAnswer { code: 0 }))].concat(),
        end(Outcome::NotAsked),
    ]
}

#[test]
fn a_login_is_granted_by_a_verdict_after_a_question_alone() {
    let seeds = conversations();
    let mut random = Random(0x2026_1124_0600_0004);
    let request = LoginRequest {
        user: "alice".into(),
        policy: SecondFactor::Required,
        service: "lock".into(),
        rhost: None,
        prompt: Some("Code: ".into()),
    };
    let (mut granted, runs) = (0, 20_000);
    for _ in 0..runs {
        let bytes = random.mutated(&seeds, &MUTATIONS);
        let (broker, _theirs) = broker_that_says(&bytes);
        let mut person = Answering::default();
        let outcome = attempt(&broker, &request, &mut person).outcome;
        assert_ne!(outcome, Outcome::NotAsked, "{bytes:?}");
        let all = messages(&bytes);
        let questions =
            all.iter().take_while(|(kind, content)| *kind == 'Q' && std::str::from_utf8(content).is_ok()).count();
        let may_pass = questions > 0
            && all.get(questions).is_some_and(|(kind, content)| {
                let left = content.strip_prefix(b"granted ").and_then(|left| std::str::from_utf8(left).ok());
                *kind == 'V' && (*content == b"granted" || left.is_some_and(|left| left.parse::<usize>().is_ok()))
            });
        assert_eq!(matches!(outcome, Outcome::Granted { .. }), may_pass, "{bytes:?}");
        granted += usize::from(may_pass);
    }
    assert!((runs / 40..runs / 2).contains(&granted), "{granted}");
}

#[test]
fn nothing_is_done_but_by_a_last_word_after_a_question() {
    let seeds = conversations();
    let mut random = Random(0x2026_1124_0600_0005);
    let (mut done, runs) = (0, 20_000);
    for _ in 0..runs {
        let bytes = random.mutated(&seeds, &MUTATIONS);
        let (broker, _theirs) = broker_that_says(&bytes);
        let mut person = Answering::default();
        let outcome = ask_broker(&broker, None, &Request::Verify, &mut person);
        let all = messages(&bytes);
        let before = all.iter().take_while(|(kind, _)| "QHTI".contains(*kind)).count();
        let questions = all[..before].iter().filter(|(kind, _)| "QH".contains(*kind)).count();
        if outcome.is_ok() {
            done += 1;
            let (kind, content) = all[before];
            assert!(kind == 'D' && questions > 0, "{bytes:?}");
            assert!(serde_json::from_slice::<Value>(content).is_ok(), "{bytes:?}");
            assert_eq!(person.questions, questions);
        }
    }
    assert!((runs / 40..runs / 2).contains(&done), "{done}");
}

proptest! {
    /// What nobody meant to be a message either.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(Frame::read(&mut bytes.as_slice()).is_ok(), first(&bytes).is_some());
        prop_assert!(open_envelope(&bytes).is_err());
        if let Ok(login) = LoginRequest::parse(&bytes) {
            prop_assert!(!login.user.contains('\0'));
        }
    }

    #[test]
    fn any_field_of_a_login_is_what_it_was(user in "[^\0]{0,40}", service in "[^\0]{0,40}", rhost in "[^\0]{1,40}", prompt in "[^\0]{1,40}") {
        let bytes = ["1", &user, "required", &service, &rhost, &prompt].join("\0").into_bytes();
        let (rhost, prompt) = (Some(rhost), Some(prompt));
        let parsed = LoginRequest::parse(&bytes).ok();
        prop_assert_eq!(parsed, Some(LoginRequest { user, policy: SecondFactor::Required, service, rhost, prompt }));
    }

    #[test]
    fn any_user_name_survives_an_envelope(user in "\\PC{0,60}|[\0-\u{1f}:/\\n.]{0,20}") {
        let sent = envelope(Some(&user), &Request::Status).unwrap();
        let (named, request) = open_envelope(&sent).ok().unwrap();
        prop_assert_eq!(named, Some(user));
        prop_assert!(matches!(request, Request::Status));
    }
}
