//! `pam_twinlock.so`: from libpam to the core and back. Nothing is decided here but which return code says what.
//!
//! `entry` has what libpam calls and knows all other files; none knows it. `transaction` is the handle, and with `memory` the
//! only unsafe code; behind it everything is copied values. `context` is what a phase begins with, and `backend` who answers
//! for second factors. `auth` is the auth phase, `account` the account phase, `enrolment` the end of a login in which
//! somebody enrolled, `first_pass` the code that comes together with a password; `result` is the one table of return codes.

#![cfg_attr(not(feature = "enrol-in-login"), allow(dead_code, reason = "what only an enrolment inside a login uses"))]

mod account;
mod arguments;
mod auth;
mod backend;
mod context;
#[cfg_attr(not(feature = "enrol-in-login"), path = "no_enrolment.rs")]
mod enrolment;
mod entry;
mod first_pass;
mod memory;
mod messages;
mod result;
mod transaction;

#[cfg(all(feature = "panic-probe", not(debug_assertions)))]
compile_error!("the feature `panic-probe` makes a module that panics on purpose: never in a release build");
