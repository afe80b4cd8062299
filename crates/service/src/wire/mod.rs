//! The command's request to the broker, and the broker's talk with the helper that runs a PAM stack.

mod helper;
mod request;

pub use helper::carry;
pub use request::{ask_broker, content, envelope, open_envelope};
