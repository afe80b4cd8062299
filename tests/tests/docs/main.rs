//! What is written about Twinlock, and what it is built from.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that cannot go on panics"
)]

mod login_picture;
mod manual;
mod supply_chain;
mod words;
