//! `twinlock recovery`.

use super::no_terminal;
use crate::failure::Failure;

/// There is nobody to show the new codes to.
pub(crate) fn without_terminal(user: &str) -> Failure {
    no_terminal(
        &format!("cannot show new recovery codes of {user}"),
        "connect with `ssh -t`; in scripts, use --no-confirm --json",
    )
}

/// The new codes replace the old ones.
pub(crate) fn renewed(user: &str) -> String {
    format!("Done: the new recovery codes of {user} are valid, and the old ones no longer work.")
}

/// How many codes are left, for a person.
pub(crate) fn left(left: usize, all: usize) -> String {
    format!("{left} of {} left\n", all.max(left))
}
