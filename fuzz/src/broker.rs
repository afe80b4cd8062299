//! What a broker says, to the module and to the command.

use std::{cell::Cell, io::Write as _, net::Shutdown, os::unix::net::UnixStream};

use serde_json::Value;
use twinlock_core::{
    policy::SecondFactor,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
};
use twinlock_login::{
    attempt::Outcome,
    wire::{ConnectError, Connection, LoginRequest, attempt},
};
use twinlock_service::{lifecycle::Request, wire::ask_broker};
use zeroize::Zeroizing;

use crate::frame::messages;

/// More than a socket takes at once, and than ten questions need.
const LONGEST: usize = 64 * 1024;

/// A login is granted by a verdict that follows a question, and something is done by a last word that does.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    if bytes.len() > LONGEST {
        return false;
    }
    let (granted, done) = (a_login(bytes), a_request(bytes));
    granted || done
}

fn a_login(bytes: &[u8]) -> bool {
    let request = LoginRequest {
        user: "alice".into(),
        policy: SecondFactor::Required,
        service: "lock".into(),
        rhost: None,
        prompt: Some("Code: ".into()),
    };
    let (broker, _theirs) = broker_that_says(bytes);
    let broker = Cell::new(Some(broker));
    let connect = || broker.take().ok_or(ConnectError::NoBroker);
    let outcome = attempt(connect, &request, &mut Answering::default()).outcome;
    assert!(!matches!(outcome, Outcome::NotAsked(_)), "{bytes:?}");
    let all = messages(bytes);
    let questions =
        all.iter().take_while(|(kind, content)| *kind == 'Q' && std::str::from_utf8(content).is_ok()).count();
    let granted = matches!(outcome, Outcome::Granted(_));
    let may_pass = questions > 0 && all.get(questions).is_some_and(|(kind, content)| *kind == 'V' && grants(content));
    assert_eq!(granted, may_pass, "{bytes:?}");
    granted
}

/// The words of a verdict that grants: how many recovery codes are left, and what the owner is told, may follow.
fn grants(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let (outcome, notice) = text.split_once('\0').map_or((text, None), |(outcome, notice)| (outcome, Some(notice)));
    let left = outcome.strip_prefix("granted ").is_some_and(|left| left.parse::<usize>().is_ok());
    (outcome == "granted" || left) && notice.is_none_or(tells_of_a_change)
}

/// A change, and when it was; if there were others, how many, and when the latest was.
fn tells_of_a_change(words: &str) -> bool {
    let known = [
        "enrolled",
        "device-added",
        "replaced",
        "recovery-codes-renewed",
        "device-renamed",
        "device-suspended",
        "device-resumed",
        "device-removed",
        "removed",
        "resynced",
    ];
    let words: Vec<_> = words.split(' ').collect();
    let is_number = |word: &str| word.parse::<u64>().is_ok();
    match words[..] {
        [name, at] => known.contains(&name) && is_number(at),
        [name, at, others, latest] => {
            known.contains(&name) && is_number(at) && others.parse::<u32>().is_ok() && is_number(latest)
        }
        _ => false,
    }
}

fn a_request(bytes: &[u8]) -> bool {
    let (broker, _theirs) = broker_that_says(bytes);
    let mut person = Answering::default();
    if ask_broker(&broker, (None, None), &Request::Verify, &mut person).is_err() {
        return false;
    }
    let all = messages(bytes);
    let before = all.iter().take_while(|(kind, _)| "QHTI".contains(*kind)).count();
    let questions = all[..before].iter().filter(|(kind, _)| "QH".contains(*kind)).count();
    let (kind, content) = all[before];
    assert!(kind == 'D' && questions > 0 && serde_json::from_slice::<Value>(content).is_ok(), "{bytes:?}");
    assert_eq!(person.questions, questions);
    true
}

/// A connection to a broker that says all this, whatever it is told, and hangs up; and the broker's end of it.
fn broker_that_says(bytes: &[u8]) -> (Connection, UnixStream) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    theirs.shutdown(Shutdown::Write).unwrap();
    (Connection::accepted(ours), theirs)
}

/// Answers every question.
#[derive(Default)]
struct Answering {
    questions: usize,
}

impl Conversation for Answering {
    fn ask(&mut self, _: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.questions += 1;
        Ok(b"123456".to_vec().into())
    }
}

impl Dialogue for Answering {
    fn tell(&mut self, _: &str) -> Result<(), NoAnswer> {
        Ok(())
    }

    fn show_authenticator(&mut self, _: &Offer) -> Result<(), NoAnswer> {
        Ok(())
    }
}
