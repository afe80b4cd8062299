//! Talking with somebody whose second factor is made or changed.

use serde::{Deserialize, Serialize};
use twinlock_core::ports::NoAnswer;
use zeroize::Zeroizing;

/// Talks with whoever has a second factor made or changed: in the command's own terminal, or over the broker's socket.
pub trait Dialogue {
    /// Shows `prompt` and waits for a line.
    ///
    /// # Errors
    /// [`NoAnswer`]; nothing may be changed then.
    fn ask(&mut self, prompt: &str, typing: Typing) -> Result<Zeroizing<Vec<u8>>, NoAnswer>;

    /// Shows a text.
    ///
    /// # Errors
    /// [`NoAnswer`]: nobody is there any more.
    fn tell(&mut self, text: &str) -> Result<(), NoAnswer>;

    /// Shows a new authenticator, to be scanned or typed into an app.
    ///
    /// # Errors
    /// [`NoAnswer`]: it could not be shown.
    fn introduce(&mut self, offer: &Offer) -> Result<(), NoAnswer>;
}

/// Whether what is typed may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// A code: worthless once it was used.
    Shown,
    /// A password.
    Hidden,
}

/// A new authenticator, as people and apps are shown it. No `Debug`: it holds a secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Whose.
    pub user: String,
    /// Whose code it is, as the app shows it.
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
