//! What identifies an enrolment inside a login: its id, while it waits for the end of that login, and the client that it is
//! offered to.

use std::{fmt::Write as _, io};

use sha2::{Digest as _, Sha256};

use crate::{policy::FirstFactors, ports::Randomness};

/// The client that an enrolment is offered to: a hash of its address and of the keys that sshd verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedTo(String);

impl OfferedTo {
    /// The client of a login over sshd. `None` where sshd has verified nothing: a password of the stack may be a wrong one.
    #[must_use]
    pub fn client(first_factors: &FirstFactors, rhost: Option<&str>) -> Option<Self> {
        let rhost = rhost.filter(|_| first_factors.any())?;
        let mut hash = Sha256::new();
        for part in [rhost.as_bytes()].into_iter().chain(first_factors.keys().iter().map(|key| key.blob.as_slice())) {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let mut text = String::with_capacity(64);
        for byte in hash.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Some(Self(text))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names the pending enrolment of one login: 128 random bits in 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingId(String);

impl PendingId {
    /// A new one.
    ///
    /// # Errors
    /// The kernel gave no randomness.
    pub fn new(randomness: &mut dyn Randomness) -> io::Result<Self> {
        let mut bytes = [0; 16];
        randomness.fill(&mut bytes)?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// The id that was written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
