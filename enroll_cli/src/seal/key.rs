//! The key of a change: made, sealed for this machine, and read back from where logins read it.

use twinlock_core::{
    ports::Randomness as _,
    sealed::{KeyId, SealKey},
};
use twinlock_hostcheck::seal as host;
use twinlock_store::{
    files::{self, Store},
    host::Kernel,
};
use zeroize::Zeroizing;

use crate::{failure::Failure, messages::seal as messages};

/// The key of this id, as logins find it.
pub(super) fn read(store: &Store, id: KeyId) -> Result<SealKey, Failure> {
    Ok(files::read_key(id, store.key_file().as_deref())?)
}

/// A key that none of these is, ready for logins: that of the site; or one that an interrupted command made and nothing names
/// yet; or a new one.
pub(super) fn new(store: &Store, in_use: &[KeyId]) -> Result<SealKey, Failure> {
    if let Some(path) = store.key_file() {
        return files::read_any_key(&path)?.ok_or_else(|| messages::no_site_key(&path));
    }
    if !host::has_systemd() {
        return Err(messages::no_systemd());
    }
    for id in host::blob_keys()?.into_iter().filter(|id| !in_use.contains(id)) {
        if host::run_unit()
            && let Ok(key) = read(store, id)
        {
            return Ok(key);
        }
        // It was sealed for another machine, or its write was cut: nothing names it.
        host::remove_blob(id)?;
    }
    let mut bytes = Zeroizing::new([0; SealKey::LENGTH]);
    Kernel.fill(&mut *bytes).map_err(|error| messages::no_randomness(&error))?;
    let key = SealKey::from_bytes(&*bytes).ok_or_else(messages::key_not_read_back)?;
    install(store, &key)?;
    Ok(key)
}

/// Seals a key for this machine, has the unit load it, and compares what logins then find.
pub(super) fn install(store: &Store, key: &SealKey) -> Result<(), Failure> {
    if !host::has_systemd() {
        return Err(messages::no_systemd());
    }
    host::seal_key(key)?;
    if !host::run_unit() {
        return Err(messages::unit_failed());
    }
    let found = read(store, key.id())?;
    if found.bytes() == key.bytes() { Ok(()) } else { Err(messages::key_not_read_back()) }
}

/// Removes every key but this one: nothing names them.
pub(super) fn remove_others(kept: KeyId) -> Result<(), Failure> {
    for id in host::blob_keys()?.into_iter().filter(|id| *id != kept) {
        host::remove_blob(id)?;
        host::forget_key(id)?;
    }
    Ok(())
}

/// Removes all keys of this machine, and the unit from its boot.
pub(super) fn remove_all() -> Result<(), Failure> {
    for id in host::blob_keys()? {
        host::remove_blob(id)?;
        host::forget_key(id)?;
    }
    if host::has_systemd() {
        // A unit without a blob does nothing.
        let _ = host::disable_unit();
    }
    Ok(())
}
