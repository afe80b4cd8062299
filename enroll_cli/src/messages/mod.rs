//! Every text that users see of the command. Here are the texts that several verbs share; each verb, or group of verbs, has a
//! file of its name. Errors and their hints are built together, as [`Failure`]s, so that neither is without the other.
//!
//! Elsewhere are the help, which clap reads from the definitions in `cli`; what `doctor`, `ssh`, `check`, `explain` and
//! `test-login` find on the host, in `twinlock_hostcheck::messages`; and what command and broker say alike about a second
//! factor, in `twinlock_service::messages`.

pub(crate) mod acknowledge;
pub(crate) mod adopt;
pub(crate) mod announce;
pub(crate) mod device;
pub(crate) mod emergency;
pub(crate) mod enroll;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod metrics;
pub(crate) mod recovery;
pub(crate) mod remove;
pub(crate) mod repair;
pub(crate) mod report;
pub(crate) mod seal;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod trial;
pub(crate) mod unlock;
pub(crate) mod usage;
pub(crate) mod verify;

use std::{fmt::Display, io};

use twinlock_core::account::UserName;
pub(crate) use twinlock_hostcheck::messages::count;
use twinlock_login::wire::ConnectError;
use twinlock_service::self_service::SelfServiceText;

use crate::{failure::Failure, language::say};

/// A user who is not root.
pub(crate) fn root_only() -> Failure {
    Failure::not_permitted(say(SelfServiceText::RootOnly)).hint(say(SelfServiceText::SudoOrAsk))
}

/// A word that is no user name.
pub(crate) fn invalid_user_name(typed: &str, error: &impl Display) -> Failure {
    Failure::refused(format!("invalid user name '{typed}': {error}"))
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

// The broker.

/// The broker does not run.
pub(crate) fn no_broker() -> Failure {
    Failure::not_permitted(say(SelfServiceText::NoBroker)).hint(say(SelfServiceText::StartBroker))
}

/// The broker cannot be used.
pub(crate) fn broker_unreachable(error: &ConnectError) -> Failure {
    Failure::refused(error.to_string()).hint("tell your administrator")
}

/// The broker did something else than what was asked.
pub(crate) fn unexpected_answer() -> Failure {
    Failure::refused("the broker sent an unexpected answer")
        .hint("command and broker must have the same version: restart twinlockd after an upgrade")
}

/// `--config` of a user who is not root.
pub(crate) fn config_of_a_user() -> Failure {
    Failure::not_permitted("not permitted: only root can use --config")
        .hint("leave out --config: the broker reads its own configuration")
}

// The terminal.

/// There is nobody to ask for a code.
pub(crate) fn no_terminal_for_codes() -> Failure {
    Failure::refused(say(SelfServiceText::NoTerminalForCodes)).hint(say(SelfServiceText::TerminalOrStdin))
}

/// The terminal or stdin failed.
pub(crate) fn answer_not_read(error: &io::Error) -> Failure {
    Failure::refused(format!("cannot read the answer: {error}"))
}

/// The output cannot be written.
pub(crate) fn output_not_written(error: &io::Error) -> Failure {
    Failure::refused(format!("cannot write the output: {error}"))
}

/// What happened and what to do, as stderr has it.
pub(crate) fn failure(message: &str, hint: Option<&str>) -> String {
    let message = if message.is_empty() { String::new() } else { format!("twinlock: {message}\n") };
    hint.map_or_else(|| message.clone(), |hint| format!("{message}hint: {hint}\n"))
}
