//! The module's report to the broker of an enrolment inside a login: the broker sends the mail, because the module runs no
//! program. Fields between zero bytes, as in the message of a login.

use std::{path::Path, time::Duration};

use super::{ConnectError, FrameError, Kind, connection, fields};

/// How long each of the two steps may take, connecting and writing: the user waits for their shell meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);

/// An enrolment that was made inside a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledInLogin {
    /// `pw_name`.
    pub user: String,
    /// The PAM service.
    pub service: String,
    /// Where from, as the service says.
    pub rhost: Option<String>,
}

impl EnrolledInLogin {
    /// The message as it is sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        fields::join(&[&self.user, &self.service, self.rhost.as_deref().unwrap_or_default()])
    }

    /// A message as it came.
    ///
    /// # Errors
    /// [`FrameError::NoMessage`].
    pub fn parse(content: &[u8]) -> Result<Self, FrameError> {
        let [user, service, rhost] = fields::split(content)?;
        Ok(Self { user: user.to_owned(), service: service.to_owned(), rhost: fields::optional(rhost) })
    }

    /// Sends the report and waits for no answer. It takes a second at most, whatever the broker does.
    ///
    /// # Errors
    /// [`ConnectError`]. The login does not depend on it.
    pub fn send(&self, socket: &Path) -> Result<(), ConnectError> {
        let broker = connection::connect_within(socket, PATIENCE)?;
        broker.write(Kind::EnrolledInLogin, &self.to_bytes(), PATIENCE).map_err(|broken| match broken {
            FrameError::Socket(error) => ConnectError::Socket(error),
            FrameError::Gone | FrameError::NoMessage | FrameError::OutOfPlace => ConnectError::NoBroker,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_parsed_and_nothing_else() {
        for rhost in [None, Some("192.0.2.7".to_owned())] {
            let told = EnrolledInLogin { user: "alice".into(), service: "sshd".into(), rhost };
            assert_eq!(EnrolledInLogin::parse(&told.to_bytes()).ok(), Some(told));
        }
        for bad in [&b""[..], b"1", b"1\0alice\0sshd", b"2\0alice\0sshd\0", b"1\0alice\0sshd\0x\0y", b"1\0\xff\0sshd\0"]
        {
            assert!(EnrolledInLogin::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
