//! A login of a host that is not root's: the module cannot read the store, so the broker makes the attempt, for the
//! caller's own account and with the caller's own policy, and the module carries questions and answers.
//!
//! Plain text, fields between zero bytes, which no PAM item can hold: the module links no JSON.

use std::{fmt::Write as _, time::Duration};

use zeroize::Zeroizing;

use super::{Broken, Connection, Frame, Kind};
use crate::{
    journal::Reason,
    login::{Attempt, Outcome},
    notice::Notice,
    policy::SecondFactor,
    ports::{Conversation, NoAnswer},
};

/// How long the broker may take for its next word.
const PATIENCE: Duration = Duration::from_secs(30);
const FIELDS: usize = 6;

/// What the module says of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRequest {
    /// `pw_name` of who logs in. The broker refuses anybody but the caller.
    pub user: String,
    /// What policy asks for.
    pub policy: SecondFactor,
    /// The PAM service, for the log.
    pub service: String,
    /// Where from, for the log.
    pub rhost: Option<String>,
    /// What is asked first; `None` to be told whether anybody is asked, and no more.
    pub prompt: Option<String>,
}

impl LoginRequest {
    fn to_bytes(&self) -> Vec<u8> {
        let version = super::VERSION.to_string();
        let fields = [
            version.as_str(),
            &self.user,
            self.policy.name(),
            &self.service,
            self.rhost.as_deref().unwrap_or_default(),
            self.prompt.as_deref().unwrap_or_default(),
        ];
        fields.join("\0").into_bytes()
    }

    /// A request as it came.
    ///
    /// # Errors
    /// [`Broken::NoMessage`].
    pub fn parse(content: &[u8]) -> Result<Self, Broken> {
        let text = std::str::from_utf8(content).map_err(|_| Broken::NoMessage)?;
        let fields: Vec<&str> = text.splitn(FIELDS.saturating_add(1), '\0').collect();
        let [version, user, policy, service, rhost, prompt] = fields.as_slice() else {
            return Err(Broken::NoMessage);
        };
        if *version != super::VERSION.to_string() {
            return Err(Broken::NoMessage);
        }
        Ok(Self {
            user: (*user).to_owned(),
            policy: SecondFactor::named(policy).map_err(|_| Broken::NoMessage)?,
            service: (*service).to_owned(),
            rhost: (!rhost.is_empty()).then(|| (*rhost).to_owned()),
            prompt: (!prompt.is_empty()).then(|| (*prompt).to_owned()),
        })
    }
}

/// How an attempt ended, as the content of [`Kind::Verdict`], with what its owner is told of.
#[must_use]
pub fn verdict(attempt: &Attempt) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match attempt.outcome {
        Outcome::Granted { recovery_codes_left: None } => write!(text, "granted"),
        Outcome::Granted { recovery_codes_left: Some(left) } => write!(text, "granted {left}"),
        Outcome::NotAsked => write!(text, "not-asked"),
        Outcome::Refused(reason) => write!(text, "refused {}", reason.name()),
        Outcome::TooSoon(rest) => write!(text, "too-soon {}", rest.as_secs()),
        Outcome::NoAnswer(NoAnswer { code }) => write!(text, "no-answer {code}"),
    };
    if let Some(notice) = &attempt.notice {
        text.push('\0');
        text.push_str(&notice.words());
    }
    text
}

fn parse_verdict(text: &str) -> Option<Attempt> {
    let (outcome, notice) = match text.split_once('\0') {
        Some((outcome, words)) => (outcome, Some(Box::new(Notice::of_words(words)?))),
        None => (text, None),
    };
    Some(Attempt { notice, ..Attempt::ended(parse_outcome(outcome)?) })
}

fn parse_outcome(text: &str) -> Option<Outcome> {
    let (word, rest) = text.split_once(' ').map_or((text, None), |(word, rest)| (word, Some(rest)));
    Some(match (word, rest) {
        ("granted", None) => Outcome::Granted { recovery_codes_left: None },
        ("granted", Some(left)) => Outcome::Granted { recovery_codes_left: Some(left.parse().ok()?) },
        ("not-asked", None) => Outcome::NotAsked,
        ("refused", Some(name)) => Outcome::Refused(Reason::ALL.into_iter().find(|reason| reason.name() == name)?),
        ("too-soon", Some(seconds)) => Outcome::TooSoon(Duration::from_secs(seconds.parse().ok()?)),
        ("no-answer", Some(code)) => Outcome::NoAnswer(NoAnswer { code: code.parse().ok()? }),
        _ => return None,
    })
}

/// Gives no answer to anything.
pub struct Silent;

impl Conversation for Silent {
    fn ask(&mut self, _: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        Err(NoAnswer { code: 0 })
    }
}

/// Has the broker make an attempt. Whatever goes wrong on the way denies.
pub fn attempt(broker: &Connection, request: &LoginRequest, conversation: &mut dyn Conversation) -> Attempt {
    converse(broker, request, conversation).unwrap_or_else(|broken| {
        let detail = Some(format!("the broker did not finish: {broken}"));
        Attempt { detail, ..Attempt::ended(Outcome::Refused(Reason::Internal)) }
    })
}

fn converse(
    broker: &Connection,
    request: &LoginRequest,
    conversation: &mut dyn Conversation,
) -> Result<Attempt, Broken> {
    broker.write(Kind::Login, &request.to_bytes(), PATIENCE)?;
    let mut asked = false;
    loop {
        let frame: Frame = broker.read(PATIENCE)?;
        match frame.kind {
            Kind::Ask => match conversation.ask(frame.text()?) {
                // What is too long for a message is too long for a code.
                Ok(typed) => {
                    asked = true;
                    broker.write(Kind::Answer, typed.get(..super::LONGEST_ANSWER).unwrap_or(&typed), PATIENCE)?;
                }
                Err(none) => {
                    // It may be gone as well.
                    let _ = broker.write(Kind::NoAnswer, b"", PATIENCE);
                    return Ok(Attempt::ended(Outcome::NoAnswer(none)));
                }
            },
            Kind::Verdict => {
                let attempt = parse_verdict(frame.text()?).ok_or(Broken::NoMessage)?;
                // Nobody is granted anything who was not asked.
                if matches!(attempt.outcome, Outcome::Granted { .. }) && !asked {
                    return Err(Broken::OutOfPlace);
                }
                // And nobody passes unasked where policy asks everybody.
                if attempt.outcome == Outcome::NotAsked && request.policy >= SecondFactor::Enroll {
                    return Err(Broken::OutOfPlace);
                }
                return Ok(attempt);
            }
            Kind::Request
            | Kind::Login
            | Kind::Answer
            | Kind::NoAnswer
            | Kind::AskHidden
            | Kind::Tell
            | Kind::Introduce
            | Kind::Done
            | Kind::Refused => return Err(Broken::OutOfPlace),
        }
    }
}
