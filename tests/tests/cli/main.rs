//! The built command: what each verb prints, changes and exits with, in scripts and on a real terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod admin;
mod check;
mod enrol;
mod explain;
mod interactive;
mod interrupted;
mod qr;
mod recovery;
mod scene;
mod secrets;
mod status;
mod store;
mod test_login;
mod usage;
mod verify;
