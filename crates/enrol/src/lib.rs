//! A new authenticator: its secret, its recovery codes, how it is shown and stored, and the enrolment inside a login.

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

pub mod dialogue;
pub mod enrolment;
mod error;
mod messages;
pub mod offered;
pub mod onboarding;
pub mod pending;
mod prompts;
pub mod qr;
