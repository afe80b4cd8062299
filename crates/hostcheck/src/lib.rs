//! The configuration files of other programs on this host: PAM's and sshd's, read as these programs read them, judged by the
//! doctor, and changed by `twinlock ssh`, `sudo` and `su`.
//!
//! Nothing here knows the command line or a terminal. What is found is returned as a value; what a user must be told while
//! a change is under way goes to a [`Note`].

#![forbid(unsafe_code)]

pub mod accounts;
mod administrators;
pub mod copy_on_write;
pub mod doctor;
pub mod emergency;
mod error;
pub mod forecast;
mod host_files;
mod installation;
pub mod messages;
pub mod pam_files;
pub mod pam_stack;
pub mod pam_walk;
pub mod parallel;
pub mod programs;
pub mod seal;
pub mod selinux;
mod shadow;
pub mod ssh;
mod sshd;
pub mod sudo;
pub mod trial;

pub use error::HostError;
pub use installation::Installation;

/// Tells the user one thing while a change is under way.
pub type Note<'a> = dyn Fn(&str) + 'a;
