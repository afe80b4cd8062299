//! Policy through real logins: rules, keys of hardware tokens, enrolling inside the login, remembered logins, stacked
//! passwords.

mod documented;
mod enrolling;
pub(crate) mod first_login;
mod guard;
mod keys;
mod languages;
mod more_than_one_host;
mod pending;
mod remembered;
mod rules;
mod stacked;
mod whole_login;
