//! A login of a host that is not root's: the module cannot read the store, so the broker makes the attempt, for the
//! caller's own account and with the caller's own policy, and the module carries questions and answers.
//!
//! Plain text, as fields: the module links no JSON.

use std::{fmt::Write as _, time::Duration};

use twinlock_core::{
    audit::Reason,
    notice::Notice,
    policy::SecondFactor,
    ports::{Conversation, NoAnswer, Question},
};
use zeroize::Zeroizing;

use super::{ConnectError, Connection, Frame, FrameError, Kind, fields};
use crate::{
    attempt::{Attempt, Exempt, Granted, Outcome},
    messages,
};

/// How long the broker may take for its next word.
const PATIENCE: Duration = Duration::from_secs(30);

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
        fields::join(&[
            &self.user,
            self.policy.name(),
            &self.service,
            self.rhost.as_deref().unwrap_or_default(),
            self.prompt.as_deref().unwrap_or_default(),
        ])
    }

    /// A request as it came.
    ///
    /// # Errors
    /// [`FrameError::NoMessage`].
    pub fn parse(content: &[u8]) -> Result<Self, FrameError> {
        let [user, policy, service, rhost, prompt] = fields::split(content)?;
        Ok(Self {
            user: user.to_owned(),
            policy: SecondFactor::named(policy).map_err(|_| FrameError::NoMessage)?,
            service: service.to_owned(),
            rhost: fields::optional(rhost),
            prompt: fields::optional(prompt),
        })
    }
}

/// How an attempt ended, as the content of [`Kind::Verdict`], with what is reported to its owner.
#[must_use]
pub fn verdict(attempt: &Attempt) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match &attempt.outcome {
        Outcome::Granted(granted) => match granted.recovery_codes_left() {
            None => write!(text, "granted"),
            Some(left) => write!(text, "granted {left}"),
        },
        Outcome::NotAsked(_) => write!(text, "not-asked"),
        Outcome::Refused(reason) => write!(text, "refused {}", reason.name()),
        Outcome::TooSoon(rest) => write!(text, "too-soon {}", rest.as_secs()),
        Outcome::NoAnswer(NoAnswer { code }) => write!(text, "no-answer {code}"),
    };
    if let Outcome::Granted(granted) = &attempt.outcome
        && let Some(notice) = granted.news().and_then(|news| news.notice)
    {
        text.push('\0');
        text.push_str(&notice.words());
    }
    text
}

/// The broker's verdict as an outcome. It counts only where it can be one: nobody is granted anything who was not asked,
/// and nobody passes unasked where policy asks everybody.
fn outcome(text: &str, asked: bool, policy: SecondFactor) -> Result<Outcome, FrameError> {
    let (outcome, notice) = match text.split_once('\0') {
        Some((outcome, words)) => (outcome, Some(Notice::of_words(words).ok_or(FrameError::NoMessage)?)),
        None => (text, None),
    };
    let (word, number) = outcome.split_once(' ').map_or((outcome, None), |(word, rest)| (word, Some(rest)));
    match (word, number) {
        ("granted", left) => {
            let left = left.map(|left| left.parse().map_err(|_| FrameError::NoMessage)).transpose()?;
            if asked { Ok(Outcome::Granted(Granted::from_broker(left, notice))) } else { Err(FrameError::OutOfPlace) }
        }
        ("not-asked", None) => Exempt::by_policy(policy, || true).map(Outcome::NotAsked).ok_or(FrameError::OutOfPlace),
        ("refused", Some(name)) => {
            let reason = Reason::ALL.into_iter().find(|reason| reason.name() == name);
            reason.map(Outcome::Refused).ok_or(FrameError::NoMessage)
        }
        ("too-soon", Some(seconds)) => {
            seconds.parse().map(|rest| Outcome::TooSoon(Duration::from_secs(rest))).map_err(|_| FrameError::NoMessage)
        }
        ("no-answer", Some(code)) => {
            code.parse().map(|code| Outcome::NoAnswer(NoAnswer { code })).map_err(|_| FrameError::NoMessage)
        }
        _ => Err(FrameError::NoMessage),
    }
}

/// Gives no answer to anything.
pub struct NoConversation;

impl Conversation for NoConversation {
    fn ask(&mut self, _: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        Err(NoAnswer { code: 0 })
    }
}

/// Has the broker make an attempt. Whatever goes wrong on the way denies.
///
/// A screen locker asks when it locks, and is answered hours later, when the broker has long given up. An answer that it
/// did not hear was not judged, and is given to it once more, over a new connection.
pub fn attempt(
    connect: impl Fn() -> Result<Connection, ConnectError>,
    request: &LoginRequest,
    conversation: &mut dyn Conversation,
) -> Attempt {
    let mut retry_once = RetryOnce { conversation, unheard: None };
    let mut talk = || match connect() {
        Ok(broker) => converse(&broker, request, &mut retry_once),
        Err(error) => Err(SessionError::ConnectError(error)),
    };
    let ended = match talk() {
        Err(SessionError::Unheard(_)) => talk(),
        ended => ended,
    };
    ended.unwrap_or_else(|ended| {
        let (reason, detail) = match ended {
            SessionError::ConnectError(error) => (Reason::Store, messages::broker_needed(&error)),
            SessionError::Unheard(broken) | SessionError::FrameError(broken) => {
                (Reason::Internal, messages::broker_failed(&broken))
            }
        };
        Attempt::refused_for(reason).with_detail(detail)
    })
}

/// Why a talk with the broker led to nothing.
enum SessionError {
    /// There was none.
    ConnectError(ConnectError),
    /// The first answer could not be given, so nothing was judged.
    Unheard(FrameError),
    /// The connection ended later, or what came was no message.
    FrameError(FrameError),
}

impl From<FrameError> for SessionError {
    fn from(broken: FrameError) -> Self {
        Self::FrameError(broken)
    }
}

/// A conversation whose first answer is kept until it is heard.
struct RetryOnce<'a> {
    conversation: &'a mut dyn Conversation,
    unheard: Option<Zeroizing<Vec<u8>>>,
}

impl RetryOnce<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        match self.unheard.take() {
            Some(answer) => Ok(answer),
            None => self.conversation.ask(question),
        }
    }
}

/// The first question of an attempt is one for a code, each other one for the code after it.
const fn question(prompt: &str, asked: bool) -> Question<'_> {
    if asked { Question::NextCode(prompt) } else { Question::Code(prompt) }
}

fn converse(
    broker: &Connection,
    request: &LoginRequest,
    conversation: &mut RetryOnce<'_>,
) -> Result<Attempt, SessionError> {
    broker.write(Kind::Login, &request.to_bytes(), PATIENCE)?;
    let mut asked = false;
    loop {
        let frame: Frame = broker.read(PATIENCE)?;
        match frame.kind {
            Kind::Ask => match conversation.ask(question(frame.text()?, asked)) {
                // What is too long for a message is too long for a code.
                Ok(typed) => {
                    let answer = typed.get(..super::LONGEST_ANSWER).unwrap_or(&typed);
                    match broker.write(Kind::Answer, answer, PATIENCE) {
                        Err(lost) if !asked => {
                            conversation.unheard = Some(typed);
                            return Err(SessionError::Unheard(lost));
                        }
                        written => written?,
                    }
                    asked = true;
                }
                Err(none) => {
                    // It may be gone as well.
                    let _ = broker.write(Kind::NoAnswer, b"", PATIENCE);
                    return Ok(Attempt::ended(Outcome::NoAnswer(none)));
                }
            },
            Kind::Verdict => {
                return Ok(Attempt::ended(outcome(frame.text()?, asked, request.policy)?));
            }
            Kind::Request
            | Kind::Login
            | Kind::EnrolledInLogin
            | Kind::Answer
            | Kind::NoAnswer
            | Kind::AskHidden
            | Kind::Tell
            | Kind::Introduce
            | Kind::Done
            | Kind::Refused => return Err(FrameError::OutOfPlace.into()),
        }
    }
}
