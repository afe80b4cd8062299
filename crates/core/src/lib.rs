//! What Twinlock exists for, pure: codes and the walk over their window, recovery codes, the throttle, the policy, and the
//! decision about an answer. Nothing here knows a file, a format, a clock, libpam or a terminal.

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
pub mod answer;
pub mod audit;
pub mod catalogue;
pub mod credentials;
pub mod decide;
pub mod devices;
pub mod help_desk;
mod id;
pub mod issued;
pub mod layout;
mod messages;
mod mode;
pub mod module_arguments;
pub mod news;
pub mod notice;
pub mod otp;
pub mod pending;
pub mod policy;
pub mod ports;
pub mod record;
pub mod recovery;
pub mod remember;
mod seal_key;
pub mod sealed;
pub mod secret;
pub mod spacing;
pub mod text;
pub mod throttle;
pub mod time;
