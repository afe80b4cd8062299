//! `pam_twinlock.so`: from libpam to the core and back. Nothing is decided here but which return code says what.
//!
//! `ffi` and `memory` are the only files with unsafe code; behind `ffi` everything is copied values. `authenticate` is the auth
//! phase, `guard` the account phase, `enrolment` the end of a login in which somebody enrolled, `stacked` the code that comes together with a password; `returns` is the one table of return codes.

mod arguments;
mod authenticate;
mod broker;
mod enrolment;
mod ffi;
mod guard;
mod memory;
mod returns;
mod stacked;

#[cfg(all(feature = "panic-probe", not(debug_assertions)))]
compile_error!("the feature `panic-probe` makes a module that panics on purpose: never in a release build");
