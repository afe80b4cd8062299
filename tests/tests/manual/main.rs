//! The manual, the help, the README, the completions and what the programs do are one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics"
)]

mod completions;
mod help;
mod pages;
mod sources;
