//! Files of root's own outside of the store, which hold keys: written whole, in folders that nobody else can write to.

use std::path::Path;

use super::{
    open::{self, Folder, Readers},
    secrets::erase,
};
use crate::ports::StoreError;

/// Makes a folder, mode 0700, if it is not there; its parent must be.
///
/// # Errors
/// [`StoreError`].
pub fn make_private_folder(path: &Path) -> Result<(), StoreError> {
    open::make_folder(path)
}

/// Writes a file that root alone can read, whole or not at all, and makes it durable.
///
/// # Errors
/// [`StoreError`].
pub fn write_private(folder: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    Folder::open(folder, Readers::All)?.write(name, Readers::Root, content)
}

/// Overwrites and removes such a file, if it is there.
///
/// # Errors
/// [`StoreError`].
pub fn erase_private(folder: &Path, name: &str) -> Result<(), StoreError> {
    erase(&Folder::open(folder, Readers::All)?, name)
}

/// Reads such a file, at most `limit` bytes.
///
/// # Errors
/// [`StoreError`].
pub fn read_private(path: &Path, limit: u64) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
    open::read(path, Readers::Root, limit).map(|content| content.bytes)
}

/// The names of the files in a folder of root's, without those that are being written; none if it is not there.
///
/// # Errors
/// [`StoreError`].
pub fn private_names(folder: &Path) -> Result<Vec<String>, StoreError> {
    match Folder::open(folder, Readers::All) {
        Ok(folder) => folder.file_names(),
        Err(StoreError { kind: crate::ports::StoreErrorKind::Missing, .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
