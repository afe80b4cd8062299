//! `twinlock unlock` and `twinlock forget`.

use twinlock_core::account::UserName;

use super::count;
use crate::failure::Failure;

/// There is no second factor, so there are no failures.
pub(crate) fn not_enrolled(user: &str) -> Failure {
    Failure::not_enrolled(user).hint("there are no failures to clear")
}

/// `unlock` has cleared the failures.
pub(crate) fn unlocked(user: &str) -> String {
    format!("{user}: cleared the failures; one code is enough again")
}

/// `forget` has ended the remembered logins.
pub(crate) fn forgotten(user: &UserName, logins: usize) -> String {
    match logins {
        0 => format!("{user}: no login was remembered"),
        some => format!(
            "{user}: ended {}; the next login asks for a code",
            count(some, "remembered login", "remembered logins")
        ),
    }
}
