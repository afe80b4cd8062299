//! How the store lies on its file system. On btrfs a write in place takes a new block, and a full disk would refuse every
//! login, unless the file carries the no-copy-on-write flag. A file takes the flag over from its folder when it is made, so
//! the module that writes the records needs to know nothing of it.

use std::{fs::File, io, os::fd::AsFd};

use nix::sys::statfs::{BTRFS_SUPER_MAGIC, FsType, fstatfs};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use twinlock_core::account::{Subject, UserName};
use twinlock_store::{
    files::{Prepared, StateFiles, Store},
    host::{self, Kernel},
    ports::{StoreError, WriteCredentials},
};

use crate::{
    failure::Failure,
    output::note,
    scene::{self, Scene},
};

/// Not among the constants of nix.
const ZFS_SUPER_MAGIC: FsType = FsType(0x2fc1_2fc1);

/// Whether a write in place takes a new block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum CopyOnWrite {
    /// No, or not known of this file system.
    #[default]
    No,
    /// It does where the flag is missing: on the folder, and on the records of these users.
    Btrfs { folder: bool, users: Vec<UserName> },
    /// It does, and there is no flag against it.
    Zfs,
}

impl CopyOnWrite {
    /// Looks at the file system and at the flags of the store. What cannot be read is not in the list.
    pub(crate) fn of(states: &StateFiles) -> Result<Self, StoreError> {
        let folder = states.folder()?;
        match file_system(&folder) {
            Some(BTRFS_SUPER_MAGIC) => {
                let missing = |user: &UserName| matches!(states.file(user), Ok(Some(file)) if !has_flag(&file));
                let users = states.users()?.into_iter().filter(missing).collect();
                Ok(Self::Btrfs { folder: !has_flag(&folder), users })
            }
            Some(ZFS_SUPER_MAGIC) => Ok(Self::Zfs),
            Some(_) | None => Ok(Self::No),
        }
    }
}

/// Makes the folders and the ids of the store that are not there, and sets the flag on the folder of records where it helps. A flag
/// that cannot be set stops nobody from enrolling: `twinlock doctor` says that it is missing.
pub(crate) fn prepare(store: &Store) -> Result<Prepared, StoreError> {
    let prepared = store.prepare(&mut Kernel)?;
    let _ = set_flag(&store.states.folder()?);
    Ok(prepared)
}

/// After an enrolment: a record that was there before is brought up to date. The enrolment is done, whatever comes of it.
pub(crate) fn update(store: &Store, user: &UserName) {
    if let Err(error) = index(store, user).and_then(|_| remake(&store.states, user)) {
        note(&messages::not_remade(user, &error));
    }
}

/// Enters everybody of an existing store into the index by uid. What cannot be read is named, and left to `check`.
pub(crate) fn index_all(store: &Store) -> Result<(), StoreError> {
    for user in users_of(store)? {
        if let Err(error) = index(store, &user) {
            note(&messages::not_remade(&user, &error));
        }
    }
    Ok(())
}

/// `twinlock repair --layout`: sets the flag, makes anew the records that lack it, and enters users into the index by uid. Killed at any point, it leaves every
/// record whole, and the next run does the rest.
pub(crate) fn repair(scene: &Scene, user: Option<&str>) -> Result<(), Failure> {
    let (store, states) = (&scene.store, &scene.store.states);
    store.prepare(&mut Kernel)?;
    let place = scene.config.store.directory.join("state");
    let folder = states.folder()?;
    if file_system(&folder) == Some(ZFS_SUPER_MAGIC) {
        note(messages::ZFS);
    }
    if set_flag(&folder).map_err(|error| messages::flag_not_set(&place, &error))? {
        note(&messages::flag_set(&place));
    }
    let users = match user {
        Some(user) => vec![scene::account(Some(user))?.name],
        None => users_of(store)?,
    };
    let (mut remade, mut indexed, mut failed) = (0usize, 0usize, 0usize);
    for user in &users {
        match index(store, user).and_then(|indexed| Ok((indexed, remake(states, user)?))) {
            Ok((is_indexed, is_new)) => {
                remade = remade.saturating_add(is_new.into());
                indexed = indexed.saturating_add(is_indexed.into());
                if is_new {
                    note(&messages::remade(user));
                }
            }
            Err(error) => {
                failed = failed.saturating_add(1);
                note(&messages::not_remade(user, &error));
            }
        }
    }
    note(&messages::summary(users.len(), remade, indexed));
    if failed > 0 { Err(messages::some_failed(failed)) } else { Ok(()) }
}

/// Everybody who has a record or credentials.
fn users_of(store: &Store) -> Result<Vec<UserName>, StoreError> {
    let mut users = store.states.users()?;
    let enrolled = store.credentials.file_names()?;
    users.extend(enrolled.iter().filter_map(|file| UserName::from_file_name(file).ok()));
    users.sort_unstable();
    users.dedup();
    Ok(users)
}

/// Enters a user into the index by uid; false if the user is there. The uid is that of the record, else that of the
/// credentials, else that of the account.
fn index(store: &Store, user: &UserName) -> Result<bool, StoreError> {
    let any = Subject { name: user.clone(), uid: 0 };
    let stored = match store.states.look(&any)? {
        Some(record) => Some(record.uid),
        None => store.credentials.read_any_uid(&any)?.and_then(|enrolment| enrolment.uid),
    };
    let subject = match stored {
        Some(uid) => Some(Subject { uid, ..any }),
        None => host::account(user).ok().flatten().filter(|account| account.name == *user),
    };
    subject.map_or(Ok(false), |subject| store.states.index(&subject))
}

/// Sets the flag on an open folder of a btrfs; false if it was there or is not needed.
pub(crate) fn set_flag(folder: &File) -> io::Result<bool> {
    if file_system(folder) != Some(BTRFS_SUPER_MAGIC) || has_flag(folder) {
        return Ok(false);
    }
    ioctl_setflags(folder, ioctl_getflags(folder)? | IFlags::NOCOW)?;
    Ok(true)
}

/// Makes the record of a user anew if it lacks the flag and its folder has it; whether it was.
pub(crate) fn remake(states: &StateFiles, user: &UserName) -> Result<bool, StoreError> {
    match states.file(user)? {
        Some(file) if !has_flag(&file) && has_flag(&states.folder()?) => states.remake(user),
        Some(_) | None => Ok(false),
    }
}

fn file_system(file: &File) -> Option<FsType> {
    fstatfs(file).ok().map(|known| known.filesystem_type())
}

/// What `repair --layout` says.
mod messages {
    use std::{io, path::Path};

    use twinlock_core::account::UserName;
    use twinlock_store::ports::StoreError;

    use crate::{failure::Failure, output::shown};

    pub(super) const ZFS: &str = "The store is on ZFS, which has no flag against copy-on-write: a full pool refuses every login. Move the store to \
         another file system, or give its dataset a `refreservation`.";

    pub(super) fn flag_set(folder: &Path) -> String {
        format!("{}: set the flag against copy-on-write; new records are written in place", folder.display())
    }

    pub(super) fn flag_not_set(folder: &Path, error: &io::Error) -> Failure {
        Failure::refused(format!("cannot set the flag against copy-on-write on {}: {error}", folder.display()))
            .hint("is the file system mounted read-only? (findmnt)")
    }

    pub(super) fn remade(user: &UserName) -> String {
        shown(&format!("{user}: moved the record to a file that is written in place"))
    }

    pub(super) fn not_remade(user: &UserName, error: &StoreError) -> String {
        shown(&format!("{user}: {error}\nhint: {}", error.hint()))
    }

    pub(super) fn summary(all: usize, remade: usize, indexed: usize) -> String {
        format!("users checked: {all}, records rewritten: {remade}, added to the index by uid: {indexed}")
    }

    pub(super) fn some_failed(failed: usize) -> Failure {
        Failure::refused(format!("{failed} users were left as they are"))
            .hint("see the messages above, then run `twinlock repair --layout` again")
    }
}

/// False too on file systems that have no flags.
fn has_flag(file: impl AsFd) -> bool {
    ioctl_getflags(file).is_ok_and(|flags| flags.contains(IFlags::NOCOW))
}
