//! The truth table of PAM stacks: every shipped one, and every control value for Twinlock's line, with each return code
//! of the first factor and each end of the second. What must come of it is stated in `rule.rs`, apart from libpam.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod controls;
mod first;
mod ours;
mod rule;
mod shipped;
mod stack;
mod table;
mod unsafe_stacks;
