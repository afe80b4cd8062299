//! The broker: users look after their own second factor, and nobody else's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod charges;
mod crowd;
mod distrust;
mod enrol;
mod fake;
mod forged;
mod frames;
mod fuzz;
mod matrix;
mod oracle;
mod scene;
mod start;
