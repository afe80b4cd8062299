//! What comes from outside, each kind as one function from bytes to whether they were taken. A function panics where a
//! promise about its input is broken.
//!
//! The same functions are called with the same corpora by `make test`, which changes them in ways that are the same in every
//! run (`tests/mutations.rs`), and by `make fuzz`, which goes where code was not reached yet (`libfuzzer/`). A second
//! reading here is slow and plain on purpose: it must not share a mistake with the first.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    reason = "a promise that is broken panics"
)]

pub mod answer;
pub mod auth_info;
pub mod broker;
pub mod config;
pub mod credentials;
pub mod frame;
pub mod import;
pub mod login;
pub mod login_request;
pub mod random;
pub mod record;
pub mod request;
pub mod slot;
pub mod user_name;

/// A kind of input.
pub struct Input {
    /// The name of its corpus and of its target.
    pub name: &'static str,
    /// Whether it is taken.
    pub check: fn(&[u8]) -> bool,
}

/// All kinds.
pub const INPUTS: &[Input] = &[
    Input { name: "answer", check: answer::check },
    Input { name: "auth_info", check: auth_info::check },
    Input { name: "broker", check: broker::check },
    Input { name: "config", check: config::check },
    Input { name: "credentials", check: credentials::check },
    Input { name: "frame", check: frame::check },
    Input { name: "google_authenticator", check: import::google_authenticator },
    Input { name: "login", check: login::check },
    Input { name: "login_request", check: login_request::check },
    Input { name: "otpauth", check: import::otpauth },
    Input { name: "record", check: record::check },
    Input { name: "request", check: request::check },
    Input { name: "slot", check: slot::check },
    Input { name: "user_name", check: user_name::check },
    Input { name: "users_oath", check: import::users_oath },
];
