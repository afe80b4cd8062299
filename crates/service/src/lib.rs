//! The life of a second factor, for the command and the broker: who may do what, made, added to, renewed, tried, removed,
//! imported, and everybody told of it. [`lifecycle`] is where to start.

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

pub mod admin;
mod error;
pub mod import;
mod json;
pub mod lifecycle;
pub mod messages;
pub mod notify;
pub mod process;
pub mod self_service;
pub mod status;
pub mod syslog;
pub mod wire;
