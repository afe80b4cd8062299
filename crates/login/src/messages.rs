//! What the log reads about a login attempt, and the errors of the broker's socket.

use std::fmt;

use crate::wire::{ConnectError, FrameError};

/// Log: sshd put its own bytes in the place of the answer.
pub(crate) const BLOCKED_BY_SSHD: &str = "sshd replaced the answer, because this account may not log in (for root see PermitRootLogin, \
     for others DenyUsers, AllowGroups and the login shell)";

/// Log: no code was asked for.
pub(crate) const REMEMBERED: &str = "not asked: a login of this client is remembered";

/// Log: this process cannot read the store, and the broker cannot be asked.
pub(crate) fn broker_needed(error: &ConnectError) -> String {
    format!("this process does not run as root, so it needs the broker: {error}")
}

/// Log: the connection to the broker ended before the verdict.
pub(crate) fn broker_failed(error: &FrameError) -> String {
    format!("the broker gave no verdict: {error}")
}

/// The broker's queue of connections is full.
pub(crate) const BROKER_QUEUE_FULL: &str = "it accepts no more connections at the moment";

impl fmt::Display for ConnectError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBroker => out.write_str("the broker (twinlockd) is not running"),
            Self::NotTrusted(error) => write!(out, "cannot trust the socket of the broker: {error}"),
            Self::Server(uid) => write!(out, "cannot trust the broker: it runs as uid {uid} instead of root"),
            Self::Socket(error) => write!(out, "cannot connect to the broker: {error}"),
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => out.write_str("the connection was closed"),
            Self::NoMessage => out.write_str("a message was not valid"),
            Self::OutOfPlace => out.write_str("a message was not expected"),
            Self::Socket(error) => write!(out, "the socket failed: {error}"),
        }
    }
}
