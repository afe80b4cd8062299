//! Several devices of one user, hardware tokens, and clocks set right: the command and the module together.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod choices;
mod devices;
mod pictures;
mod records;
mod renamed;
mod resync;
mod scene;
mod tokens;
