//! What a login needs of the world besides a store, as short traits.

use std::io;

use zeroize::Zeroizing;

use crate::time::UnixTime;

/// Talks with whoever logs in.
pub trait Conversation {
    /// Shows `prompt` and waits for one answer.
    ///
    /// # Errors
    /// [`NoAnswer`].
    fn ask(&mut self, prompt: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer>;
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
