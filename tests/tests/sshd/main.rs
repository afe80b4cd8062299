//! Logins through a real sshd, and the harness that drives it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that cannot go on panics"
)]

mod harness;
mod login_sshd;
mod policy;
