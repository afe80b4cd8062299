//! What a login needs of the world besides a store, as short traits.

use std::io;

use zeroize::Zeroizing;

use crate::time::UnixTime;

/// Talks with whoever logs in.
pub trait Conversation {
    /// Shows the prompt of `question` and waits for one answer.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer>;
}

/// What is asked, each with its prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// The first question of an attempt: a code, or a recovery code.
    Code(&'a str),
    /// Another code after that one.
    NextCode(&'a str),
    /// A question of an enrolment inside the login.
    Text(&'a str),
}

impl<'a> Question<'a> {
    /// The prompt to show.
    #[must_use]
    pub const fn prompt(self) -> &'a str {
        match self {
            Self::Code(prompt) | Self::NextCode(prompt) | Self::Text(prompt) => prompt,
        }
    }
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
