//! The request of the command, as JSON: [`crate::lifecycle`] has the values. Root alone may name
//! another account; everybody else who does is refused before anything is looked up.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use twinlock_core::{
    catalogue::Language,
    ports::{Dialogue, NoAnswer, Offer, Question},
};
use twinlock_login::wire::{Connection, Frame, FrameError, Kind, VERSION};
use zeroize::Zeroizing;

use crate::{
    json::{OfferContent, OfferMessage},
    lifecycle::{Done, Request, RequestError},
    messages,
};

/// How long the broker may take for its next word: recovery codes are hashed, and others wait for their turn as well.
const PATIENCE: Duration = Duration::from_mins(3);
/// How long the broker may take for its last message after a question without an answer.
const LAST_WORD: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Sent<'a> {
    version: u8,
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    request: &'a Request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Received {
    version: u8,
    user: Option<String>,
    #[serde(default)]
    language: Option<String>,
    request: Request,
}

/// A request as it came.
pub struct Requested {
    /// The user that it names, if another than the sender.
    pub user: Option<String>,
    /// The language that the sender wants to read.
    pub language: Option<Language>,
    pub request: Request,
}

/// A request as it is sent; `user` is another user than the sender.
///
/// # Errors
/// [`FrameError::NoMessage`] if it cannot be written.
pub fn encode_request(
    user: Option<&str>,
    language: Option<&Language>,
    request: &Request,
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    content(&Sent { version: VERSION, user, language: language.map(Language::as_str), request })
}

/// Reads a request. A language that is no name of one is passed over: it would be a path, which is not the sender's to choose.
///
/// # Errors
/// What is wrong with it, for the sender.
pub fn decode_request(content: &[u8]) -> Result<Requested, RequestError> {
    let received: Received = serde_json::from_slice(content).map_err(|error| {
        // It repeats what came, which may be as long as a message, and would then fit into none.
        let error: String = error.to_string().chars().take(200).collect();
        messages::request_not_understood(&error)
    })?;
    if received.version == VERSION {
        let language = received.language.and_then(|name| Language::of_locale(&name));
        Ok(Requested { user: received.user, language, request: received.request })
    } else {
        Err(messages::other_protocol(received.version))
    }
}

/// A value as the content of a message. Room for all of it at once: a growing buffer would leave copies of secrets behind.
///
/// # Errors
/// [`FrameError::NoMessage`] if it cannot be written.
pub fn content(value: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(twinlock_login::wire::LONGEST));
    serde_json::to_writer(&mut *bytes, value).map_err(|_| FrameError::NoMessage)?;
    Ok(bytes)
}

/// A new authenticator as the content of a message.
///
/// # Errors
/// As for [`content`].
pub fn offer_content(offer: &Offer) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    content(&OfferContent(offer))
}

/// A new authenticator as it came in a message.
///
/// # Errors
/// [`FrameError::NoMessage`].
pub fn read_offer(content: &[u8]) -> Result<Offer, FrameError> {
    serde_json::from_slice(content).map(|OfferMessage(offer)| offer).map_err(|_| FrameError::NoMessage)
}

/// Has the broker do what is wanted, and talks with `dialogue` for it.
///
/// # Errors
/// The broker's [`RequestError`], or one that says how the connection failed.
pub fn ask_broker(
    broker: &Connection,
    (user, language): (Option<&str>, Option<&Language>),
    request: &Request,
    dialogue: &mut dyn Dialogue,
) -> Result<Done, RequestError> {
    let sent = encode_request(user, language, request).map_err(lost)?;
    put(broker, Kind::Request, &sent)?;
    let mut asked = false;
    loop {
        let frame = broker.read(PATIENCE).map_err(lost)?;
        match frame.kind {
            Kind::Ask | Kind::AskHidden => {
                let prompt = frame.text().map_err(lost)?;
                let question =
                    if frame.kind == Kind::Ask { Question::Text(prompt) } else { Question::Password(prompt) };
                asked = true;
                match dialogue.ask(question) {
                    Ok(typed) => put(broker, Kind::Answer, &typed)?,
                    Err(none) => return Err(gone(broker, none)),
                }
            }
            Kind::Tell => {
                dialogue.tell(frame.text().map_err(lost)?).map_err(|none| gone(broker, none))?;
            }
            Kind::Introduce => {
                let offer = read_offer(&frame.content).map_err(lost)?;
                dialogue.show_authenticator(&offer).map_err(|none| gone(broker, none))?;
            }
            // Nothing is done, and nobody is right, without a question.
            Kind::Done if !asked && !matches!(request, Request::Status) => return Err(lost(FrameError::OutOfPlace)),
            Kind::Done => return parsed(&frame),
            Kind::Refused => return Err(parsed::<RequestError>(&frame)?),
            Kind::Request | Kind::Login | Kind::EnrolledInLogin | Kind::Answer | Kind::NoAnswer | Kind::Verdict => {
                return Err(lost(FrameError::OutOfPlace));
            }
        }
    }
}

/// Writes a message. A broker that has hung up may have sent the reason before: it can still be read.
fn put(broker: &Connection, kind: Kind, content: &[u8]) -> Result<(), RequestError> {
    match broker.write(kind, content, PATIENCE) {
        Ok(()) | Err(FrameError::Gone) => Ok(()),
        Err(error) => Err(lost(error)),
    }
}

/// The broker is told, so that it need not wait, and says what that means.
fn gone(broker: &Connection, none: NoAnswer) -> RequestError {
    // It may be gone as well.
    let _ = broker.write(Kind::NoAnswer, b"", LAST_WORD);
    while let Ok(frame) = broker.read(LAST_WORD) {
        if frame.kind == Kind::Refused {
            return parsed(&frame).unwrap_or_else(|refusal| refusal);
        }
    }
    none.into()
}

fn parsed<'a, T: Deserialize<'a>>(frame: &'a Frame) -> Result<T, RequestError> {
    serde_json::from_slice(&frame.content).map_err(|_| lost(FrameError::NoMessage))
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over a Result")]
fn lost(broken: FrameError) -> RequestError {
    messages::broker_failed(&broken)
}
