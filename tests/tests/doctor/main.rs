//! `twinlock doctor`: a sound host gives nothing, and each planted fault is found where it stands. And its idea of PAM is
//! libpam's: the files of the command that read and walk a stack are compiled in here and tried against it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod crowd;
mod forms;
mod host;
mod libpam;
#[allow(dead_code, reason = "the command's own files, of which the walk alone is tried here")]
#[path = "../../../enroll_cli/src/pam_stack.rs"]
mod pam_stack;
#[allow(dead_code, reason = "as above")]
#[path = "../../../enroll_cli/src/pam_walk.rs"]
mod pam_walk;
mod people;
mod scene;
mod server;
mod stack;
