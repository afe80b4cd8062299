//! The one reader of sshd's configuration. What is in force sshd itself says ([`Sshd`], [`Settings`]); where in its files
//! something stands, [`Files`] says.

mod files;
mod patterns;
mod privilege_separation;
mod program;
mod settings;

pub(crate) use files::{Directive, Disk, Files, MAIN, key_and_value};
pub(crate) use patterns::{is_match, matching_files, matching_paths};
pub(crate) use program::{ConnectionSpec, Sshd, running};
pub(crate) use settings::{KEYBOARD, Settings, Way};

/// `LoginGraceTime` for logins in which users enrol, in seconds.
pub(crate) const TIME_TO_ENROL: u64 = 300;
