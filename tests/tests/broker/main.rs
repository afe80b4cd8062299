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

mod budget;
mod disk;
mod enrol;
mod host;
mod killed;
mod load;
mod password;
mod person;
mod races;
