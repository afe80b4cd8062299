//! The very files of `config/`, loaded as they are, and the demonstration that shows them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod demo;
mod drop_ins;
mod install;
mod leavers;
mod stacks;
mod units;
