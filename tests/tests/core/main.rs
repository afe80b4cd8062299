//! The core without libpam: one contract for every store, and whole logins on a store in memory with a clock in hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod contract;
mod given;
mod login;
mod makers;
mod memory;
mod model;
mod module_files;
mod onboarding;
mod permits;
mod storms;
mod texts;
