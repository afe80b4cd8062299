//! Moving in: from files that Debian's own `google-authenticator`, `pam_google_authenticator` and `pam_oath` wrote, to
//! logins through the built module.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod files;
mod given;
mod google;
mod guide;
mod many;
mod oath;
mod uri;
