//! The keys in memory: one file each, in a file system that is never swapped.

use std::path::Path;

use nix::{
    mount::{MsFlags, mount},
    sys::{
        mman::{MlockAllFlags, mlockall},
        stat::stat,
    },
};
use twinlock_core::sealed::{KeyId, SealKey};
use twinlock_store::files::{KEY_FOLDER, erase_private, make_private_folder, read_any_key, write_private};

use super::blob::{blob_keys, unseal_key};
use crate::{HostError, messages, selinux};

const RAMFS_OPTIONS: &str = "mode=0700";
/// The type of the store, which all login programs may read: see `packaging/selinux`.
const RAMFS_OPTIONS_SELINUX: &str = "mode=0700,context=system_u:object_r:var_auth_t:s0";

/// Unseals every key that has a blob into the folder. All are tried: a host that is changing its key has two.
///
/// # Errors
/// There is none, or one cannot be unsealed; the others are loaded all the same.
pub fn load_all() -> Result<Vec<KeyId>, HostError> {
    let keys = blob_keys()?;
    if keys.is_empty() {
        return Err(messages::no_blob());
    }
    prepare()?;
    let mut failed = None;
    for id in &keys {
        match unseal_key(*id) {
            Ok(key) => place(&key)?,
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(keys), Err)
}

/// Forgets a key.
///
/// # Errors
/// It is still there.
pub fn forget_key(id: KeyId) -> Result<(), HostError> {
    if Path::new(KEY_FOLDER).is_dir() { Ok(erase_private(Path::new(KEY_FOLDER), &id.to_string())?) } else { Ok(()) }
}

/// Whether the folder with the keys is on a file system that may be swapped, or on a disk: not on the one that is mounted for it.
#[must_use]
pub fn is_swapped() -> bool {
    Path::new(KEY_FOLDER).is_dir() && !is_mounted()
}

/// Keeps the memory of this process, which is to hold a key, out of the swap. Where that fails the key is wiped after use.
pub fn keep_in_memory() {
    let _ = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE);
}

fn place(key: &SealKey) -> Result<(), HostError> {
    let (folder, name) = (Path::new(KEY_FOLDER), key.id().to_string());
    // A second run changes nothing under a login that reads it.
    if read_any_key(&folder.join(&name)).is_ok_and(|found| found.is_some_and(|found| found.id() == key.id())) {
        return Ok(());
    }
    Ok(write_private(folder, &name, key.bytes())?)
}

/// Mounts the file system, where it is not.
fn prepare() -> Result<(), HostError> {
    let folder = Path::new(KEY_FOLDER);
    make_private_folder(folder)?;
    if is_mounted() {
        return Ok(());
    }
    let options = if selinux::is_on() { RAMFS_OPTIONS_SELINUX } else { RAMFS_OPTIONS };
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("ramfs"), folder, Some("ramfs"), flags, Some(options))
        .map_err(|errno| messages::ramfs_not_mounted(&errno))
}

fn is_mounted() -> bool {
    let (folder, device) = (Path::new(KEY_FOLDER), |path: &Path| stat(path).map(|found| found.st_dev).ok());
    device(folder) != folder.parent().and_then(device)
}
