//! `twinlock import`.

use std::{
    fmt::{self, Display, Formatter},
    io,
    path::Path,
};

use twinlock_core::account::UserName;

use super::count;
use crate::{
    failure::Failure,
    import::files::{Unreadable, UnreadableKind},
};

/// No account has a file of google-authenticator.
pub(crate) const NO_FILES: &str = "No account of /etc/passwd has a file ~/.google_authenticator.";

/// A file of `pam_oath` cannot be imported at all.
pub(crate) fn file_refused(file: &Path, error: &twinlock_service::import::ImportError) -> Failure {
    Failure::refused(format!("cannot import {}: {error}", file.display())).hint(error.hint(None))
}

/// The file of one user that google-authenticator keeps is missing.
pub(crate) fn no_file(user: &UserName, file: &Path) -> Failure {
    Failure::refused(format!("{user} has no file {}", file.display())).hint(
        "if google-authenticator keeps it elsewhere (`secret=` in its PAM line), give that path at the end of the command",
    )
}

/// The accounts of this host are unknown.
pub(crate) fn no_passwd_file(error: &impl Display) -> Failure {
    Failure::refused(format!("cannot read the passwd database: {error}"))
}

/// A thread of the import ended early.
pub(crate) fn interrupted() -> Failure {
    Failure::refused("the import stopped before its end").hint("run it again: users who are enrolled are skipped")
}

/// Asks for an address on the terminal.
pub(crate) const PASTE_ADDRESS: &str = "Paste the otpauth:// address, then press Enter and Ctrl-D:";

/// Stdin cannot be read.
pub(crate) fn address_not_read(error: &io::Error) -> Failure {
    Failure::refused(format!("cannot read the address on stdin: {error}"))
}

// Why one user is not imported.

/// The file has a user who is no account.
pub(crate) const NO_ACCOUNT: &str = "there is no account of this name";

/// The user has a second factor already.
pub(crate) fn already_enrolled(user: &UserName) -> String {
    format!("{user} is already enrolled")
}

/// What to do about it.
pub(crate) const ALREADY_ENROLLED_HINT: &str =
    "use --replace to replace the second factor on this host with the imported one";

/// What to do where nothing else helps.
pub(crate) fn enroll_instead(user: Option<&str>) -> String {
    user.map_or_else(|| "`twinlock enroll`".to_owned(), |user| format!("`twinlock enroll {user}`"))
        + " sets up a new second factor"
}

/// The user was named, and is not imported.
pub(crate) fn not_imported(user: &str, reason: &str) -> Failure {
    Failure::refused(format!("cannot import the second factor of {user}: {reason}"))
}

impl Unreadable {
    /// What to do next. `user` is whose second factor it is, where that is known.
    pub(crate) fn hint(&self, user: Option<&str>) -> String {
        let path = self.path.display();
        match &self.kind {
            UnreadableKind::SymbolicLink => {
                "give the path of the file itself: Twinlock follows no symbolic links".into()
            }
            UnreadableKind::NotAFile | UnreadableKind::TooLarge(_) => "check that this is the right file".into(),
            UnreadableKind::Owner { wanted, .. } => format!("if you trust its content, run `chown {wanted} {path}`"),
            UnreadableKind::Readable(_) => {
                format!(
                    "if nobody else can have read it, run `chmod go-rwx {path}`; otherwise {}",
                    enroll_instead(user)
                )
            }
            UnreadableKind::Changing => "run the command again".into(),
            UnreadableKind::Failed(error) if error.kind() == io::ErrorKind::NotFound => "check the path".into(),
            UnreadableKind::Failed(_) => {
                "if it is on a network file system, copy it to this host and give the path of the copy".into()
            }
        }
    }
}

impl Display for Unreadable {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            UnreadableKind::SymbolicLink => write!(out, "cannot open {path}: it is a symbolic link"),
            UnreadableKind::NotAFile => write!(out, "cannot read {path}: it is not a regular file"),
            UnreadableKind::Owner { uid, wanted } => {
                write!(out, "cannot trust {path}: its owner is uid {uid} instead of {wanted}")
            }
            UnreadableKind::Readable(mode) => {
                write!(out, "cannot trust {path}: its mode is {mode:04o}, so other users can read or write it")
            }
            UnreadableKind::TooLarge(limit) => write!(out, "cannot read {path}: it is larger than {limit} bytes"),
            UnreadableKind::Changing => write!(out, "cannot read {path}: it changed while it was being read"),
            UnreadableKind::Failed(error) => write!(out, "cannot read {path}: {error}"),
        }
    }
}

// What came of it.

/// The beginning of the line of a user: what was done, or would be.
pub(crate) const fn imported(dry_run: bool) -> &'static str {
    if dry_run { "would be imported" } else { "imported" }
}

pub(crate) fn skipped(reason: &str) -> String {
    format!("skipped: {reason}")
}

pub(crate) fn failed(reason: &str) -> String {
    format!("FAILED: {reason}")
}

pub(crate) fn scratch_codes(number: usize) -> String {
    count(number, "scratch code", "scratch codes")
}

pub(crate) fn not_carried(what: &str) -> String {
    format!("  not imported: {what}")
}

pub(crate) fn warning(what: &str) -> String {
    format!("  warning: {what}")
}

/// Keywords of the remarks, which are explained below the table.
pub(crate) fn see(words: &[&str]) -> String {
    format!("; see {}", words.join(", "))
}

/// How many users were imported, skipped and not imported.
pub(crate) fn summary(done: usize, skipped: usize, failed: usize, dry_run: bool) -> String {
    format!("{done} {}, {skipped} skipped because they are enrolled already, {failed} failed.", imported(dry_run))
}

/// Some users were not imported.
pub(crate) fn some_failed(failed: usize, users: usize) -> Failure {
    Failure::refused(format!("{failed} of {} not imported", if users == 1 { "1 user was".into() } else { format!("{users} users were") }))
        .hint("each line with FAILED gives the reason; correct it and run the command again: users who are enrolled are skipped")
}

/// How users enter the codes that were imported; `example` is one of the users.
pub(crate) fn scratch_codes_stay(example: &str) -> String {
    format!(
        "Each scratch code can still be used once. Users enter it twice in a row: 12345678 as 12345678 12345678.\n\
         New recovery codes are stronger: `twinlock recovery new {example}`."
    )
}

/// One user has no recovery codes.
pub(crate) fn without_recovery_codes(user: &str) -> String {
    format!("{user} has no recovery codes: `twinlock recovery new {user}` makes some.")
}

/// Several users have no recovery codes; `example` is one of them.
pub(crate) fn several_without_recovery_codes(users: usize, example: &str) -> String {
    format!("{users} users have no recovery codes: make some for each, as with `twinlock recovery new {example}`.")
}
