//! The built command, alone and with the module.

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

mod cli;
mod devices;
mod import;
mod list;
mod seal;
