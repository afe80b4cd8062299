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

mod asked;
mod audit_trail;
mod budget;
mod canaries;
mod charges;
mod crowd;
mod disk;
mod distrust;
mod enrol;
mod fake;
mod fakes;
mod forged;
mod frames;
mod fuzz;
mod help_desk;
mod host;
mod injection;
mod interrupted;
mod killed;
mod languages;
mod load;
mod mail;
mod matrix;
mod messages;
mod notices;
mod oracle;
mod password;
mod person;
mod proof;
mod races;
mod sessions;
mod settings;
mod start;
mod verbs;
