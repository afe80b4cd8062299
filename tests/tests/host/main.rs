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
#[allow(dead_code, reason = "the command's own files, of which the walk alone is tried by doctor::libpam")]
#[path = "../../../enroll_cli/src/pam_stack.rs"]
mod pam_stack;
#[allow(dead_code, reason = "as above")]
#[path = "../../../enroll_cli/src/pam_walk.rs"]
mod pam_walk;
mod shipped;
mod ssh_enable;
