//! State as files: `state/NAME`, two slots written in place under the file's own lock.
//!
//! The order of writes is the whole point; see ARCHITECTURE.md, "The two slots". In short: the half in force is never
//! touched; an attempt writes its pending failure, then its end, into the other half and syncs once.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use nix::{
    fcntl::OFlag,
    sys::resource::{Resource, getrlimit},
};
use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    decide::{Committed, FailureOnRecord, Judged},
    record::Record,
};

use super::{
    CREDENTIALS, STATES, credentials_file, file_name,
    lock::{DEADLINE, Locked, lock, try_lock, wait},
    name_with,
    open::{Folder, Readers, error, size},
    secrets::Secrets,
    uid_index,
};
use crate::{
    ports::{Hashing, LockedState, PendingFailure, StateStore, StoreError, StoreErrorKind},
    slot::{self, Half, Slot, SlotError, Stage},
};

/// The states of a store.
#[derive(Debug, Clone)]
pub struct StateFiles {
    root: PathBuf,
    secrets: Secrets,
}

impl StateFiles {
    pub(super) fn at(root: &Path, secrets: Secrets) -> Self {
        Self { root: root.to_owned(), secrets }
    }

    /// Walks to the store, and from there to its states.
    fn open_folders(&self) -> Result<(Folder, Folder), StoreError> {
        let root = Folder::open(&self.root, Readers::All)?;
        let states = root.folder(STATES, Readers::Root)?;
        Ok((root, states))
    }

    /// Locks the user's record, whatever uid it carries; `None` if there is none.
    pub(super) fn lock_any_uid(&self, subject: &Subject) -> Result<Option<LockedStateFile>, StoreError> {
        locked(&self.secrets, self.open_folders()?, &file_name(subject, "")?)
    }

    fn missing(&self, name: &str) -> StoreError {
        error(&self.root.join(STATES).join(name), StoreErrorKind::Missing)
    }

    /// The record as it stands, whatever uid it carries, without waiting for its lock: for reports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look(&self, subject: &Subject) -> Result<Option<Record>, StoreError> {
        look_in(&self.open_folders()?.1, subject)
    }

    /// The folder of the records, opened for reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn folder(&self) -> Result<File, StoreError> {
        self.open_folders()?.1.as_file()
    }

    /// The file of a user's record, opened for reading; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file(&self, user: &UserName) -> Result<Option<File>, StoreError> {
        self.open_folders()?.1.file(&name_with(user, "")?, OFlag::O_RDONLY, Readers::Root)
    }

    /// The users who have a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn users(&self) -> Result<Vec<UserName>, StoreError> {
        let names = self.open_folders()?.1.file_names()?;
        let mut users: Vec<_> = names.iter().filter_map(|name| UserName::from_file_name(name).ok()).collect();
        users.sort_unstable();
        Ok(users)
    }

    /// Writes a user's record, as it is, into a new file, which takes over the flags of the folder. False if there is
    /// none. The old file keeps its lock until the new one has its name.
    ///
    /// # Errors
    /// [`StoreError`]; the old file is then still there.
    pub fn remake(&self, user: &UserName) -> Result<bool, StoreError> {
        let name = name_with(user, "")?;
        let Some(old) = locked(&self.secrets, self.open_folders()?, &name)? else {
            return Ok(false);
        };
        self.make(&name, &old.slot.record, true)?;
        Ok(true)
    }

    /// Enters a user into the index of users by uid; false if the user is in it already, or the store has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn index(&self, subject: &Subject) -> Result<bool, StoreError> {
        uid_index::add(&Folder::open(&self.root, Readers::Root)?, subject)
    }

    /// Makes or replaces a file by a whole one: written under a draft's name, synced, renamed. One at a time on the host.
    /// It is locked before others can find it, so that nobody sees it without the credentials that may follow. `None` if
    /// there is one already that is to stay.
    fn make(&self, name: &str, record: &Record, replace: bool) -> Result<Option<LockedStateFile>, StoreError> {
        self.make_in(Folder::open(&self.root, Readers::Root)?, name, record, replace)
    }

    /// The same in a store that is open.
    fn make_in(
        &self,
        root: Folder,
        name: &str,
        record: &Record,
        replace: bool,
    ) -> Result<Option<LockedStateFile>, StoreError> {
        let _one_at_a_time = lock(root.as_file()?, &self.root)?;
        let folder = root.folder(STATES, Readers::Root)?;
        if !replace && folder.file(name, OFlag::O_RDONLY, Readers::Root)?.is_some() {
            return Ok(None);
        }
        let path = folder.path_of(name);
        let file = folder.replace(name, |draft| lock(write_new(&folder, draft, record)?, &path))?;
        write_durability_mark(&file.0, Half::First, 1);
        let slot = read(&file.0, slot::FILE as u64, &path)?;
        Ok(Some(LockedStateFile { secrets: self.secrets.clone(), file, root, folder, path, slot }))
    }
}

/// Reads a user's record in the folder, as it stands.
pub(super) fn look_in(folder: &Folder, subject: &Subject) -> Result<Option<Record>, StoreError> {
    let name = file_name(subject, "")?;
    let Some((file, size)) = folder.sized(&name, OFlag::O_RDONLY, Readers::Root)? else {
        return Ok(None);
    };
    read(&file, size, &folder.path_of(&name)).map(|slot| Some(slot.record))
}

fn find_locked(secrets: &Secrets, (root, folder): (Folder, Folder), name: &str) -> Result<Lookup, StoreError> {
    let path = folder.path_of(name);
    // A file that was replaced or removed while its lock was waited for is looked up again.
    for _ in 0..8 {
        let Some(file) = folder.unchecked_file(name, OFlag::O_RDWR)? else {
            return Ok(Lookup::Nothing { root });
        };
        let file = lock(file, &path)?;
        let found = folder.check_file(&file.0, name, Readers::Root)?;
        if found.st_nlink > 0 {
            let slot = read(&file.0, size(&found), &path)?;
            return Ok(Lookup::State(LockedStateFile { secrets: secrets.clone(), file, root, folder, path, slot }));
        }
    }
    Err(error(&path, StoreErrorKind::Busy(DEADLINE)))
}

/// What there is under a user's name.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it is returned")]
enum Lookup {
    State(LockedStateFile),
    Nothing { root: Folder },
}

fn locked(secrets: &Secrets, folders: (Folder, Folder), name: &str) -> Result<Option<LockedStateFile>, StoreError> {
    Ok(match find_locked(secrets, folders, name)? {
        Lookup::State(state) => Some(state),
        Lookup::Nothing { .. } => None,
    })
}

impl StateStore for StateFiles {
    type Locked = LockedStateFile;
    type HashPermit = HashPermit;

    fn open(&self, subject: &Subject) -> Result<Option<LockedStateFile>, StoreError> {
        let name = file_name(subject, "")?;
        let state = locked(&self.secrets, self.open_folders()?, &name)?;
        state.map(|state| check_owner(&state.slot.record, subject, &state.path).map(|()| state)).transpose()
    }

    #[inline(never)]
    fn open_enrolled(
        &self,
        subject: &Subject,
        permit: Option<&HashPermit>,
    ) -> Result<Option<LockedStateFile>, StoreError> {
        let name = file_name(subject, "")?;
        let folders = permit.map_or_else(|| self.open_folders(), HashPermit::folders)?;
        let state = match find_locked(&self.secrets, folders, &name)? {
            Lookup::State(state) => state,
            Lookup::Nothing { root } => {
                let credentials = root.folder(CREDENTIALS, Readers::Root)?;
                if credentials_file::read_in(&self.secrets, &credentials, subject)?.is_none() {
                    return Ok(None);
                }
                root.check_readers(Readers::Root)?;
                match self.make_in(root, &name, &Record::new(subject), false)? {
                    Some(state) => state,
                    // Another login was faster.
                    None => return self.open(subject),
                }
            }
        };
        check_owner(&state.slot.record, subject, &state.path)?;
        Ok(Some(state))
    }

    fn open_or_create(&self, subject: &Subject) -> Result<LockedStateFile, StoreError> {
        let name = file_name(subject, "")?;
        if let Some(state) = self.open(subject)? {
            return Ok(state);
        }
        if let Some(state) = self.make(&name, &Record::new(subject), false)? {
            return Ok(state);
        }
        self.open(subject)?.ok_or_else(|| self.missing(&name))
    }

    fn adopt(&self, subject: &Subject) -> Result<Option<LockedStateFile>, StoreError> {
        let name = file_name(subject, "")?;
        let Some(mut state) = locked(&self.secrets, self.open_folders()?, &name)? else {
            return Ok(None);
        };
        let next = Record { uid: subject.uid, ..state.slot.record.clone() };
        check_owner(&next, subject, &state.path)?;
        let before = state.slot.record.subject();
        self.index(subject)?;
        state.change(&next)?;
        if before != *subject {
            state.leave_index(&before);
        }
        Ok(Some(state))
    }

    fn reset(&self, subject: &Subject, record: &Record) -> Result<LockedStateFile, StoreError> {
        let name = file_name(subject, "")?;
        self.make(&name, record, true)?.ok_or_else(|| self.missing(&name))
    }

    fn hash_permit(&self, hashing: Hashing) -> Result<HashPermit, StoreError> {
        // Two permits, two locks: those of the two folders, which nothing else locks and which are always there.
        let (root, states) = self.open_folders()?;
        let credentials = root.folder(CREDENTIALS, Readers::Root)?.as_file()?;
        let mut permits = match hashing {
            Hashing::Login => vec![states.as_file()?, credentials],
            Hashing::NewCodes => vec![credentials],
        };
        let taken = wait(hashing.patience(), || {
            for (at, file) in permits.iter().enumerate() {
                if try_lock(file)? {
                    return Ok(Some(at));
                }
            }
            Ok(None)
        });
        match taken.map_err(|e| error(&self.root, StoreErrorKind::Read(e)))? {
            Some(at) => Ok(HashPermit { _lock: Locked(permits.swap_remove(at)), root, states }),
            None => Err(error(&self.root, StoreErrorKind::Busy(hashing.patience()))),
        }
    }
}

/// A permit to hash; given back when dropped.
#[derive(Debug)]
pub struct HashPermit {
    _lock: Locked,
    root: Folder,
    states: Folder,
}

impl HashPermit {
    /// The store that the permit is of, and its states.
    fn folders(&self) -> Result<(Folder, Folder), StoreError> {
        Ok((self.root.try_clone()?, self.states.try_clone()?))
    }
}

/// A user's state under its lock.
#[derive(Debug)]
pub struct LockedStateFile {
    secrets: Secrets,
    file: Locked,
    /// The store, in which the credentials are.
    root: Folder,
    folder: Folder,
    path: PathBuf,
    slot: Slot,
}

/// A failure that was recorded before its answer is judged, still under the lock.
#[derive(Debug)]
pub struct PendingFailureFile {
    state: LockedStateFile,
    half: Half,
    sequence: u64,
    record: Record,
}

impl LockedStateFile {
    /// Where the record is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that the half in force is on the disk, so that the other one may be overwritten. It is written again
    /// first: after a sync that failed the kernel may hold the page for clean though the disk never saw it. It is written as
    /// it was read, byte for byte, and not encoded anew: another version may encode it otherwise, and a power failure would
    /// then leave a mixture of the two. The folder is synced too: the process that died may have just made the record.
    fn sync_current_slot(&mut self) -> Result<(), StoreError> {
        if !self.slot.synced {
            let (offset, mut bytes) = (self.slot.half.offset(), [0; slot::SLOT]);
            self.file.0.read_exact_at(&mut bytes, offset).map_err(|e| error(&self.path, StoreErrorKind::Read(e)))?;
            self.file.0.write_all_at(&bytes, offset).map_err(|e| error(&self.path, StoreErrorKind::Write(e)))?;
            self.sync()?;
            self.folder.sync()?;
            self.slot.synced = true;
        }
        Ok(())
    }

    /// The half that may be overwritten now, and the number of the slot to be written there.
    fn begin_slot(&mut self) -> Result<(Half, u64), StoreError> {
        may_write(&self.path)?;
        self.sync_current_slot()?;
        Ok((self.slot.half.other(), self.slot.sequence.saturating_add(1)))
    }

    fn write(&self, half: Half, sequence: u64, stage: Stage, record: &Record) -> Result<(), StoreError> {
        let bytes =
            slot::encode(sequence, stage, record).map_err(|large| error(&self.path, StoreErrorKind::Record(large)))?;
        self.file.0.write_all_at(&bytes, half.offset()).map_err(|e| error(&self.path, StoreErrorKind::Write(e)))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.file.0.sync_data().map_err(|e| error(&self.path, StoreErrorKind::Write(e)))
    }

    /// Takes the user out of the index of users by uid. An entry that stays behind means nothing: see [`uid_index`].
    fn leave_index(&self, subject: &Subject) {
        let _ = uid_index::remove(&self.root, subject);
    }

    /// Writes an end, syncs it, and marks it as surely on the disk.
    fn end(&self, half: Half, sequence: u64, record: &Record) -> Result<(), StoreError> {
        self.write(half, sequence, Stage::Committed, record)?;
        self.sync()?;
        write_durability_mark(&self.file.0, half, sequence);
        Ok(())
    }
}

impl LockedState for LockedStateFile {
    type Pending = PendingFailureFile;

    fn record(&self) -> &Record {
        &self.slot.record
    }

    fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        credentials_file::read_in(&self.secrets, &self.root.folder(CREDENTIALS, Readers::Root)?, subject)
    }

    #[inline(never)]
    fn record_failure(mut self, failed: Record) -> Result<PendingFailureFile, StoreError> {
        let (half, sequence) = self.begin_slot()?;
        self.write(half, sequence, Stage::Pending, &failed)?;
        Ok(PendingFailureFile { state: self, half, sequence, record: failed })
    }

    fn change(&mut self, next: &Record) -> Result<(), StoreError> {
        let (half, sequence) = self.begin_slot()?;
        self.end(half, sequence, next)?;
        self.slot = Slot { half, sequence, stage: Stage::Committed, synced: true, record: next.clone() };
        Ok(())
    }

    fn remove(self) -> Result<(), StoreError> {
        let name = self.path.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
        self.folder.remove(name)?;
        self.folder.sync()?;
        self.leave_index(&self.slot.record.subject());
        Ok(())
    }
}

impl FailureOnRecord for PendingFailureFile {
    fn record(&self) -> &Record {
        &self.record
    }
}

impl PendingFailure for PendingFailureFile {
    #[inline(never)]
    fn commit(self, judged: Judged) -> Result<Committed, StoreError> {
        self.state.end(self.half, self.sequence, judged.state())?;
        Ok(judged.committed())
    }
}

/// A write beyond `RLIMIT_FSIZE` would kill the host by SIGXFSZ, with the attempt unrecorded. Better to refuse first.
fn may_write(path: &Path) -> Result<(), StoreError> {
    let (soft, _) =
        getrlimit(Resource::RLIMIT_FSIZE).map_err(|errno| error(path, StoreErrorKind::Write(errno.into())))?;
    if is_too_little(soft) { Err(error(path, StoreErrorKind::FileSizeLimit)) } else { Ok(()) }
}

/// The limit is a number of 32 or of 64 bits, as the architecture has it.
fn is_too_little(limit: impl Into<u128>) -> bool {
    limit.into() < slot::FILE as u128
}

fn check_owner(record: &Record, subject: &Subject, path: &Path) -> Result<(), StoreError> {
    if record.user != subject.name {
        return Err(error(path, StoreErrorKind::OtherUser));
    }
    if record.uid != subject.uid {
        return Err(error(path, StoreErrorKind::OtherUid { stored: record.uid, account: subject.uid }));
    }
    Ok(())
}

fn read(file: &File, size: u64, path: &Path) -> Result<Slot, StoreError> {
    if size != slot::FILE as u64 {
        return Err(error(path, StoreErrorKind::Torn));
    }
    let mut bytes = [0; slot::FILE];
    file.read_exact_at(&mut bytes, 0).map_err(|e| error(path, StoreErrorKind::Read(e)))?;
    slot::current(&bytes).map_err(|cause| {
        let fault = match cause {
            SlotError::Damaged => StoreErrorKind::Torn,
            SlotError::NewerVersion => StoreErrorKind::NewerVersion,
        };
        error(path, fault)
    })
}

/// Marks a slot as surely on the disk. A process that comes after one that died finds no mark, and syncs before
/// anything else. A mark that cannot be written costs such a sync, too, and no more.
fn write_durability_mark(file: &File, half: Half, sequence: u64) {
    let _ = file.write_all_at(&slot::durability_mark(sequence), half.durability_mark_offset());
}

fn write_new(folder: &Folder, draft: &str, record: &Record) -> Result<File, StoreError> {
    let path = folder.path_of(draft);
    may_write(&path)?;
    let bytes =
        slot::encode(1, Stage::Committed, record).map_err(|large| error(&path, StoreErrorKind::Record(large)))?;
    let file = folder.create(draft, Readers::Root)?;
    // Both halves are written through, not only allocated: a later write in place needs no new block.
    let written = file
        .write_all_at(&bytes, Half::First.offset())
        .and_then(|()| file.write_all_at(&[0; slot::SLOT], Half::Second.offset()));
    written.and_then(|()| file.sync_all()).map_err(|e| error(&path, StoreErrorKind::Write(e)))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_either_width_has_room_for_a_record_or_not() {
        let file = u32::try_from(slot::FILE).unwrap();
        assert_eq!([file - 1, file, u32::MAX].map(is_too_little), [true, false, false]);
        assert_eq!([u64::from(file) - 1, u64::from(file), u64::MAX].map(is_too_little), [true, false, false]);
    }

    #[test]
    fn a_child_that_has_the_descriptor_too_keeps_no_lock() {
        let path = Path::new("/proc");
        let open = || Folder::open(path, Readers::All).unwrap().as_file().unwrap();
        let ours = open();
        // What a fork leaves to the child.
        let childs = ours.try_clone().unwrap();
        let locked = lock(ours, path).unwrap();
        assert!(open().try_lock().is_err());
        drop(locked);
        assert!(open().try_lock().is_ok());
        drop(childs);
    }
}
