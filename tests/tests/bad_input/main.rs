//! Everything that can be wrong with the files: denied at once, with one message that names the file and the remedy, and
//! nothing changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod btrfs;
mod config_content;
mod config_file;
mod crash;
mod credentials;
mod disk;
mod scene;
mod state;
mod store;
