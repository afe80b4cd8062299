//! Every text that users, administrators and the log read about the store, the configuration file and their content.
//!
//! An error says what cannot be done with which file, and why; its hint says what an administrator can do. Both name the
//! user: a file of the store has the name of its user.

use std::{
    fmt::{self, Display, Formatter},
    path::Path,
};

use nix::libc::EACCES;
use toml::de::DeValue;
use twinlock_core::{account::UserName, credentials::Enrolment};

use crate::{
    config::ConfigError,
    document::ParseErrorKind,
    files::ConfigFileError,
    format::CredentialsError,
    ports::{IdentityErrorKind, SealErrorKind, StoreError, StoreErrorKind},
};

// Rules.

/// `remember` in a rule that asks for no code.
pub(crate) const REMEMBER_WITHOUT_CODE: &str = "`remember` has no effect with second_factor = \"skip\": remove it";

/// What a name in `services`, `users` or `groups` must be.
pub(crate) const NAME_RULE: &str =
    "a name has 1 to 256 characters and no control characters; `!name` matches everything but that name";

// Files.

/// What to do when root is denied a file.
pub const SECURITY_MODULE_HINT: &str = "only a security module such as SELinux denies root this: look at the labels with \
     `ls -Z`, set them with `restorecon -Rv /var/lib/twinlock`, and list the denials with \
     `ausearch --input-logs -m avc -c sshd-session` (-c sshd before OpenSSH 9.8)";

/// The user whose file this is.
fn user_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let is_credentials = path.parent().is_some_and(|folder| folder.ends_with("credentials"));
    let name =
        file.strip_suffix(".toml").or_else(|| file.strip_suffix(".sealed")).filter(|_| is_credentials).unwrap_or(&file);
    UserName::from_file_name(name).map_or_else(|_| name.to_owned(), |user| user.to_string())
}

impl StoreError {
    /// What an administrator can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let path = self.path.display();
        let user = user_of(&self.path);
        match &self.kind {
            StoreErrorKind::Missing => {
                "if this is a new host, run `twinlock store init`; otherwise check that the file system of the store is \
                 mounted, and `directory` in [store]"
                    .into()
            }
            StoreErrorKind::SymbolicLink => "use the real path: Twinlock follows no symbolic links".into(),
            StoreErrorKind::NotAFile | StoreErrorKind::NotAFolder | StoreErrorKind::NotASocket => {
                format!("move {path} away")
            }
            StoreErrorKind::Owner(_) => format!("if you trust its content, run `chown root:root {path}`"),
            StoreErrorKind::Mode { mode, forbidden: 0o022 } if mode & 0o1000 != 0 => {
                "use a folder in which only root can create files".into()
            }
            StoreErrorKind::Mode { forbidden: 0o022, .. } => {
                format!("if you trust its content, run `chmod go-w {path}`")
            }
            StoreErrorKind::Mode { .. } => {
                format!("if nobody else can have read or changed it, run `chmod go-rwx {path}`")
            }
            StoreErrorKind::TooLarge(_) => format!("restore {path} from a backup"),
            StoreErrorKind::Path => "give an absolute path without `..`".into(),
            StoreErrorKind::Read(error) | StoreErrorKind::Write(error) if error.raw_os_error() == Some(EACCES) => {
                SECURITY_MODULE_HINT.into()
            }
            StoreErrorKind::Read(_) | StoreErrorKind::Write(_) => {
                "check whether the file system is read-only, full or failing (findmnt, df, dmesg)".into()
            }
            StoreErrorKind::Busy(_) => {
                format!("another login or command of this user has the lock; `fuser {path}` prints its process id")
            }
            StoreErrorKind::FileSizeLimit => {
                "raise the file size limit of the service (RLIMIT_FSIZE, LimitFSIZE=, limits.conf)".into()
            }
            StoreErrorKind::Torn => format!(
                "run `twinlock repair {user}`: it makes a new state file, in which all recovery codes count as used"
            ),
            StoreErrorKind::NewerVersion => {
                "install that version of Twinlock again; `twinlock --version` prints the version of this one".into()
            }
            StoreErrorKind::Record(_) => {
                format!("run `twinlock enroll --replace {user}`, which makes a new secret and a new state file")
            }
            StoreErrorKind::OtherUid { .. } => format!(
                "if this is still the same person, run `twinlock adopt {user}`; otherwise `twinlock enroll --replace {user}`"
            ),
            StoreErrorKind::OtherUser => {
                format!("restore {path} from a backup, or run `twinlock enroll --replace {user}`")
            }
            StoreErrorKind::OtherName { stored, account } => format!(
                "if {stored} was renamed to {account}, run `twinlock adopt {stored} {account}`; if {stored} was another \
                 person, run `twinlock remove {stored}`"
            ),
            StoreErrorKind::Index => format!("remove {path}, then run `twinlock repair --layout`, which writes it again"),
            StoreErrorKind::Credentials(_) => {
                format!("correct or restore the file, or run `twinlock enroll --replace {user}`")
            }
            StoreErrorKind::Name => "an account with a name of this length cannot have a second factor".into(),
            StoreErrorKind::StateWithoutCredentials { user, .. } => format!(
                "restore the file, for example from a backup, or run `twinlock enroll {user}`; if {user} is to have no \
                 second factor, run `twinlock remove {user}`"
            ),
            StoreErrorKind::Identity(error) => error.hint(&self.path),
            StoreErrorKind::Sealed(error) => error.hint(&user),
        }
    }
}

impl Display for StoreError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            StoreErrorKind::Missing => write!(out, "cannot open {path}: it does not exist"),
            StoreErrorKind::SymbolicLink => write!(out, "cannot open {path}: it is a symbolic link"),
            StoreErrorKind::NotAFile => write!(out, "cannot open {path}: it is not a regular file"),
            StoreErrorKind::NotAFolder => write!(out, "cannot open {path}: it is not a folder"),
            StoreErrorKind::NotASocket => write!(out, "cannot use {path}: it is not a socket"),
            StoreErrorKind::Owner(uid) => write!(out, "cannot trust {path}: it belongs to uid {uid}, not to root"),
            StoreErrorKind::Mode { mode, forbidden: 0o022 } => {
                write!(out, "cannot trust {path}: its mode is {mode:04o}, so users other than root can write to it")
            }
            StoreErrorKind::Mode { mode, .. } => {
                write!(out, "cannot trust {path}: its mode is {mode:04o}, so users other than root have access to it")
            }
            StoreErrorKind::TooLarge(limit) => write!(out, "cannot read {path}: it is larger than {limit} bytes"),
            StoreErrorKind::Path => write!(out, "cannot use the path {path}: it is not absolute or contains `..`"),
            StoreErrorKind::Read(error) => write!(out, "cannot read {path}: {error}"),
            StoreErrorKind::Write(error) => write!(out, "cannot write {path}: {error}"),
            StoreErrorKind::Busy(span) => {
                write!(out, "cannot lock {path}: others held the lock for {} seconds", span.as_secs())
            }
            StoreErrorKind::FileSizeLimit => {
                write!(out, "cannot write {path}: the process may not write files of that size")
            }
            StoreErrorKind::Torn => write!(out, "cannot use {path}: it is damaged"),
            StoreErrorKind::NewerVersion => write!(out, "cannot use {path}: a newer version of Twinlock wrote it"),
            StoreErrorKind::Record(_) => write!(out, "cannot write {path}: the record is too large"),
            StoreErrorKind::OtherUid { stored, account } => {
                write!(out, "cannot use {path}: it was made for uid {stored}, but the account has uid {account}")
            }
            StoreErrorKind::OtherUser => {
                write!(out, "cannot use {path}: it belongs to another user, as its content says")
            }
            StoreErrorKind::OtherName { stored, account } => write!(
                out,
                "{account} is not enrolled, but {stored} is, who had the same uid and is no longer an account ({path})"
            ),
            StoreErrorKind::Index => write!(out, "cannot use {path}: one of its lines is not a user name"),
            StoreErrorKind::Credentials(error) => write!(out, "cannot use {path}: {error}"),
            StoreErrorKind::Name => write!(out, "cannot use {path}: the user name is too long to be a file name"),
            StoreErrorKind::StateWithoutCredentials { user, state } => {
                write!(out, "{path} is missing, but {} shows that {user} is enrolled", state.display())
            }
            StoreErrorKind::Identity(error) => error.describe(&self.path, out),
            StoreErrorKind::Sealed(error) => error.describe(&self.path, out),
        }
    }
}

impl SealErrorKind {
    /// What an administrator can do about it.
    fn hint(&self, user: &str) -> String {
        match self {
            Self::NoKey(_) | Self::WrongKey(_) => {
                "run `twinlock seal status`, which says why the key is not there; if the TPM \
                 or the board was replaced, run `twinlock seal recover` with the recovery phrase"
                    .into()
            }
            Self::NotOpened(_) => {
                format!("restore the file from a backup, or run `twinlock enroll --replace {user}`")
            }
            Self::InClear(user) => {
                format!("if you put it there, run `twinlock seal import {user}`; otherwise remove the file")
            }
            Self::NotInForce(user) => format!(
                "if this host's credentials are sealed, restore store-id next to the configuration; otherwise run \
                 `twinlock enroll --replace {user}`"
            ),
        }
    }

    fn describe(&self, path: &Path, out: &mut Formatter<'_>) -> fmt::Result {
        let path = path.display();
        match self {
            Self::NoKey(key) => write!(out, "cannot open sealed credentials: the key {key} is not in {path}"),
            Self::WrongKey(key) => write!(out, "cannot open sealed credentials: {path} is not the key {key}"),
            Self::NotOpened(error) => write!(out, "cannot open {path}: {error}"),
            Self::InClear(_) => {
                write!(out, "cannot use {path}: it is in clear, and this host's credentials are sealed")
            }
            Self::NotInForce(_) => {
                write!(out, "cannot use {path}: it is sealed, and this host's credentials are not")
            }
        }
    }
}

impl IdentityErrorKind {
    /// What an administrator can do about it; `inside` is the path of the id in the store.
    fn hint(&self, inside: &Path) -> String {
        let store = inside.parent().unwrap_or(inside).display();
        match self {
            Self::NoIds { .. } => format!(
                "if {store} is the right store, and its file system is mounted (`findmnt -T {store}`), run `twinlock store init`"
            ),
            Self::NotInStore { .. } => format!(
                "check that the file system of the store is mounted (`findmnt -T {store}`, /etc/fstab); if {store} is the \
                 right store, run `twinlock store init --accept`"
            ),
            Self::NotBesideConfig { beside } => format!(
                "restore {}; or, if {store} is the right store, run `twinlock store init --accept`",
                beside.display()
            ),
            Self::Different { beside } => format!(
                "check that the right file system is mounted (`findmnt -T {store}`); if {store} is the right store, run \
                 `rm {} && twinlock store init --accept`",
                beside.display()
            ),
            Self::Malformed => {
                format!("restore {0}; or remove it, and run `twinlock store init --accept`", inside.display())
            }
            Self::SealedWithoutId { beside } => format!(
                "restore {} or {} from a backup, then run `twinlock store init --accept`",
                inside.display(),
                beside.display()
            ),
            Self::NotMounted { mount } => format!(
                "run `mount {}`, then this command again; or, if the store is not to be on that file system, \
                 `twinlock store init --accept`",
                mount.display()
            ),
        }
    }

    fn describe(&self, inside: &Path, out: &mut Formatter<'_>) -> fmt::Result {
        let (store, inside) = (inside.parent().unwrap_or(inside).display(), inside.display());
        match self {
            Self::NoIds { beside } => write!(
                out,
                "{store} is not known as the store of this host: {inside} and {} are missing",
                beside.display()
            ),
            Self::NotInStore { beside } => write!(
                out,
                "{store} is not the store of this host: {inside} is missing, but {} exists",
                beside.display()
            ),
            Self::NotBesideConfig { beside } => write!(
                out,
                "{store} is not known as the store of this host: {} is missing, but {inside} exists",
                beside.display()
            ),
            Self::Different { beside } => {
                write!(out, "{store} is not the store of this host: {inside} and {} differ", beside.display())
            }
            Self::Malformed => write!(out, "cannot use {inside}: it is not 32 hexadecimal digits and a newline"),
            Self::SealedWithoutId { beside } => write!(
                out,
                "{store} has sealed credentials, but {inside} and {} are missing, without which they cannot be opened",
                beside.display()
            ),
            Self::NotMounted { mount } => write!(
                out,
                "cannot make a store in {store}: nothing is mounted at {}, although this host is configured to mount a file \
                 system there",
                mount.display()
            ),
        }
    }
}

// The configuration file.

impl ConfigFileError {
    /// What an administrator can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) if matches!(error.kind, StoreErrorKind::Missing) => {
                "restore it from a backup or the package, or name another file with --config".into()
            }
            Self::File(error) => error.hint(),
            Self::Content { path, .. } => {
                format!(
                    "correct the line (see twinlock.toml(5)), then run `twinlock --config {} check`",
                    path.display()
                )
            }
        }
    }
}

impl Display for ConfigFileError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(out),
            Self::Content { path, bad } => write!(out, "{}:{bad}", path.display()),
        }
    }
}

impl Display for ConfigError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// An error in a file that not every account can read: nothing of its text is repeated.
pub(crate) fn without_quotes(kind: ParseErrorKind) -> String {
    format!("{kind} (the line is not shown, because not every account can read this file)")
}

/// A number, word or text that a setting does not have.
pub(crate) fn not_one_of(word: &str, known: &[&str]) -> String {
    format!("`{word}` is not one of `{}`", known.join("`, `"))
}

pub(crate) fn not_in_range(number: i64, least: u32, most: u32) -> String {
    format!("{number} is not from {least} to {most}")
}

pub(crate) fn not_a_span(text: &str, least: &str, most: &str) -> String {
    format!("`{text}` is not a time span from {least} to {most}, such as \"2s\"")
}

/// What a prompt must be.
pub(crate) const PROMPT_RULE: &str = "a prompt has 1 to 200 characters, and no control characters";

/// What an issuer must be.
pub(crate) const ISSUER_RULE: &str = "an issuer has up to 64 characters, no colon and no control characters";

/// What the prompt of the configuration must be.
pub(crate) const OWN_PROMPT_RULE: &str = "a prompt has up to 200 characters, and no control characters";

/// What a help text must be.
pub(crate) const HELP_RULE: &str = "the text has up to 500 characters, and no control characters";

/// What a path must be.
pub(crate) const PATH_RULE: &str = "it must be an absolute path without `..`";

/// A key is in the wrong table; `place` is where it belongs.
pub(crate) fn misplaced_key(key: &str, place: &str) -> String {
    format!("unknown key here: `{key}` belongs {place}")
}

/// Where a key belongs that is in no table; with the first header of the file.
pub(crate) fn above_all_tables(first: Option<(usize, &str)>) -> String {
    first.map_or_else(|| "outside of all tables".to_owned(), |(line, header)| format!("above `{header}` (line {line})"))
}

/// Where a key of a rule belongs.
pub(crate) const IN_A_RULE: &str = "in a `[[rule]]`";

/// Where a key of a table belongs; with the line of the table's header, if the file has it.
pub(crate) fn in_table(table: &str, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("in `{table}` (line {line})"),
        None => format!("in `{table}`, which this file does not have yet"),
    }
}

// TOML.

impl Display for ParseErrorKind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Encoding => "not UTF-8",
            Self::Syntax => "not TOML",
            Self::UnknownKey => "unknown key",
            Self::MissingKey => "a key is missing",
            Self::Value => "this value is of the wrong type or out of range",
        })
    }
}

pub(crate) fn missing_key(key: &str) -> String {
    format!("the key `{key}` is missing")
}

pub(crate) fn unknown_key(key: &str, known: &[&str]) -> String {
    format!("unknown key `{key}`; known keys: `{}`", known.join("`, `"))
}

/// A value of another type.
pub(crate) fn wrong_type(wanted: &str, value: &DeValue<'_>) -> String {
    format!("this must be {wanted}, but is a TOML {}", value.type_str())
}

pub(crate) fn array_of_tables(key: &str) -> String {
    format!("an array of tables, `[[{key}]]`")
}

pub(crate) fn number_out_of_range(number: &str) -> String {
    format!("{number} is out of range")
}

pub(crate) fn no_such_day(date: &impl Display) -> String {
    format!("{date} is not a day of the calendar since 1970")
}

pub(crate) const TIME_RULE: &str = "this must be a time in UTC, such as 2026-11-24T04:00:00Z";

pub(crate) fn not_hexadecimal(bytes: usize) -> String {
    format!("this must be {bytes} bytes in hexadecimal")
}

// Credentials.

impl Display for CredentialsError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, column } => write!(
                out,
                "line {line}, column {column}: this is not TOML, or a key is unknown or missing, or a value is not valid"
            ),
            Self::Authenticators => write!(
                out,
                "there must be 1 to {} authenticators, each with another id",
                Enrolment::MOST_AUTHENTICATORS
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_denial_to_root_is_blamed_on_a_security_module_and_not_on_the_disk() {
        let hint = |errno| {
            let kind = StoreErrorKind::Read(io::Error::from_raw_os_error(errno));
            StoreError { path: "/var/lib/twinlock/state/alice".into(), kind }.hint()
        };
        assert_eq!(hint(EACCES), SECURITY_MODULE_HINT);
        assert!(hint(nix::libc::EROFS).starts_with("check whether the file system"));
        assert!(hint(nix::libc::EPERM).starts_with("check whether the file system"));
    }

    #[test]
    fn a_hint_names_the_user_whose_file_it_is() {
        let hint = |path: &str| StoreError { path: path.into(), kind: StoreErrorKind::Torn }.hint();
        for (path, user) in [
            ("/var/lib/twinlock/state/alice", "alice"),
            ("/var/lib/twinlock/credentials/alice.toml", "alice"),
            ("/var/lib/twinlock/state/mail.toml", "mail.toml"),
            ("/var/lib/twinlock/state/%2Eann", ".ann"),
        ] {
            assert!(hint(path).starts_with(&format!("run `twinlock repair {user}`")), "{}", hint(path));
        }
    }
}
