//! The user who logs in: the account as the passwd database knows it, and the file name that its records have.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The name of an account: 1 to 256 bytes of UTF-8 without control characters or `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// Bytes that a file name does not show as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-');

/// A text that cannot be the name of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserNameError;

impl UserName {
    /// Longest name in bytes; directories hand out longer ones than the 32 of `useradd`.
    pub const LONGEST: usize = 256;

    /// Takes a name as it was typed. What cannot be a name is not worth a look into the passwd database.
    ///
    /// # Errors
    /// [`UserNameError`]; it does not repeat the text, which may be a password typed at the wrong prompt.
    pub fn parse(bytes: &[u8]) -> Result<Self, UserNameError> {
        let text = std::str::from_utf8(bytes).map_err(|_| UserNameError)?;
        let sound =
            !text.is_empty() && text.len() <= Self::LONGEST && !text.chars().any(|c| c.is_control() || c == '/');
        if sound { Ok(Self(text.to_owned())) } else { Err(UserNameError) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one path component: bytes outside `[A-Za-z0-9_.-]`, and a leading dot, as `%XX`.
    ///
    /// Two names never share a file name, and none begins with a dot: those are ours, for files being written.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = utf8_percent_encode(&self.0, ESCAPED).to_string();
        name.strip_prefix('.').map_or_else(|| name.clone(), |rest| format!("%2E{rest}"))
    }

    /// The name that has this file name.
    ///
    /// # Errors
    /// [`UserNameError`] for what [`UserName::file_name`] makes of no name.
    pub fn from_file_name(file: &str) -> Result<Self, UserNameError> {
        let name = Self::parse(&percent_decode_str(file).collect::<Vec<u8>>())?;
        if name.file_name() == file { Ok(name) } else { Err(UserNameError) }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for UserNameError {}

/// An account of this host. `name` is `pw_name` of its passwd entry, never what somebody typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `pw_name`.
    pub name: UserName,
    /// `pw_uid`. Both record files carry it, so that an account made anew under an old name
    /// does not inherit a second factor, unless it was given the old number too: `twinlock remove` is for leavers.
    pub uid: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_plain_name_is_its_own_file_name() {
        for plain in ["alice", "a.b-c_d9", "A"] {
            assert_eq!(name(plain).file_name(), plain);
        }
    }

    #[test]
    fn everything_else_is_escaped() {
        for (from, to) in [
            (".", "%2E"),
            ("..", "%2E."),
            (".alice", "%2Ealice"),
            ("DOM\\al", "DOM%5Cal"),
            ("a b", "a%20b"),
            ("é", "%C3%A9"),
            ("%41", "%2541"),
        ] {
            assert_eq!(name(from).file_name(), to);
            assert_eq!(UserName::from_file_name(to), Ok(name(from)));
        }
    }

    #[test]
    fn a_file_name_that_nobody_has_is_refused() {
        for file in ["", ".alice", "a b", "%61", "%2", "%FF"] {
            assert_eq!(UserName::from_file_name(file), Err(UserNameError), "{file}");
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        let long = "x".repeat(257);
        for text in ["", "a/b", "../x", "al\nice", "a\0b", "\u{1b}[31m", "a\u{7f}", "\u{85}", &long] {
            assert_eq!(UserName::parse(text.as_bytes()), Err(UserNameError), "{text:?}");
        }
        assert_eq!(UserName::parse(b"\xff\xfe"), Err(UserNameError));
    }
}
