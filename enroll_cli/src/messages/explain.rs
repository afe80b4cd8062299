//! `twinlock explain --all`. What it says about one login is in `twinlock_hostcheck::messages`.

use super::count;

/// The headings of the table.
pub(crate) const HEADINGS: [&str; 4] = ["USER", "OUTCOME", "POLICY", "RULE"];

/// The users who cannot log in then.
pub(crate) fn refused(users: &[&str], all: usize, at: &str) -> String {
    let all = count(all, "account", "accounts");
    match users {
        [] => format!("refused:  none of {all} at {at}\n"),
        users => format!("refused:  {} of {all} at {at}: {}\n", users.len(), users.join(", ")),
    }
}
