//! One host as a store: TOML and its formats, the two slots of a record, files opened safely, the configuration, and the
//! host's clock, randomness and accounts. [`mod@format`], [`document`] and [`slot`] open no file.

#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        clippy::cast_possible_wrap,
        clippy::large_stack_arrays,
        reason = "a test that cannot go on panics"
    )
)]

#[cfg(all(feature = "extra-probe", not(debug_assertions)))]
compile_error!("the feature `extra-probe` writes a key of no version: never in a release build");

pub mod config;
pub mod document;
pub mod files;
pub mod format;
pub mod host;
pub mod messages;
mod misplaced;
pub mod ports;
pub mod seal_mode;
pub mod slot;
