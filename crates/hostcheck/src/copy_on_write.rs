//! Whether the file system of the store copies on write. On btrfs a write in place takes a new block, and a full disk would
//! refuse every login, unless the file carries the no-copy-on-write flag. A file takes the flag over from its folder when it
//! is made, so the module that writes the records needs to know nothing of it.

use std::{fs::File, io, os::fd::AsFd};

use nix::sys::statfs::{BTRFS_SUPER_MAGIC, FsType, fstatfs};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use twinlock_core::account::UserName;
use twinlock_store::{files::StateFiles, ports::StoreError};

/// Not among the constants of nix.
const ZFS_SUPER_MAGIC: FsType = FsType(0x2fc1_2fc1);

/// Whether a write in place takes a new block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CopyOnWrite {
    /// No, or not known of this file system.
    #[default]
    No,
    /// It does where the flag is missing.
    Btrfs {
        /// Whether it is missing on the folder.
        folder: bool,
        /// The users on whose records it is missing.
        users: Vec<UserName>,
    },
    /// It does, and there is no flag against it.
    Zfs,
}

impl CopyOnWrite {
    /// Looks at the file system and at the flags of the store. What cannot be read is not in the list.
    ///
    /// # Errors
    /// The folder of the records cannot be opened or listed.
    pub fn find(states: &StateFiles) -> Result<Self, StoreError> {
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

/// Whether an open folder is on ZFS, which has no flag against copying on write.
#[must_use]
pub fn is_zfs(folder: &File) -> bool {
    file_system(folder) == Some(ZFS_SUPER_MAGIC)
}

/// Sets the flag on an open folder of a btrfs; false if it was there or is not needed.
///
/// # Errors
/// The kernel's.
pub fn set_flag(folder: &File) -> io::Result<bool> {
    if file_system(folder) != Some(BTRFS_SUPER_MAGIC) || has_flag(folder) {
        return Ok(false);
    }
    ioctl_setflags(folder, ioctl_getflags(folder)? | IFlags::NOCOW)?;
    Ok(true)
}

/// Makes the record of a user anew if it lacks the flag and its folder has it; whether it was.
///
/// # Errors
/// The record cannot be read or written.
pub fn remake(states: &StateFiles, user: &UserName) -> Result<bool, StoreError> {
    match states.file(user)? {
        Some(file) if !has_flag(&file) && has_flag(&states.folder()?) => states.remake(user),
        Some(_) | None => Ok(false),
    }
}

fn file_system(file: &File) -> Option<FsType> {
    fstatfs(file).ok().map(|known| known.filesystem_type())
}

/// False too on file systems that have no flags.
fn has_flag(file: impl AsFd) -> bool {
    ioctl_getflags(file).is_ok_and(|flags| flags.contains(IFlags::NOCOW))
}
