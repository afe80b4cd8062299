//! One attempt, from a question to a verdict that is durable: [`attempt`] on the store of this host, [`wire`] by the broker.

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

pub mod attempt;
mod messages;
pub mod snapshot;
pub mod wire;
