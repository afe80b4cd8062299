//! `twinlock list`.

use std::fmt::Display;

use super::count;
use crate::failure::Failure;

/// The headings of the table.
pub(crate) const HEADINGS: [&str; 7] = ["USER", "FACTOR", "DEVICES", "LAST USED", "FROM", "RECOVERY", "THROTTLE"];

/// In the column `FACTOR`: the account has a second factor.
pub(crate) const ENROLLED: &str = "enrolled";

/// The same: the account has none.
pub(crate) const NOT_ENROLLED: &str = "none";

/// The same: the user's files cannot be read.
pub(crate) fn unreadable(error: &impl Display) -> String {
    format!("error: {error}")
}

/// In the column `DEVICES`: a device whose codes are refused for the time being.
pub(crate) fn suspended(label: &str) -> String {
    format!("{label} (suspended)")
}

/// The same: more labels than the column has room for.
pub(crate) fn devices(number: usize) -> String {
    count(number, "device", "devices")
}

/// In the column `FROM`: the program that asked PAM gave the address, and nothing has verified it.
pub(crate) fn claimed(address: &str) -> String {
    format!("{address} (claimed)")
}

/// Files in `credentials/` whose user has left.
pub(crate) fn without_account(files: usize) -> String {
    let files = match files {
        1 => "1 credentials file belongs to no account".to_owned(),
        more => format!("{more} credentials files belong to no account"),
    };
    format!("note: {files}; run `twinlock check` to see which")
}

/// Some of the rows say `error`.
pub(crate) fn some_unreadable(unreadable: usize, users: usize) -> Failure {
    Failure::refused(format!("cannot read the files of {unreadable} of {}", count(users, "user", "users")))
        .hint("run `twinlock check`: it says for each of them what to do")
}

/// `--group` names no group of the host.
pub(crate) fn no_group(name: &str) -> Failure {
    Failure::refused(format!("there is no group named {name}"))
        .hint(format!("check the spelling: `getent group {name}` prints the group if this host has it"))
}

/// The group database cannot be queried.
pub(crate) fn no_group_database(error: &impl Display) -> Failure {
    Failure::refused(format!("cannot query the group database: {error}"))
        .hint("check the line `group:` of /etc/nsswitch.conf and the services that it names")
}
