//! `/var/lib/twinlock/ssh`, root's alone: how the configuration was before, how it is after, and how far a change is.
//!
//! The phase is the *name* of the one record file, so a phase ends by one rename, which needs no room on the disk. The
//! contents lie beside it as plain files, for an administrator who has to put them back by hand.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use twinlock_core::time::UnixTime;
use twinlock_store::files::check_folder;

use super::{
    EnableMode,
    change::SshdChange,
    place::{self, Attributes, Version},
};
use crate::{
    HostError,
    messages::{self, cannot},
    programs::clock_time,
};

/// Where it is.
pub(super) const FOLDER: &str = "/var/lib/twinlock/ssh";

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangePhase {
    /// The new configuration is being put in place. Nobody was told that it is: whatever is found so is undone.
    Changing,
    /// It is in place, on trial.
    Trying,
    /// It is in place, to stay.
    Kept,
    /// The old configuration is being put back.
    Restoring,
}

impl ChangePhase {
    const ALL: [Self; 4] = [Self::Restoring, Self::Changing, Self::Trying, Self::Kept];

    const fn name(self) -> &'static str {
        match self {
            Self::Changing => "changing",
            Self::Trying => "trying",
            Self::Kept => "kept",
            Self::Restoring => "restoring",
        }
    }
}

/// What is known about a change beside the contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChangeRecord {
    /// Told apart by this from one before and one after it.
    pub(super) id: String,
    pub(super) mode: EnableMode,
    /// The end of the trial; none if it is to stay at once.
    pub(super) until: Option<u64>,
    /// The boot in which it began: a trial does not outlive it.
    pub(super) boot: String,
    /// `None` if there was no such file.
    pub(super) pam_before: Option<Attributes>,
    pub(super) pam_after: Attributes,
    pub(super) drop_in_before: Option<Attributes>,
    pub(super) drop_in_after: Attributes,
}

impl ChangeRecord {
    /// Whether the trial is over.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        self.boot != boot() || self.until.is_some_and(|until| now >= UnixTime::from_seconds(until))
    }

    /// The time of day at which the trial ends.
    pub(super) fn end_of_trial(&self) -> Option<String> {
        self.until.map(|until| clock_time(UnixTime::from_seconds(until)))
    }
}

/// The number that the kernel gives each boot.
#[allow(clippy::disallowed_methods, reason = "a file of the kernel's")]
pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Where a configuration of sshd is put together to be tried.
pub(super) const CANDIDATE: &str = "candidate";
const RECORD_DRAFT: &str = "record.new";
const PAM_BEFORE: &str = "pam.before";
const PAM_BRIDGE: &str = "pam.bridge";
const PAM_AFTER: &str = "pam.after";
const DROP_IN_BEFORE: &str = "drop_in.before";
const DROP_IN_AFTER: &str = "drop_in.after";
const CONTENTS: [&str; 5] = [PAM_BEFORE, PAM_BRIDGE, PAM_AFTER, DROP_IN_BEFORE, DROP_IN_AFTER];

/// The folder, locked: one change at a time.
pub(super) struct ChangeLog {
    _lock: File,
}

#[allow(clippy::unused_self, reason = "a change log holds the lock")]
impl ChangeLog {
    /// Opens it, if nobody else has.
    pub(super) fn open() -> Result<Self, HostError> {
        let folder = Self::folder()?;
        folder.try_lock().map_err(|_| messages::another_is_running())?;
        Ok(Self { _lock: folder })
    }

    /// Opens it when everybody else is done.
    pub(super) fn wait() -> Result<Self, HostError> {
        let folder = Self::folder()?;
        folder.lock().map_err(|error| cannot("lock", Path::new(FOLDER), &error))?;
        Ok(Self { _lock: folder })
    }

    fn folder() -> Result<File, HostError> {
        let path = Path::new(FOLDER);
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => place::sync_folder(path.parent().unwrap_or(path))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(messages::no_store(cannot("create", path, &error)));
            }
        }
        check_folder(path)?;
        place::open_folder(path).map_err(|error| cannot("open", path, &error))
    }

    /// How far which change is; `None` if Twinlock is not switched on by this command.
    pub(super) fn read(&self) -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
        peek()
    }

    /// All of the change.
    pub(super) fn change(&self, record: &ChangeRecord) -> Result<SshdChange, HostError> {
        let content = |name: &str, attributes: Attributes| -> Result<Version, HostError> {
            let path = path_of(name);
            let found = place::read(&path)?.ok_or_else(|| messages::copy_is_gone(&path))?;
            Ok(Version { attributes, ..found })
        };
        Ok(SshdChange {
            pam_before: record.pam_before.map(|found| content(PAM_BEFORE, found)).transpose()?,
            pam_bridge: content(PAM_BRIDGE, record.pam_after)?,
            pam_after: content(PAM_AFTER, record.pam_after)?,
            drop_in_before: record.drop_in_before.map(|found| content(DROP_IN_BEFORE, found)).transpose()?,
            drop_in_after: content(DROP_IN_AFTER, record.drop_in_after)?,
        })
    }

    /// Writes a change down, to be begun.
    pub(super) fn begin(&self, record: &ChangeRecord, change: &SshdChange) -> Result<(), HostError> {
        self.clear()?;
        for (name, version) in [
            (PAM_BEFORE, change.pam_before.as_ref()),
            (PAM_BRIDGE, Some(&change.pam_bridge)),
            (PAM_AFTER, Some(&change.pam_after)),
            (DROP_IN_BEFORE, change.drop_in_before.as_ref()),
            (DROP_IN_AFTER, Some(&change.drop_in_after)),
        ] {
            if let Some(version) = version {
                write(name, &version.content)?;
            }
        }
        let text = serde_json::to_vec(record).map_err(|error| cannot("write", Path::new(FOLDER), &error))?;
        write(RECORD_DRAFT, &text)?;
        rename(RECORD_DRAFT, ChangePhase::Changing.name())
    }

    /// Goes from one phase to the next.
    pub(super) fn set_phase(&self, from: ChangePhase, to: ChangePhase) -> Result<(), HostError> {
        if from == to { Ok(()) } else { rename(from.name(), to.name()) }
    }

    /// Forgets the change: nothing of it is in place.
    pub(super) fn clear(&self) -> Result<(), HostError> {
        for phase in ChangePhase::ALL {
            place::remove(&path_of(phase.name()))?;
        }
        place::sync_folder(Path::new(FOLDER))?;
        let _ = fs::remove_dir_all(path_of(CANDIDATE));
        [RECORD_DRAFT].iter().chain(&CONTENTS).try_for_each(|name| place::remove(&path_of(name)))
    }
}

/// The same without the lock, for a process that only waits.
pub(super) fn peek() -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
    for phase in ChangePhase::ALL {
        let path = path_of(phase.name());
        if let Some(found) = place::read(&path)? {
            let record = serde_json::from_slice(&found.content)
                .map_err(|error| messages::record_not_understood(&path, &error))?;
            return Ok(Some((phase, record)));
        }
    }
    Ok(None)
}

fn path_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn write(name: &str, content: &[u8]) -> Result<(), HostError> {
    let path = path_of(name);
    let attributes = Attributes { mode: 0o600, ..Attributes::NEW };
    place::create(&path, &Version { content: content.to_vec(), attributes })
        .map_err(|error| cannot("write", &path, &error))
}

fn rename(from: &str, to: &str) -> Result<(), HostError> {
    fs::rename(path_of(from), path_of(to)).map_err(|error| cannot("write", &path_of(to), &error))?;
    place::sync_folder(Path::new(FOLDER))
}
