//! The socket of the broker.

use std::{collections::BTreeSet, fmt::Write as _, os::unix::net::UnixStream, thread, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use twinlock_core::{
    policy::SecondFactor,
    ports::{Conversation, NoAnswer, Question},
};
use twinlock_login::{
    attempt::Attempt,
    wire::{Connection, EnrolledInLogin, Frame, Kind, LoginRequest, attempt, verdict},
};
use twinlock_service::{
    lifecycle::{Done, Request, RequestError},
    wire::{Requested, content, decode_request, encode_request, offer_content, read_offer},
};
use zeroize::Zeroizing;

use super::{compare_made, lines};

const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn every_kind_of_message_has_the_bytes_that_were_recorded() {
    let kinds = [
        Kind::Request,
        Kind::Login,
        Kind::EnrolledInLogin,
        Kind::Answer,
        Kind::NoAnswer,
        Kind::Ask,
        Kind::AskHidden,
        Kind::Tell,
        Kind::Introduce,
        Kind::Done,
        Kind::Refused,
        Kind::Verdict,
    ];
    let mut all = String::new();
    for kind in kinds {
        let mut bytes = Vec::new();
        Frame::write(&mut bytes, kind, if kind == Kind::NoAnswer { b"" } else { b"content" }).unwrap();
        assert!(Frame::read(&mut bytes.as_slice()).is_ok_and(|frame| frame.kind == kind));
        writeln!(all, "{}", bytes.escape_ascii()).unwrap();
    }
    compare_made("frames.txt", all.as_bytes());
}

#[test]
fn every_request_is_read_and_written_as_it_was_recorded() {
    let mut kinds = BTreeSet::new();
    for line in lines("requests.txt") {
        let Ok(Requested { user, language, request }) = decode_request(line.as_bytes()) else {
            panic!("not understood: {line}")
        };
        kinds.insert(match &request {
            Request::Status => 1,
            Request::Enroll(_) => 2,
            Request::RenewRecovery(_) => 3,
            Request::Device(..) => 4,
            Request::Remove => 5,
            Request::Verify => 6,
            Request::Resync => 7,
            Request::IssueRecovery(_) => 8,
            Request::Unlock => 9,
            Request::Acknowledge => 10,
        });
        let written = encode_request(user.as_deref(), language.as_ref(), &request).unwrap();
        assert_eq!(std::str::from_utf8(&written), Ok(line.as_str()));
    }
    assert_eq!(kinds.len(), 10, "a request has no line in requests.txt");
}

#[test]
fn every_answer_is_read_and_written_as_it_was_recorded() {
    let mut kinds = BTreeSet::new();
    for line in lines("answers.txt") {
        let (kind, json) = line.split_once(' ').unwrap();
        let written = match kind {
            "done" => {
                let done: Done = read(json);
                kinds.insert(match &done {
                    Done::Status(_) => 1,
                    Done::Enrolled(_) => 2,
                    Done::RecoveryRenewed(_) => 3,
                    Done::DeviceChanged(_) => 4,
                    Done::Removed => 5,
                    Done::Verified(_) => 6,
                    Done::Resynced => 7,
                    Done::RecoveryIssued(_) => 8,
                    Done::Unlocked => 9,
                    Done::Acknowledged => 10,
                });
                written(&done)
            }
            "refused" => written(&read::<RequestError>(json)),
            "introduce" => {
                String::from_utf8(offer_content(&read_offer(json.as_bytes()).unwrap()).unwrap().to_vec()).unwrap()
            }
            other => panic!("{other}"),
        };
        assert_eq!(written, json);
    }
    assert_eq!(kinds.len(), 10, "an answer has no line in answers.txt");
}

fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn written(value: &impl Serialize) -> String {
    String::from_utf8(content(value).unwrap().to_vec()).unwrap()
}

#[test]
fn every_login_is_asked_for_as_it_was_recorded() {
    for line in lines("logins.txt") {
        let bytes = line.replace("\\0", "\0");
        let request = LoginRequest::parse(bytes.as_bytes()).unwrap();
        let (sent, _) = login(&request, "no-answer 0");
        assert_eq!(sent.escape_ascii().to_string().replace("\\x00", "\\0"), line);
    }
}

#[test]
fn every_verdict_is_read_and_written_as_it_was_recorded() {
    let request = LoginRequest {
        user: "alice".into(),
        policy: SecondFactor::Optional,
        service: "sshd".into(),
        rhost: None,
        prompt: Some("Code: ".into()),
    };
    for line in lines("verdicts.txt") {
        let (_, attempt) = login(&request, &line.replace("\\0", "\0"));
        assert_eq!(verdict(&attempt).replace('\0', "\\0"), line, "{attempt:?}");
    }
}

/// A login through a broker that asks once and ends with these words: what it was sent, and what came of it.
fn login(request: &LoginRequest, words: &str) -> (Vec<u8>, Attempt) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let broker = scope.spawn(move || {
            let broker = Connection::accepted(theirs);
            let login = broker.read(PATIENCE).unwrap();
            assert_eq!(login.kind, Kind::Login);
            broker.write(Kind::Ask, b"Code: ", PATIENCE).unwrap();
            let answer = broker.read(PATIENCE).unwrap();
            assert_eq!((answer.kind, answer.content.as_slice()), (Kind::Answer, &b"123456"[..]));
            broker.write(Kind::Verdict, words.as_bytes(), PATIENCE).unwrap();
            login.content.to_vec()
        });
        let connect = || Ok(Connection::accepted(ours.try_clone().unwrap()));
        let attempt = attempt(connect, request, &mut OneAnswer);
        (broker.join().unwrap(), attempt)
    })
}

struct OneAnswer;

impl Conversation for OneAnswer {
    fn ask(&mut self, _: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        Ok(Zeroizing::new(b"123456".to_vec()))
    }
}

#[test]
fn an_enrolment_in_a_login_is_reported_as_it_was_recorded() {
    for line in lines("enrolled-in-login.txt") {
        let report = EnrolledInLogin::parse(line.replace("\\0", "\0").as_bytes()).unwrap();
        assert_eq!(report.to_bytes().escape_ascii().to_string().replace("\\x00", "\\0"), line);
    }
}
