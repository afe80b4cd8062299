//! Which form the secrets of a host have: in clear, sealed, or on the way from one to the other. It stands in the second line
//! of the id beside the configuration, so that no kill leaves a store of one form with the mode of the other.

use std::fmt;

use twinlock_core::sealed::KeyId;

/// The form that is in force, with the key by which secrets are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealMode {
    /// All secrets are in clear.
    Off,
    /// They are being sealed: new ones are sealed, and a sealed file is in force where there are both.
    Sealing(KeyId),
    /// All are sealed.
    On(KeyId),
    /// They are being opened: new ones are in clear, and a sealed file is in force where there are both.
    Unsealing(KeyId),
}

impl SealMode {
    /// Reads the second line of the file.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, key) = line.strip_prefix("sealed = \"")?.strip_suffix('"')?.split_once(' ')?;
        let key = KeyId::parse(key)?;
        match word {
            "sealing" => Some(Self::Sealing(key)),
            "yes" => Some(Self::On(key)),
            "unsealing" => Some(Self::Unsealing(key)),
            _ => None,
        }
    }

    /// The key by which secrets are sealed, or were.
    #[must_use]
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Off => None,
            Self::Sealing(key) | Self::On(key) | Self::Unsealing(key) => Some(key),
        }
    }

    /// The key that new secrets are sealed with; `None` if they are written in clear.
    #[must_use]
    pub const fn seals(self) -> Option<KeyId> {
        match self {
            Self::Off | Self::Unsealing(_) => None,
            Self::Sealing(key) | Self::On(key) => Some(key),
        }
    }
}

/// The second line of the file, if there is one.
impl fmt::Display for SealMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, key) = match self {
            Self::Off => return Ok(()),
            Self::Sealing(key) => ("sealing", key),
            Self::On(key) => ("yes", key),
            Self::Unsealing(key) => ("unsealing", key),
        };
        writeln!(out, "sealed = \"{word} {key}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_is_written_and_nothing_else_is_one() {
        let key = KeyId::parse("0123456789abcdef").unwrap();
        for mode in [SealMode::Sealing(key), SealMode::On(key), SealMode::Unsealing(key)] {
            assert_eq!(SealMode::parse(mode.to_string().strip_suffix('\n').unwrap()), Some(mode));
        }
        assert_eq!(SealMode::Off.to_string(), "");
        for bad in ["", "sealed = \"no 0123456789abcdef\"", "sealed = \"yes\"", "sealed = \"yes 0123\"", "sealed = yes"]
        {
            assert_eq!(SealMode::parse(bad), None, "{bad}");
        }
    }
}
