//! The heart of Twinlock: one login attempt, from an answer to a verdict that is durable.
//!
//! Read [`login`] first: it is the story of one attempt, top to bottom. What it decides with is pure
//! ([`decide`], [`throttle`], [`otp`], [`recovery`]); what it touches stands behind the short traits of [`ports`],
//! whose adapters are in [`store`] and [`host`]. Nothing here knows libpam, a terminal or a network.

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

pub mod account;
pub mod admin;
pub mod answer;
pub mod config;
pub mod credentials;
pub mod decide;
pub mod devices;
pub mod document;
pub mod enrol;
pub mod grant;
pub mod host;
pub mod import;
pub mod journal;
pub mod lifecycle;
pub mod login;
mod misplaced;
pub mod module_arguments;
pub mod notice;
pub mod onboarding;
pub mod otp;
pub mod pending;
pub mod policy;
pub mod ports;
pub mod qr;
pub mod record;
pub mod recovery;
pub mod remember;
pub mod secret;
pub mod slot;
pub mod spacing;
pub mod status;
pub mod store;
pub mod text;
pub mod throttle;
pub mod time;
pub mod wire;
