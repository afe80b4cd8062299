//! `twinlock ssh`: a host as it was installed, switched on and off by the command alone, under a real sshd.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics"
)]

mod boot;
mod daemon;
mod disk;
mod enable;
mod killed;
mod pairs;
mod plan;
mod readme;
mod refused;
mod scene;
mod trial;
mod unenrolled;
