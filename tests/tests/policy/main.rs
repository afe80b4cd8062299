//! Policy through real logins: rules, keys of hardware tokens, enrolling inside the login, remembered logins, stacked
//! passwords.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod documented;
mod enrolling;
mod guard;
mod keys;
mod pending;
mod remembered;
mod rules;
mod scene;
mod stacked;
mod whole_login;
