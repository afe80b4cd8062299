//! The harness proves itself on modules that are not ours: each of its promises, with a stand-in for Twinlock.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod libpam;
mod peer;
mod sshd;
mod terminal;
mod world;
