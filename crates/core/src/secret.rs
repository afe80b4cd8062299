//! The shared key of an authenticator: bytes that are wiped and have no `Debug`, and their base32 spelling.

use base32::Alphabet;
use zeroize::Zeroizing;

/// The key shared with an authenticator app, 16 to 128 bytes.
///
/// # Security
/// Wiped when dropped; no `Debug`, no `Display`. Under 128 bits is refused (RFC 4226 section 4, R6).
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// RFC 4648 section 6, without padding.
const BASE32: Alphabet = Alphabet::Rfc4648 { padding: false };

/// Why bytes are no [`Secret`]. Never holds any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// Not base32 (RFC 4648 section 6: `A` to `Z` and `2` to `7`).
    Encoding,
    /// Shorter than [`Secret::SHORTEST`]: so many bits.
    TooShort(usize),
    /// Longer than [`Secret::LONGEST`].
    TooLong,
}

impl Secret {
    /// 128 bits, the least that RFC 4226 section 4 (R6) allows.
    pub const SHORTEST: usize = 16;
    /// Twice the block of SHA-512's HMAC; nobody makes longer ones.
    pub const LONGEST: usize = 128;
    /// 160 bits, what RFC 4226 section 4 recommends and every app handles.
    pub const NEW: usize = 20;

    /// Takes bytes as a key.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] and [`SecretError::TooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        if bytes.len() < Self::SHORTEST {
            return Err(SecretError::TooShort(bytes.len().saturating_mul(8)));
        }
        if bytes.len() > Self::LONGEST {
            return Err(SecretError::TooLong);
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// Reads base32: case folded, with or without padding.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        let symbols = text.trim_end_matches('=');
        if symbols.len() > Self::LONGEST.saturating_mul(2) {
            return Err(SecretError::TooLong);
        }
        let upper = Zeroizing::new(symbols.to_ascii_uppercase());
        let bytes = base32::decode(BASE32, &upper).map(Zeroizing::new).ok_or(SecretError::Encoding)?;
        Self::from_bytes(&bytes)
    }

    /// The key as base32 without padding, as `otpauth://` wants it.
    #[must_use]
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(base32::encode(BASE32, &self.0))
    }

    /// The same in groups of four, as people type it.
    #[must_use]
    pub fn in_groups(&self) -> Zeroizing<String> {
        in_fours(self.to_base32().as_bytes(), ' ')
    }

    /// The key itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// ASCII symbols in groups of four.
pub(crate) fn in_fours(symbols: &[u8], between: char) -> Zeroizing<String> {
    // Room for all of it at once: a growing buffer would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(symbols.len().saturating_mul(2)));
    for (at, symbol) in symbols.iter().enumerate() {
        if at > 0 && at.is_multiple_of(4) {
            text.push(between);
        }
        text.push(char::from(*symbol));
    }
    text
}

impl std::error::Error for SecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn refusal(text: &str) -> SecretError {
        Secret::from_base32(text).err().unwrap()
    }

    #[test]
    fn the_rfc_secret_is_read_in_every_spelling_and_written_in_one() {
        for text in [RFC.to_owned(), RFC.to_lowercase(), format!("{RFC}====")] {
            let secret = Secret::from_base32(&text).unwrap();
            assert_eq!(secret.bytes(), b"12345678901234567890");
            assert_eq!(secret.to_base32().as_str(), RFC);
            assert_eq!(secret.in_groups().as_str(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        }
    }

    #[test]
    fn under_128_bits_is_refused() {
        assert_eq!(refusal("GEZDGNBVGY3TQOJQ"), SecretError::TooShort(80));
        assert!(Secret::from_bytes(&[7; 16]).is_ok());
    }

    #[test]
    fn what_is_not_base32_is_refused() {
        assert_eq!(refusal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"), SecretError::Encoding);
        assert_eq!(refusal("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJé"), SecretError::Encoding);
        assert_eq!(refusal(&"A".repeat(1_000_000)), SecretError::TooLong);
    }
}
