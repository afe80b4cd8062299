//! What must not come out: secrets, codes and passwords anywhere, who is enrolled to anybody, and a line of the log that
//! somebody else wrote.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that cannot go on panics"
)]

mod everywhere;
mod grammar;
mod memory;
mod oracle;
mod scene;
mod timing;
