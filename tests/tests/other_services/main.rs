//! The real sudo, su and login with the shipped stacks of both families, on a terminal, as a person sees them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

mod login;
mod policy;
mod scene;
mod su;
mod sudo;
mod throttle;
