//! What the broker and those who come to it say to each other over a Unix socket.
//!
//! A client says one thing, [`Kind::Request`] or [`Kind::Login`], or as root [`Kind::EnrolledInLogin`], which has no
//! answer. The broker asks and tells as it needs, each
//! question is answered, and the last word is the broker's: [`Kind::Done`], [`Kind::Refused`] or [`Kind::Verdict`].
//! The account is that of the socket's peer, as the kernel says (`SO_PEERCRED`); root alone may name others.

mod connection;
mod enrolled;
mod fields;
mod frame;
mod login;

pub use connection::{ConnectError, Connection, Peer, connect, peer};
pub use enrolled::EnrolledInLogin;
pub use frame::{Frame, FrameError, Kind, LONGEST, LONGEST_ANSWER, VERSION};
pub use login::{LoginRequest, NoConversation, attempt, verdict};

/// Where the broker listens.
pub const SOCKET: &str = "/run/twinlock/broker.sock";
