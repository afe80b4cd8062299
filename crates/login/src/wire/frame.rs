//! One message: its length as four bytes, most significant first, its kind as one, and its content.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

/// The version of everything that is said. Another one is refused.
pub const VERSION: u8 = 1;
/// Longest content in bytes: a user with all authenticators and the longest labels fits in it twice.
pub const LONGEST: usize = 16 * 1024;
/// Longest answer to a question, in bytes.
pub const LONGEST_ANSWER: usize = 1024;
/// Bytes before the content.
const HEADER: usize = 5;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the broker: what is wanted, as JSON.
    Request,
    /// To the broker: a login of a host that is not root's, as the module asks for it.
    Login,
    /// To the broker, by root: an account was enrolled inside a login.
    EnrolledInLogin,
    /// To the broker: what was typed.
    Answer,
    /// To the broker: nothing was typed, and nothing will be.
    NoAnswer,
    /// A question; what is typed may be seen.
    Ask,
    /// A question; what is typed must not be seen.
    AskHidden,
    /// A text that wants no answer.
    Tell,
    /// A new authenticator to be shown, as JSON.
    Introduce,
    /// It was done, with what came of it as JSON.
    Done,
    /// It was not done, with the reason as JSON.
    Refused,
    /// How a login ended.
    Verdict,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Request,
        Self::Login,
        Self::EnrolledInLogin,
        Self::Answer,
        Self::NoAnswer,
        Self::Ask,
        Self::AskHidden,
        Self::Tell,
        Self::Introduce,
        Self::Done,
        Self::Refused,
        Self::Verdict,
    ];

    const fn byte(self) -> u8 {
        match self {
            Self::Request => b'R',
            Self::Login => b'L',
            Self::EnrolledInLogin => b'E',
            Self::Answer => b'A',
            Self::NoAnswer => b'X',
            Self::Ask => b'Q',
            Self::AskHidden => b'H',
            Self::Tell => b'T',
            Self::Introduce => b'I',
            Self::Done => b'D',
            Self::Refused => b'F',
            Self::Verdict => b'V',
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }

    /// Longest content of such a message.
    const fn longest(self) -> usize {
        match self {
            Self::Answer => LONGEST_ANSWER,
            Self::NoAnswer => 0,
            Self::Request
            | Self::Login
            | Self::EnrolledInLogin
            | Self::Ask
            | Self::AskHidden
            | Self::Tell
            | Self::Introduce
            | Self::Done
            | Self::Refused
            | Self::Verdict => LONGEST,
        }
    }
}

/// One message. No `Debug`: it may hold a secret.
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    pub content: Zeroizing<Vec<u8>>,
}

/// Why no message came or went. Nothing may be done on the strength of half a message.
#[derive(Debug)]
pub enum FrameError {
    /// The other side is gone.
    Gone,
    /// What came is no message: a kind that does not exist, or a content that is too long.
    NoMessage,
    /// A message that is out of place.
    OutOfPlace,
    /// The socket failed, or the time was up.
    Socket(io::Error),
}

impl Frame {
    /// Reads one message. The length is looked at before anything is reserved for it.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn read(from: &mut dyn Read) -> Result<Self, FrameError> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)?;
        let [a, b, c, d, kind] = header;
        let kind = Kind::from_byte(kind).ok_or(FrameError::NoMessage)?;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).map_err(|_| FrameError::NoMessage)?;
        if length > kind.longest() {
            return Err(FrameError::NoMessage);
        }
        let mut content = Zeroizing::new(vec![0; length]);
        from.read_exact(&mut content)?;
        Ok(Self { kind, content })
    }

    /// Writes one message, in one piece.
    ///
    /// # Errors
    /// [`FrameError`]; [`FrameError::NoMessage`] for a content that is too long.
    pub fn write(to: &mut dyn Write, kind: Kind, content: &[u8]) -> Result<(), FrameError> {
        let length = u32::try_from(content.len()).map_err(|_| FrameError::NoMessage)?;
        if content.len() > kind.longest() {
            return Err(FrameError::NoMessage);
        }
        let mut whole = Zeroizing::new(Vec::with_capacity(content.len().saturating_add(HEADER)));
        whole.extend_from_slice(&length.to_be_bytes());
        whole.push(kind.byte());
        whole.extend_from_slice(content);
        to.write_all(&whole)?;
        Ok(())
    }

    /// The content as text. What is not UTF-8 is no message of ours.
    ///
    /// # Errors
    /// [`FrameError::NoMessage`].
    pub fn text(&self) -> Result<&str, FrameError> {
        std::str::from_utf8(&self.content).map_err(|_| FrameError::NoMessage)
    }
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        if matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
        ) {
            Self::Gone
        } else {
            Self::Socket(error)
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Socket(error) => Some(error),
            Self::Gone | Self::NoMessage | Self::OutOfPlace => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        Frame::write(&mut bytes, kind, content).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        for kind in Kind::ALL {
            let content = if kind == Kind::NoAnswer { &b""[..] } else { b"x\0\xff" };
            let frame = Frame::read(&mut written(kind, content).as_slice()).ok().unwrap();
            assert_eq!((frame.kind, frame.content.as_slice()), (kind, content));
        }
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_none() {
        let whole = written(Kind::Tell, b"hello");
        for length in 0..whole.len() {
            assert!(matches!(Frame::read(&mut &whole[..length]), Err(FrameError::Gone)), "{length}");
        }
    }

    #[test]
    fn a_length_beyond_the_kind_s_is_refused_before_it_is_read() {
        for (kind, length) in
            [(b'T', LONGEST + 1), (b'A', LONGEST_ANSWER + 1), (b'X', 1), (b'R', usize::try_from(u32::MAX).unwrap())]
        {
            let mut header = u32::try_from(length).unwrap().to_be_bytes().to_vec();
            header.push(kind);
            assert!(matches!(Frame::read(&mut header.as_slice()), Err(FrameError::NoMessage)), "{}", char::from(kind));
        }
        assert!(Frame::read(&mut &b"\0\0\0\0?"[..]).is_err());
        assert!(matches!(Frame::write(&mut Vec::new(), Kind::Tell, &[0; LONGEST + 1]), Err(FrameError::NoMessage)));
    }
}
