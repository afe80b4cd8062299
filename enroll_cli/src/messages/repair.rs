//! `twinlock repair`, and how enrolments keep the layout of the store up to date.

use std::{io, path::Path};

use twinlock_core::account::UserName;
use twinlock_store::ports::StoreError;

use super::count;
use crate::{failure::Failure, output::sanitize_for_terminal};

/// The state can be read.
pub(crate) fn sound(user: &UserName) -> String {
    format!("{user}: the state file is valid; nothing was changed")
}

/// A new record replaces the state that could not be read.
pub(crate) fn made(user: &UserName) -> String {
    format!(
        "{user}: made a new state file. It is not known which codes were used, so all of them count as used:\n\
         - codes of an app are accepted again in 11 minutes\n\
         - recovery codes no longer work; `twinlock recovery new {user}` makes new ones\n\
         - hardware tokens have to be enrolled again"
    )
}

/// The store is on ZFS.
pub(crate) const ZFS: &str = "The store is on ZFS, which has no flag against copy-on-write: when the pool is full, every login is \
     refused. Move the store to another file system, or give its dataset a `refreservation`.";

/// The flag was set on the folder `state`.
pub(crate) fn flag_set(folder: &Path) -> String {
    format!("{}: set the flag against copy-on-write; new records are written in place", folder.display())
}

/// The flag cannot be set on the folder `state`.
pub(crate) fn flag_not_set(folder: &Path, error: &io::Error) -> Failure {
    Failure::refused(format!("cannot set the flag against copy-on-write on {}: {error}", folder.display()))
        .hint(format!("check that its file system is not mounted read-only: `findmnt -T {}`", folder.display()))
}

/// The record of a user was written to a new file that has the flag.
pub(crate) fn remade(user: &UserName) -> String {
    sanitize_for_terminal(&format!("{user}: moved the record to a file that is written in place"))
}

/// The record of a user stays as it is.
pub(crate) fn not_remade(user: &UserName, error: &StoreError) -> String {
    sanitize_for_terminal(&format!("{user}: {error}\nhint: {}", error.hint()))
}

/// What `repair --layout` did.
pub(crate) fn summary(all: usize, remade: usize, indexed: usize) -> String {
    format!("users checked: {all}, records rewritten: {remade}, added to the index by uid: {indexed}")
}

/// `repair --layout` has left some users as they are.
pub(crate) fn some_failed(failed: usize) -> Failure {
    Failure::refused(format!("the layout of {} was not updated", count(failed, "user", "users")))
        .hint("see the messages above, then run `twinlock repair --layout` again")
}
