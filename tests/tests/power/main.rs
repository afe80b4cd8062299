//! The power fails: every image that the writes of an attempt may leave on the disk is put into a store and read by the
//! built module. None is unreadable, no success that was seen is forgotten, no charge is lost that was seen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics"
)]

mod btrfs;
mod disk;
mod pairs;
mod scene;
mod trace;
