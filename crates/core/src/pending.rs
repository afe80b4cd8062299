//! The id of an enrolment that waits for the end of the login in which it was made.

use std::io;

use crate::ports::Randomness;

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
