//! What a login needs of the world besides a store, as short traits.

use std::io;

use zeroize::Zeroizing;

use crate::{catalogue::Catalogue, time::UnixTime};

/// Asks a person: in a PAM conversation, on the command's terminal, or over the broker's socket.
pub trait Conversation {
    /// Shows the prompt of `question` and waits for one answer.
    ///
    /// # Errors
    /// [`NoAnswer`]; nothing may be changed then.
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer>;
}

/// A conversation that can also show what wants no answer: for enrolment and changes.
pub trait Dialogue: Conversation {
    /// The texts of the person's language.
    fn catalogue(&self) -> &Catalogue {
        Catalogue::ENGLISH
    }

    /// Shows a text.
    ///
    /// # Errors
    /// [`NoAnswer`]: the other side is gone.
    fn tell(&mut self, text: &str) -> Result<(), NoAnswer>;

    /// Shows a new authenticator, to be scanned or typed into an app.
    ///
    /// # Errors
    /// [`NoAnswer`]: it could not be shown.
    fn show_authenticator(&mut self, offer: &Offer) -> Result<(), NoAnswer>;
}

/// What is asked, each with its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// A code, or a recovery code. What is typed may be seen: a code is worthless once it was used.
    Code(&'a str),
    /// Another code after that one.
    NextCode(&'a str),
    /// A password. What is typed must not be seen.
    Password(&'a str),
    /// Anything else that may be seen.
    Text(&'a str),
}

impl<'a> Question<'a> {
    /// The prompt to show.
    #[must_use]
    pub const fn prompt(self) -> &'a str {
        match self {
            Self::Code(prompt) | Self::NextCode(prompt) | Self::Password(prompt) | Self::Text(prompt) => prompt,
        }
    }
}

/// A new authenticator, as people and apps are shown it. No `Debug`: it holds a secret.
pub struct Offer {
    /// The account.
    pub user: String,
    /// The issuer, as the app shows it.
    pub issuer: String,
    /// The address that an app scans.
    pub uri: Zeroizing<String>,
    /// The secret in groups of four.
    pub key: Zeroizing<String>,
    /// 6 to 8.
    pub digits: u8,
    /// Seconds a code lasts; `None` if each use changes it.
    pub period: Option<u32>,
}

/// There was no answer: the other side is gone, or the application answers no prompt. `code` is the conversation's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer {
    /// What the conversation returned.
    pub code: i32,
}

/// Tells the time.
pub trait Clock {
    /// The host's clock, now.
    fn now(&self) -> UnixTime;
}

/// Makes randomness.
pub trait Randomness {
    /// Fills `bytes` from the kernel.
    ///
    /// # Errors
    /// The kernel's; nothing may be made of `bytes` then.
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()>;
}
