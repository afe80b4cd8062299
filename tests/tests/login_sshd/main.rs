//! Whole logins: real `ssh`, real sshd, the shipped PAM stack and drop-in, the built module.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod accounts;
mod code;
mod methods;
mod races;
mod recovery;
mod scene;
mod session;
mod throttle;
