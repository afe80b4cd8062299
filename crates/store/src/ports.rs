//! What a login, an enrolment and administration need of a store, as short traits, and how a store fails. [`crate::files`] keeps
//! files on one host.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::libc::EACCES;
use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    decide::{Committed, FailureOnRecord, Judged},
    record::Record,
};

use crate::{format::CredentialsError, slot};

/// Reads what users hold. All that a login may do with credentials.
pub trait ReadCredentials {
    /// The enrolment of `subject`, or `None` if a sound store, which is surely the one of this host, has neither that nor
    /// a record of the user.
    ///
    /// # Errors
    /// [`StoreError`]; also if the store itself is missing, if it may be another one, or if there is a record without
    /// credentials: that is not the same as not being enrolled.
    fn read(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError>;

    /// Makes sure that the enrolment of `subject`, as it is read, is on the disk: the process that stored it may have died before
    /// its sync. What was noted of an older one may be forgotten only then, or that one could come back with nothing used.
    ///
    /// # Errors
    /// [`StoreError`].
    fn ensure_durable(&self, subject: &Subject) -> Result<(), StoreError>;
}

/// What a user's files say, read without the lock. No `Debug`: it holds secrets.
pub struct Snapshot {
    /// `None` if the user is surely not enrolled.
    pub enrolment: Option<Enrolment>,
    /// `None` if there is none, or none that can be read: what is the matter with it is found under the lock.
    pub state: Option<Record>,
}

/// Changes what users hold: enrolment and administration.
pub trait WriteCredentials: ReadCredentials {
    /// As [`ReadCredentials::read`], but a record without credentials is no sign of an enrolment that was lost: for
    /// enrolment, which makes the record first, under the lock on the state of `subject`; and for root, who may enrol anew.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read_ignoring_state(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.read(subject)
    }

    /// The enrolment of `subject`, whatever uid it was made for, and whether or not there is a record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError>;

    /// Stores `enrolment` whole or not at all. The caller holds the lock on the state of `subject`.
    ///
    /// # Errors
    /// [`StoreError`]; what was there before is then still there, unless all that failed was to make the new durable.
    fn replace(&self, subject: &Subject, enrolment: &Enrolment) -> Result<(), StoreError>;

    /// Removes the enrolment; false if there was none. The caller holds the lock on the state of `subject`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(&self, subject: &Subject) -> Result<bool, StoreError>;
}

/// What recovery codes are hashed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// An answer of a login. It may have either permit of the host.
    Login,
    /// New and imported codes. These share one permit, so that they never keep a login from the other.
    NewCodes,
}

impl Hashing {
    /// How long a permit is waited for: a login may not hold up sshd; a user who makes new codes can wait.
    #[must_use]
    pub const fn patience(self) -> Duration {
        match self {
            Self::Login => Duration::from_secs(3),
            Self::NewCodes => Duration::from_mins(2),
        }
    }
}

/// Keeps what logins change.
pub trait StateStore {
    /// See [`LockedState`].
    type Locked: LockedState;
    /// Held while recovery codes are hashed. A host has two permits, because a hash takes 19 MiB and a processor.
    type HashPermit;

    /// Locks the record of `subject`, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreErrorKind::Busy`] if others kept the lock for 3 seconds.
    fn open(&self, subject: &Subject) -> Result<Option<Self::Locked>, StoreError>;

    /// The same, but makes the record of a user who has credentials and no record yet: credentials may be deployed by other
    /// means. `permit` is one that the caller holds: its store is the one to look in.
    ///
    /// # Errors
    /// [`StoreError`].
    fn open_enrolled(
        &self,
        subject: &Subject,
        permit: Option<&Self::HashPermit>,
    ) -> Result<Option<Self::Locked>, StoreError> {
        let _ = permit;
        self.open(subject)
    }

    /// The same, but makes the record if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn open_or_create(&self, subject: &Subject) -> Result<Self::Locked, StoreError>;

    /// Locks the record of `subject`, whatever uid it carries, and gives it the account's uid. For administrators.
    ///
    /// # Errors
    /// [`StoreError`].
    fn adopt(&self, subject: &Subject) -> Result<Option<Self::Locked>, StoreError>;

    /// Puts `record` in the place of one that cannot be read or is another uid's. For administrators.
    ///
    /// # Errors
    /// [`StoreError`].
    fn reset(&self, subject: &Subject, record: &Record) -> Result<Self::Locked, StoreError>;

    /// Waits for a permit to hash.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreErrorKind::Busy`] after the time of [`Hashing::patience`].
    fn hash_permit(&self, hashing: Hashing) -> Result<Self::HashPermit, StoreError>;
}

/// A user's state record, held under an exclusive lock. Dropped, it is unlocked and unchanged.
pub trait LockedState: Sized {
    /// See [`PendingFailure`].
    type Pending: PendingFailure;

    /// The record as it stands.
    fn record(&self) -> &Record;

    /// The enrolment of `subject`, whose state this is, in the very store in which the lock was found.
    ///
    /// # Errors
    /// As for [`ReadCredentials::read`].
    fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError>;

    /// Writes the failed attempt before it is looked at, so that it survives the death of this process.
    ///
    /// # Errors
    /// [`StoreError`]; nothing may be verified then.
    fn record_failure(self, failed: Record) -> Result<Self::Pending, StoreError>;

    /// Replaces the record durably, without an attempt: administration.
    ///
    /// # Errors
    /// [`StoreError`].
    fn change(&mut self, next: &Record) -> Result<(), StoreError>;

    /// Removes the record with its lock.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(self) -> Result<(), StoreError>;
}

/// A failure on record before the answer is judged, still locked. Dropped, it remains.
pub trait PendingFailure: FailureOnRecord {
    /// Replaces the pending failure by the attempt's end and makes it durable; the verdict is then in what this returns.
    ///
    /// # Errors
    /// [`StoreError`]; the attempt is then refused whatever the verdict was.
    fn commit(self, judged: Judged) -> Result<Committed, StoreError>;
}

/// Something of the store that cannot be used: which file, and why.
#[derive(Debug)]
pub struct StoreError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is the matter with it.
    pub kind: StoreErrorKind,
}

/// Why a file is not used.
#[derive(Debug)]
pub enum StoreErrorKind {
    /// It is not there.
    Missing,
    /// It, or a part of its path, is a symbolic link.
    SymbolicLink,
    /// It is no regular file.
    NotAFile,
    /// It is no folder.
    NotAFolder,
    /// It is no socket.
    NotASocket,
    /// It belongs to this uid instead of to root.
    Owner(u32),
    /// Its permission bits let others do what they may not.
    Mode {
        /// What they are.
        mode: u32,
        /// Which of them must not be.
        forbidden: u32,
    },
    /// It has more than this many bytes.
    TooLarge(u64),
    /// The path is not absolute or has `..` in it.
    Path,
    /// It could not be read.
    Read(io::Error),
    /// It could not be written.
    Write(io::Error),
    /// Others kept its lock.
    Busy(Duration),
    /// The host process may not write files this large (`RLIMIT_FSIZE`).
    FileSizeLimit,
    /// Neither half of the state is valid.
    Torn,
    /// Another version of this program wrote the state.
    NewerVersion,
    /// A record does not fit its slot.
    Record(slot::TooLarge),
    /// It was made for another uid.
    OtherUid {
        /// The uid in the file.
        stored: u32,
        /// The uid of the account.
        account: u32,
    },
    /// It names another user.
    OtherUser,
    /// The account has no credentials, and these are of its uid, under a name that no account has any more.
    OtherName {
        /// The name in the file.
        stored: UserName,
        /// The name of the account.
        account: UserName,
    },
    /// The index of users by uid is not one.
    Index,
    /// The credentials in it are refused.
    Credentials(CredentialsError),
    /// A file name made of the user's name would be too long.
    Name,
    /// There is a state record of a user whose credentials are missing: the user was enrolled.
    StateWithoutCredentials {
        /// The user of the record.
        user: UserName,
        state: PathBuf,
    },
    /// It is not known that the store is the one of this host.
    Identity(IdentityErrorKind),
}

/// Why it is not known that a store is the one of this host. The path of the error is that of the id in the store.
#[derive(Debug)]
pub enum IdentityErrorKind {
    /// Neither the store nor the host has an id.
    NoIds {
        /// Where the host's would be.
        beside: PathBuf,
    },
    /// The host has an id and the store has none.
    NotInStore {
        /// The host's id.
        beside: PathBuf,
    },
    /// The store has an id and the host has none.
    NotBesideConfig {
        /// Where the host's would be.
        beside: PathBuf,
    },
    /// The ids differ.
    Different {
        /// The host's id.
        beside: PathBuf,
    },
    /// The file is not an id.
    Malformed,
    /// The host's configuration mounts a file system there, and it is not mounted.
    NotMounted {
        /// The mount point.
        mount: PathBuf,
    },
}

/// What to do when root is denied a file.
pub const SECURITY_MODULE_HINT: &str = "only a security module such as SELinux denies root this: look at the labels with \
     `ls -Z`, set them with `restorecon -Rv /var/lib/twinlock`, and list the denials with \
     `ausearch --input-logs -m avc -c sshd-session` (-c sshd before OpenSSH 9.8)";

impl StoreError {
    /// What an administrator can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            StoreErrorKind::Missing => format!(
                "is a file system not mounted, or [store] directory wrong? On a new host `twinlock store init` makes the store ({path})"
            ),
            StoreErrorKind::SymbolicLink => "name the real path: no symbolic link is followed, anywhere on it".into(),
            StoreErrorKind::NotAFile | StoreErrorKind::NotAFolder | StoreErrorKind::NotASocket => {
                format!("move it away: {path}")
            }
            StoreErrorKind::Owner(_) => format!("if its content can be trusted: chown root:root {path}"),
            StoreErrorKind::Mode { forbidden: 0o022, .. } => {
                format!("if its content can be trusted: chmod go-w {path}")
            }
            StoreErrorKind::Mode { .. } => format!("if its content can be trusted: chmod go-rwx {path}"),
            StoreErrorKind::TooLarge(_) => "it cannot be what it should be; restore it from a backup".into(),
            StoreErrorKind::Path => "give an absolute path without `..`".into(),
            StoreErrorKind::Read(error) | StoreErrorKind::Write(error) if error.raw_os_error() == Some(EACCES) => {
                SECURITY_MODULE_HINT.into()
            }
            StoreErrorKind::Read(_) | StoreErrorKind::Write(_) => {
                "look at the file system: read-only, full, failing? (dmesg, mount, df)".into()
            }
            StoreErrorKind::Busy(_) => "another login or command of this user holds it; `fuser` tells which".into(),
            StoreErrorKind::FileSizeLimit => {
                "raise the file size limit of the service (RLIMIT_FSIZE, LimitFSIZE=, limits.conf)".into()
            }
            StoreErrorKind::Torn => {
                "`twinlock repair USER` makes a new record, in which everything counts as used".into()
            }
            StoreErrorKind::NewerVersion => {
                "install that version of Twinlock again; `twinlock --version` tells this one's".into()
            }
            StoreErrorKind::Record(_) => "`twinlock enroll --replace USER` starts over with a new secret".into(),
            StoreErrorKind::OtherUid { .. } => {
                "the same person? `twinlock adopt USER`; an account made anew? `twinlock enroll --replace USER`".into()
            }
            StoreErrorKind::OtherUser => {
                "was the account made anew? `twinlock enroll --replace USER` gives it a second factor of its own".into()
            }
            StoreErrorKind::OtherName { stored, account } => format!(
                "was {stored} renamed to {account}? `twinlock adopt {stored} {account}`; is {stored} another person, who has \
                 left? `twinlock remove {stored}`"
            ),
            StoreErrorKind::Index => "remove the file, and run `twinlock repair --layout`, which makes it anew".into(),
            StoreErrorKind::Credentials(_) => "fix the file, or `twinlock enroll --replace USER`".into(),
            StoreErrorKind::Name => "the account's name is too long for a file name".into(),
            StoreErrorKind::StateWithoutCredentials { user, .. } => format!(
                "restore the file, for example from a backup, or enrol the user again: twinlock enroll {user}; \
                 if {user} is to have no second factor: twinlock remove {user}"
            ),
            StoreErrorKind::Identity(fault) => fault.hint(&self.path),
        }
    }
}

impl IdentityErrorKind {
    /// What an administrator can do about it; `inside` is the path of the id in the store.
    fn hint(&self, inside: &Path) -> String {
        let store = inside.parent().unwrap_or(inside).display();
        match self {
            Self::NoIds { .. } => {
                format!(
                    "if {store} is the right store, and its file system is mounted (findmnt -T {store}): twinlock store init"
                )
            }
            Self::NotInStore { .. } => format!(
                "is the file system of the store not mounted (findmnt -T {store}, /etc/fstab)? \
                 If {store} is the right store: twinlock store init --accept"
            ),
            Self::NotBesideConfig { beside } => format!(
                "was {} restored or made anew without it? If {store} is the right store: twinlock store init --accept",
                beside.parent().unwrap_or(beside).display()
            ),
            Self::Different { beside } => format!(
                "is the right file system mounted (findmnt -T {store})? If {store} is the right store: \
                 rm {} && twinlock store init --accept",
                beside.display()
            ),
            Self::Malformed => "restore it; or remove it, and run `twinlock store init --accept`".into(),
            Self::NotMounted { mount } => format!(
                "mount it (mount {}), and run this again; if the store is not to be on it: twinlock store init --accept",
                mount.display()
            ),
        }
    }

    fn describe(&self, inside: &Path, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (store, inside) = (inside.parent().unwrap_or(inside).display(), inside.display());
        match self {
            Self::NoIds { beside } => write!(
                out,
                "it is not known that {store} is the store of this host: {inside} and {} are missing",
                beside.display()
            ),
            Self::NotInStore { beside } => write!(
                out,
                "{store} is not the store of this host: {inside} is missing, and {} is there",
                beside.display()
            ),
            Self::NotBesideConfig { beside } => write!(
                out,
                "it is not known that {store} is the store of this host: {} is missing, and {inside} is there",
                beside.display()
            ),
            Self::Different { beside } => {
                write!(out, "{store} is not the store of this host: {inside} and {} differ", beside.display())
            }
            Self::Malformed => write!(out, "cannot use {inside}: it is not 32 hexadecimal digits and a newline"),
            Self::NotMounted { mount } => {
                write!(
                    out,
                    "cannot make a store in {store}: nothing is mounted at {}, where the host is configured to mount a file system",
                    mount.display()
                )
            }
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            StoreErrorKind::Missing => write!(out, "cannot open {path}: it does not exist"),
            StoreErrorKind::SymbolicLink => write!(out, "cannot open {path}: it is a symbolic link"),
            StoreErrorKind::NotAFile => write!(out, "cannot open {path}: it is not a regular file"),
            StoreErrorKind::NotAFolder => write!(out, "cannot open {path}: it is not a folder"),
            StoreErrorKind::NotASocket => write!(out, "cannot use {path}: it is not a socket"),
            StoreErrorKind::Owner(uid) => write!(out, "cannot trust {path}: it belongs to uid {uid}, not to root"),
            StoreErrorKind::Mode { mode, forbidden: 0o022 } => {
                write!(out, "cannot trust {path}: its mode is {mode:04o}, group or others can write it")
            }
            StoreErrorKind::Mode { mode, .. } => {
                write!(out, "cannot trust {path}: its mode is {mode:04o}, it is not root's alone")
            }
            StoreErrorKind::TooLarge(limit) => {
                write!(out, "cannot read {path}: it is larger than {limit} bytes")
            }
            StoreErrorKind::Path => write!(out, "cannot use the path {path}: it is not absolute or contains `..`"),
            StoreErrorKind::Read(error) => write!(out, "cannot read {path}: {error}"),
            StoreErrorKind::Write(error) => write!(out, "cannot write {path}: {error}"),
            StoreErrorKind::Busy(span) => {
                write!(out, "cannot lock {path}: others held it for {} seconds", span.as_secs())
            }
            StoreErrorKind::FileSizeLimit => {
                write!(out, "cannot write {path}: the process may not write files of that size")
            }
            StoreErrorKind::Torn => write!(out, "cannot use {path}: neither half of it is valid"),
            StoreErrorKind::NewerVersion => write!(out, "cannot use {path}: a newer version of Twinlock wrote it"),
            StoreErrorKind::Record(_) => write!(out, "cannot write {path}: the record does not fit"),
            StoreErrorKind::OtherUid { stored, account } => {
                write!(out, "cannot use {path}: it was made for uid {stored}, the account has {account}")
            }
            StoreErrorKind::OtherUser => write!(out, "cannot use {path}: it names another user"),
            StoreErrorKind::OtherName { stored, account } => write!(
                out,
                "{account} has no credentials, and {path} has those of {stored}, who had the same uid and is no account any more"
            ),
            StoreErrorKind::Index => write!(out, "cannot use {path}: a line of it is not the name of a user"),
            StoreErrorKind::Credentials(error) => write!(out, "cannot use {path}: {error}"),
            StoreErrorKind::Name => write!(out, "cannot make a file name: {path}"),
            StoreErrorKind::StateWithoutCredentials { user, state } => {
                write!(out, "{user} was enrolled ({}), and {path} is missing", state.display())
            }
            StoreErrorKind::Identity(fault) => fault.describe(&self.path, out),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            StoreErrorKind::Read(error) | StoreErrorKind::Write(error) => Some(error),
            StoreErrorKind::Credentials(error) => Some(error),
            StoreErrorKind::Missing
            | StoreErrorKind::SymbolicLink
            | StoreErrorKind::NotAFile
            | StoreErrorKind::NotAFolder
            | StoreErrorKind::NotASocket
            | StoreErrorKind::Owner(_)
            | StoreErrorKind::Mode { .. }
            | StoreErrorKind::TooLarge(_)
            | StoreErrorKind::Path
            | StoreErrorKind::Busy(_)
            | StoreErrorKind::FileSizeLimit
            | StoreErrorKind::Torn
            | StoreErrorKind::NewerVersion
            | StoreErrorKind::Record(_)
            | StoreErrorKind::OtherUid { .. }
            | StoreErrorKind::OtherUser
            | StoreErrorKind::OtherName { .. }
            | StoreErrorKind::Index
            | StoreErrorKind::Name
            | StoreErrorKind::StateWithoutCredentials { .. }
            | StoreErrorKind::Identity(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_to_root_is_blamed_on_a_security_module_and_on_no_disk() {
        let hint = |errno| {
            let fault = StoreErrorKind::Read(io::Error::from_raw_os_error(errno));
            StoreError { path: "/var/lib/twinlock/state/alice".into(), kind: fault }.hint()
        };
        assert_eq!(hint(EACCES), SECURITY_MODULE_HINT);
        assert!(hint(nix::libc::EROFS).starts_with("look at the file system"));
        assert!(hint(nix::libc::EPERM).starts_with("look at the file system"));
    }
}
