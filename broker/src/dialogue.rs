//! The talk with who came: the broker's questions over the socket, with limits on everything.

use std::time::{Duration, Instant};

use twinlock_core::ports::{Conversation, NoAnswer, Question};
use twinlock_login::wire::{Connection, FrameError, Kind};
use twinlock_service::{
    ports::{Dialogue, Offer, Typing},
    wire::content,
};
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
    begin: Instant,
}

impl<'a> SocketDialogue<'a> {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a connection, by the monotonic clock")]
    pub(crate) fn over(connection: &'a Connection) -> Self {
        Self { connection, begin: Instant::now() }
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

impl Dialogue for SocketDialogue<'_> {
    fn ask(&mut self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let kind = match typing {
            Typing::Shown => Kind::Ask,
            Typing::Hidden => Kind::AskHidden,
        };
        self.question(kind, prompt)
    }

    fn tell(&mut self, text: &str) -> Result<(), NoAnswer> {
        self.put(Kind::Tell, text.as_bytes())
    }

    fn introduce(&mut self, offer: &Offer) -> Result<(), NoAnswer> {
        self.put(Kind::Introduce, &content(offer).map_err(gone)?)
    }
}

impl Conversation for SocketDialogue<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        self.question(Kind::Ask, question.prompt())
    }
}
