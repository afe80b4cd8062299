//! Short, stable, random names of what a user has: 1 to 16 of `a` to `z` and `0` to `9`.

/// Longest id, in bytes.
const LONGEST: usize = 16;

/// Names an authenticator in the state and in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorId(String);

/// Names a set of recovery codes, so that used codes of an older set mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySetId(String);

impl AuthenticatorId {
    /// Longest id, in bytes.
    pub const LONGEST: usize = LONGEST;

    /// Takes an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_id(text).then(|| Self(text.to_owned()))
    }

    /// An id of 6 symbols (30 bits, so that ids of one user do not meet) from random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self(symbols(bytes))
    }

    /// The id as it is stored and logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RecoverySetId {
    /// Longest id, in bytes.
    pub const LONGEST: usize = LONGEST;

    /// Takes an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_id(text).then(|| Self(text.to_owned()))
    }

    /// In the place of the id of a user who has no recovery codes; a random one is longer.
    #[must_use]
    pub fn none() -> Self {
        Self("none".into())
    }

    /// An id of 6 symbols, as [`AuthenticatorId::from_random`].
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self(symbols(bytes))
    }

    /// The id as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn symbols(bytes: [u8; 6]) -> String {
    const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let symbol = |byte: &u8| SYMBOLS.get(usize::from(byte % 32)).map(|symbol| char::from(*symbol));
    bytes.iter().filter_map(symbol).collect()
}
