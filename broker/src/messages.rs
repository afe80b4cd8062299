//! What users and the log read from the broker. Nothing here decides anything.

use std::{io, path::Path};

use twinlock_service::{
    lifecycle::{RequestError, RequestErrorKind},
    self_service::SelfServiceText,
};

// Sent to the command.

/// All connections are in use.
pub(crate) fn busy() -> RequestError {
    refused("the broker is busy").hint("try again in a minute")
}

/// Another enrolment of the account asks for its password.
pub(crate) fn password_asked_elsewhere() -> RequestError {
    refused("another enrolment of your account is asking for your password at the moment")
        .hint("finish or cancel it, then run the command again")
}

/// The account's password is not correct, or PAM refuses the account.
pub(crate) fn password_not_accepted() -> RequestError {
    RequestError::with_text(RequestErrorKind::Refused, SelfServiceText::PasswordNotAccepted)
        .advice(SelfServiceText::AccountPassword)
}

/// The helper that asks for the password could not be run.
pub(crate) fn cannot_ask_for_password(error: &io::Error) -> RequestError {
    RequestError::new(RequestErrorKind::Host, format!("cannot ask for the password: {error}"))
}

/// `first_enrollment = "session"`, and logind does not know the caller's session.
pub(crate) fn no_session() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::NoSession)
        .advice(SelfServiceText::LogInAgain)
}

/// `first_enrollment = "session"`, and the session is too old.
pub(crate) fn old_session() -> RequestError {
    RequestError::with_text(RequestErrorKind::NotPermitted, SelfServiceText::OldSession)
        .advice(SelfServiceText::LogInAgain)
}

/// There is no account of the name or number.
pub(crate) fn no_such_account() -> RequestError {
    refused("there is no such account")
}

/// The passwd database failed.
pub(crate) fn no_passwd_database(error: &io::Error) -> RequestError {
    RequestError::new(RequestErrorKind::Host, account_not_looked_up(error))
}

/// What is wrong with the host is for root and for the log; everybody else reads this.
pub(crate) fn host_out_of_order() -> RequestError {
    refused("this host cannot do that at the moment, because of a problem that its administrator has to fix")
        .hint("tell your administrator; the log of this host has the details")
}

/// An answer that is longer than a message of the protocol.
pub(crate) fn answer_too_long() -> RequestError {
    refused("the result does not fit into one message of the broker")
}

fn refused(message: &str) -> RequestError {
    RequestError::new(RequestErrorKind::Refused, message)
}

// Logged.

/// The detail of a login whose caller is another account.
pub(crate) fn login_of_another(uid: u32) -> String {
    format!("uid {uid} requested a login of another account")
}

/// The passwd database failed.
pub(crate) fn account_not_looked_up(error: &io::Error) -> String {
    format!("cannot look up the account in the passwd database: {error}")
}

/// The kernel is too old for landlock.
pub(crate) const NO_LANDLOCK: &str = "this kernel does not support landlock; the broker runs without it";

// Why the broker does not start.

/// Not run as root.
pub(crate) const NEEDS_ROOT: &str =
    "twinlockd must run as root, started by systemd (twinlockd.socket) or another supervisor";

/// What systemd handed over cannot be listened on.
pub(crate) fn not_a_socket(error: &io::Error) -> String {
    format!("systemd handed over something that is not a Unix socket: {error}")
}

/// Two sockets.
pub(crate) const TWO_SOCKETS: &str =
    "systemd handed over a socket, so --listen cannot name another one; remove one of the two";

/// No socket.
pub(crate) const NO_SOCKET: &str = "there is no socket to listen on; start twinlockd.socket, or use --listen";

/// `--listen` with a relative path.
pub(crate) const RELATIVE_SOCKET: &str = "--listen needs an absolute path";

/// Another broker.
pub(crate) fn already_running(socket: &Path) -> String {
    format!("another broker is already listening on {}", socket.display())
}

/// A step of preparing the socket failed; `step` is a verb, with its object but for the path.
pub(crate) fn socket_failed(step: &str, socket: &Path, error: &io::Error) -> String {
    format!("cannot {step} {}: {error}", socket.display())
}

/// A step of the start failed; `step` is a verb with its object.
pub(crate) fn start_failed(step: &str, error: &dyn std::fmt::Display) -> String {
    format!("cannot {step}: {error}")
}
