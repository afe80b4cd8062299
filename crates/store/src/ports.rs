//! What a login, an enrolment and administration need of a store, as short traits, and how a store fails. [`crate::files`] keeps
//! files on one host.

use std::{io, path::PathBuf, time::Duration};

use twinlock_core::{
    account::{Subject, UserName},
    audit::Reason,
    credentials::Enrolment,
    decide::{Committed, FailureOnRecord, Judged},
    record::Record,
    sealed::{KeyId, SealedError},
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
    /// The secrets of the user are sealed and cannot be opened, or not in the form that is in force.
    Sealed(SealErrorKind),
}

/// Why sealed secrets are not used.
#[derive(Debug)]
pub enum SealErrorKind {
    /// The key that opens them is not there. The path is where it would be.
    NoKey(KeyId),
    /// The file does not hold the key of this name.
    WrongKey(KeyId),
    /// They do not open.
    NotOpened(SealedError),
    /// They are in clear, on a host where all are sealed.
    InClear(UserName),
    /// They are sealed, on a host where none are.
    NotInForce(UserName),
}

impl StoreError {
    /// The reason that the log gives for it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        if matches!(self.kind, StoreErrorKind::Sealed(_)) { Reason::Sealed } else { Reason::Store }
    }
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
    /// Neither has an id, and the store has sealed credentials, which open in the store of their id alone.
    SealedWithoutId {
        /// Where the host's would be.
        beside: PathBuf,
    },
    /// The host's configuration mounts a file system there, and it is not mounted.
    NotMounted {
        /// The mount point.
        mount: PathBuf,
    },
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
            | StoreErrorKind::Identity(_)
            | StoreErrorKind::Sealed(
                SealErrorKind::NoKey(_)
                | SealErrorKind::WrongKey(_)
                | SealErrorKind::InClear(_)
                | SealErrorKind::NotInForce(_),
            ) => None,
            StoreErrorKind::Sealed(SealErrorKind::NotOpened(error)) => Some(error),
        }
    }
}
