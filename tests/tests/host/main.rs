//! What is installed on a host, and what the command says of it and changes there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test that cannot go on panics"
)]

mod doctor;
mod other_services;
mod packages;
mod shipped;
mod ssh_enable;

use twinlock_hostcheck::{pam_stack, pam_walk};
