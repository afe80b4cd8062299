//! Every text that users see of the command. Here are the texts that several verbs share; each verb, or group of verbs, has a
//! file of its name. Errors and their hints are built together, as [`Failure`]s, so that neither is without the other.
//!
//! Elsewhere are the help, which clap reads from the definitions in `cli`; what `doctor`, `ssh`, `check`, `explain` and
//! `test-login` find on the host, in `twinlock_hostcheck::messages`; and what command and broker say alike about a second
//! factor, in `twinlock_service::messages`.

pub(crate) mod emergency;
pub(crate) mod explain;
pub(crate) mod list;
pub(crate) mod report;

use std::fmt::Display;

use twinlock_core::account::UserName;

use crate::failure::Failure;

/// A number with its noun.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A user who is not root.
pub(crate) fn root_only() -> Failure {
    Failure::not_permitted("not permitted: only root can do this")
        .hint("run the command with sudo, or ask your administrator")
}

/// A word that is no user name.
pub(crate) fn invalid_user_name(error: &impl Display) -> Failure {
    Failure::refused(format!("cannot use this user name: {error}"))
}

/// A word that is no label.
pub(crate) fn invalid_label(label: &str, rule: &str) -> Failure {
    Failure::usage(format!("invalid value '{label}' for <TO>: {rule}")).hint("twinlock device rename --help")
}

/// The host has no account of this name.
pub(crate) fn no_account(name: &UserName) -> Failure {
    Failure::refused(format!("there is no account named {name}"))
        .hint(format!("check the spelling: `getent passwd {name}` prints the account if this host has it"))
}

/// The user who runs the command has no account.
pub(crate) fn no_own_account(uid: u32) -> Failure {
    Failure::refused(format!("the user who runs this command, uid {uid}, has no account on this host"))
        .hint(format!("name the account; `getent passwd {uid}` prints it if this host has it"))
}

/// The passwd database cannot be queried.
pub(crate) fn no_passwd_database(error: &impl Display) -> Failure {
    Failure::refused(twinlock_hostcheck::messages::no_passwd_database(error))
        .hint(twinlock_hostcheck::messages::PASSWD_HINT)
}
