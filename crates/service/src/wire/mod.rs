//! The command's request to the broker, and the broker's talk with the helper that runs a PAM stack.

mod helper;
mod request;

pub use helper::relay;
pub use request::{Requested, ask_broker, content, decode_request, encode_request, offer_content, read_offer};
