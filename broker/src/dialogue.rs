//! The talk with who came: the broker's questions over the socket, with limits on everything.

use std::time::{Duration, Instant};

use twinlock_core::{
    catalogue::Catalogue,
    ports::{Conversation, Dialogue, NoAnswer, Offer, Question},
};
use twinlock_login::wire::{Connection, FrameError, Kind};
use twinlock_service::wire::offer_content;
use zeroize::Zeroizing;

/// How long an answer may take: somebody has to find a phone and an app.
const ANSWER: Duration = Duration::from_mins(5);
/// How long all of it may take.
const WHOLE: Duration = Duration::from_mins(15);
/// How long the other side may take to read.
const WRITE: Duration = Duration::from_secs(10);

/// A connection that is talked over.
pub(crate) struct SocketDialogue<'a> {
    connection: &'a Connection,
    catalogue: &'a Catalogue,
    begin: Instant,
}

impl<'a> SocketDialogue<'a> {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a connection, by the monotonic clock")]
    pub(crate) fn over(connection: &'a Connection, catalogue: &'a Catalogue) -> Self {
        Self { connection, catalogue, begin: Instant::now() }
    }

    fn put(&self, kind: Kind, content: &[u8]) -> Result<(), NoAnswer> {
        self.connection.write(kind, content, WRITE).map_err(gone)
    }

    fn question(&self, kind: Kind, prompt: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.put(kind, prompt.as_bytes())?;
        let patience = ANSWER.min(WHOLE.saturating_sub(self.begin.elapsed()));
        let frame = self.connection.read(patience).map_err(gone)?;
        // Anything else that comes now is out of place, and no answer.
        if frame.kind == Kind::Answer { Ok(frame.content) } else { Err(NoAnswer { code: 0 }) }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over a Result")]
fn gone(_: FrameError) -> NoAnswer {
    NoAnswer { code: 0 }
}

impl Conversation for SocketDialogue<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let kind = match question {
            Question::Code(_) | Question::NextCode(_) | Question::Text(_) => Kind::Ask,
            Question::Password(_) => Kind::AskHidden,
        };
        self.question(kind, question.prompt())
    }
}

impl Dialogue for SocketDialogue<'_> {
    fn catalogue(&self) -> &Catalogue {
        self.catalogue
    }

    fn tell(&mut self, text: &str) -> Result<(), NoAnswer> {
        self.put(Kind::Tell, text.as_bytes())
    }

    fn show_authenticator(&mut self, offer: &Offer) -> Result<(), NoAnswer> {
        self.put(Kind::Introduce, &offer_content(offer).map_err(gone)?)
    }
}
