//! `/var/lib/twinlock/ssh`, `sudo` and `su`, root's alone: how the configuration was before, how it is after, and how far a change is.
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
use serde_json::{Map, Value};
use twinlock_core::time::UnixTime;
use twinlock_store::{files::check_folder, host::boot_id};

use super::{
    change::{ChangedFile, ServiceChange},
    place::{self, Attributes, Version},
    service::{ChangedPath, ChangedService},
};
use crate::{
    HostError,
    messages::{self, cannot},
    programs::clock_time,
    ssh::EnableMode,
};

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
    /// What sshd asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mode: Option<EnableMode>,
    /// The end of the trial; none if it is to stay at once.
    pub(super) until: Option<u64>,
    /// The boot in which it began: a trial does not outlive it.
    pub(super) boot: String,
    /// The attributes of each file, as `KEY_before` and `KEY_after`; before is null if there was no such file.
    #[serde(flatten)]
    pub(super) attributes: Map<String, Value>,
}

impl ChangeRecord {
    /// Notes the attributes of the files.
    pub(super) fn attributes_of(change: &ServiceChange) -> Map<String, Value> {
        let value = |attributes: Option<Attributes>| serde_json::to_value(attributes).unwrap_or_default();
        let of_file = |file: &ChangedFile| {
            let before = file.before.as_ref().map(|version| version.attributes);
            [
                (format!("{}_before", file.path.key), value(before)),
                (format!("{}_after", file.path.key), value(Some(file.after.attributes))),
            ]
        };
        change.files.iter().flat_map(of_file).collect()
    }

    /// The attributes of a version of a file; `None` if there is no such version.
    fn attributes(&self, key: &str, when: &str) -> serde_json::Result<Option<Attributes>> {
        let value = self.attributes.get(&format!("{key}_{when}")).cloned().unwrap_or_default();
        serde_json::from_value(value)
    }

    /// Whether the trial is over.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        self.boot != boot_id() || self.until.is_some_and(|until| now >= UnixTime::from_seconds(until))
    }

    /// The time of day at which the trial ends.
    pub(super) fn end_of_trial(&self) -> Option<String> {
        self.until.map(|until| clock_time(UnixTime::from_seconds(until)))
    }
}

/// Where a configuration of sshd is put together to be tried.
pub(crate) const CANDIDATE: &str = "candidate";
const RECORD_DRAFT: &str = "record.new";
const BEFORE: &str = "before";
const BRIDGE: &str = "bridge";
const AFTER: &str = "after";

/// Where the change log of a service is.
pub(crate) fn folder_of(service: ChangedService) -> PathBuf {
    Path::new("/var/lib/twinlock").join(service.verb())
}

/// The folder, locked: one change at a time.
pub(super) struct ChangeLog {
    service: ChangedService,
    _lock: File,
}

impl ChangeLog {
    /// Opens it, if nobody else has.
    pub(super) fn open(service: ChangedService) -> Result<Self, HostError> {
        let folder = open_folder(service)?;
        folder.try_lock().map_err(|_| messages::another_is_running(service))?;
        Ok(Self { service, _lock: folder })
    }

    /// The same, and creates nothing; `None` if no change was ever begun.
    pub(super) fn open_existing(service: ChangedService) -> Result<Option<Self>, HostError> {
        match fs::symlink_metadata(folder_of(service)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Self::open(service).map(Some),
        }
    }

    /// Opens it when everybody else is done.
    pub(super) fn wait(service: ChangedService) -> Result<Self, HostError> {
        let folder = open_folder(service)?;
        folder.lock().map_err(|error| cannot("lock", &folder_of(service), &error))?;
        Ok(Self { service, _lock: folder })
    }

    /// How far which change is; `None` if Twinlock is not switched on by this command.
    pub(super) fn read(&self) -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
        peek(self.service)
    }

    /// All of the change.
    pub(super) fn change(&self, record: &ChangeRecord) -> Result<ServiceChange, HostError> {
        let mut files = Vec::new();
        for path in self.service.paths() {
            files.extend(self.changed_file(record, path)?);
        }
        Ok(ServiceChange { service: self.service, files })
    }

    /// One file of the change; `None` if it is not among those.
    fn changed_file(
        &self,
        record: &ChangeRecord,
        path: &'static ChangedPath,
    ) -> Result<Option<ChangedFile>, HostError> {
        let attributes = |when| {
            record
                .attributes(path.key, when)
                .map_err(|error| messages::record_not_understood(self.service, &folder_of(self.service), &error))
        };
        let content = |when: &str, attributes: Attributes| -> Result<Version, HostError> {
            let copy = self.path_of(&copy_of(path, when));
            let found = place::read(&copy)?.ok_or_else(|| messages::copy_is_gone(self.service, &copy))?;
            Ok(Version { attributes, ..found })
        };
        let Some(after) = attributes(AFTER)? else {
            return Ok(None);
        };
        Ok(Some(ChangedFile {
            path,
            before: attributes(BEFORE)?.map(|before| content(BEFORE, before)).transpose()?,
            bridge: path.is_bridged.then(|| content(BRIDGE, after)).transpose()?,
            after: content(AFTER, after)?,
        }))
    }

    /// Writes a change down, to be begun.
    pub(super) fn begin(&self, record: &ChangeRecord, change: &ServiceChange) -> Result<(), HostError> {
        self.clear()?;
        for file in &change.files {
            let versions = [(BEFORE, file.before.as_ref()), (BRIDGE, file.bridge.as_ref()), (AFTER, Some(&file.after))];
            for (when, version) in versions {
                if let Some(version) = version {
                    self.write(&copy_of(file.path, when), &version.content)?;
                }
            }
        }
        let text = serde_json::to_vec(record).map_err(|error| cannot("write", &folder_of(self.service), &error))?;
        self.write(RECORD_DRAFT, &text)?;
        self.rename(RECORD_DRAFT, ChangePhase::Changing.name())
    }

    /// Goes from one phase to the next.
    pub(super) fn set_phase(&self, from: ChangePhase, to: ChangePhase) -> Result<(), HostError> {
        if from == to { Ok(()) } else { self.rename(from.name(), to.name()) }
    }

    /// Forgets the change: nothing of it is in place.
    pub(super) fn clear(&self) -> Result<(), HostError> {
        for phase in ChangePhase::ALL {
            place::remove(&self.path_of(phase.name()))?;
        }
        place::sync_folder(&folder_of(self.service))?;
        let _ = fs::remove_dir_all(self.path_of(CANDIDATE));
        place::remove(&self.path_of(RECORD_DRAFT))?;
        let copies =
            self.service.paths().iter().flat_map(|path| [BEFORE, BRIDGE, AFTER].map(|when| copy_of(path, when)));
        copies.into_iter().try_for_each(|name| place::remove(&self.path_of(&name)))
    }

    fn path_of(&self, name: &str) -> PathBuf {
        folder_of(self.service).join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), HostError> {
        let path = self.path_of(name);
        let attributes = Attributes { mode: 0o600, ..Attributes::NEW };
        place::create(&path, &Version { content: content.to_vec(), attributes })
            .map_err(|error| cannot("write", &path, &error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), HostError> {
        fs::rename(self.path_of(from), self.path_of(to)).map_err(|error| cannot("write", &self.path_of(to), &error))?;
        place::sync_folder(&folder_of(self.service))
    }
}

/// The same without the lock, for a process that only waits.
pub(super) fn peek(service: ChangedService) -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
    for phase in ChangePhase::ALL {
        let path = folder_of(service).join(phase.name());
        if let Some(found) = place::read(&path)? {
            let record = serde_json::from_slice(&found.content)
                .map_err(|error| messages::record_not_understood(service, &path, &error))?;
            return Ok(Some((phase, record)));
        }
    }
    Ok(None)
}

fn open_folder(service: ChangedService) -> Result<File, HostError> {
    let path = folder_of(service);
    match DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => place::sync_folder(path.parent().unwrap_or(&path))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(messages::no_store(cannot("create", &path, &error)));
        }
    }
    check_folder(&path)?;
    place::open_folder(&path).map_err(|error| cannot("open", &path, &error))
}

/// The name of the copy of a version of a file.
fn copy_of(path: &ChangedPath, when: &str) -> String {
    format!("{}.{when}", path.key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::service::{SSHD_DROP_IN, SSHD_PAM};

    #[test]
    fn a_record_is_read_and_written_as_versions_before_did() {
        let version = |content: &str| Version { content: content.into(), attributes: Attributes::NEW };
        let file = |path, before| ChangedFile { path, before, bridge: None, after: version("after") };
        let files = vec![file(&SSHD_PAM, Some(version("before"))), file(&SSHD_DROP_IN, None)];
        let record = ChangeRecord {
            id: "0123456789abcdef".into(),
            mode: Some(EnableMode::KeyAndCode),
            until: Some(1_800_000_000),
            boot: "b".into(),
            attributes: ChangeRecord::attributes_of(&ServiceChange { service: ChangedService::Ssh, files }),
        };
        let written = r#"{"id":"0123456789abcdef","mode":"key+code","until":1800000000,"boot":"b","#.to_owned()
            + r#""drop_in_after":{"gid":0,"mode":420,"uid":0},"drop_in_before":null,"#
            + r#""pam_after":{"gid":0,"mode":420,"uid":0},"pam_before":{"gid":0,"mode":420,"uid":0}}"#;
        assert_eq!(serde_json::to_string(&record).unwrap(), written);
        let before = r#"{"id":"0123456789abcdef","mode":"key+code","until":1800000000,"boot":"b","#.to_owned()
            + r#""pam_before":{"mode":420,"uid":0,"gid":0},"pam_after":{"mode":420,"uid":0,"gid":0},"#
            + r#""drop_in_before":null,"drop_in_after":{"mode":420,"uid":0,"gid":0}}"#;
        let read: ChangeRecord = serde_json::from_str(&before).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.attributes("pam", BEFORE).unwrap(), Some(Attributes::NEW));
        assert_eq!(read.attributes("drop_in", BEFORE).unwrap(), None);
        assert!(
            serde_json::from_str::<ChangeRecord>(&before.replace("420", "\"rw\""))
                .unwrap()
                .attributes("pam", AFTER)
                .is_err()
        );
    }
}
