//! The key of sealed secrets: a file of root's, in memory on a host that unseals it at boot, or where the site puts it.

use std::path::{Path, PathBuf};

use twinlock_core::sealed::{KeyId, SealKey};

use super::open::{self, Readers, error};
use crate::ports::{SealErrorKind, StoreError, StoreErrorKind};

/// The folder that holds the keys of this boot, each under its id.
pub const KEY_FOLDER: &str = "/run/twinlock-key";

/// Where the key of this id is. A file that the site provides has one place for whatever key it holds.
#[must_use]
pub fn key_path(id: KeyId, site: Option<&Path>) -> PathBuf {
    site.map_or_else(|| Path::new(KEY_FOLDER).join(id.to_string()), Path::to_owned)
}

/// Reads the key of this id.
///
/// # Errors
/// [`StoreError`]; [`SealErrorKind::NoKey`] if there is none, [`SealErrorKind::WrongKey`] if it is another one.
pub fn read_key(id: KeyId, site: Option<&Path>) -> Result<SealKey, StoreError> {
    let path = key_path(id, site);
    match read_any_key(&path)? {
        Some(key) if key.id() == id => Ok(key),
        Some(_) => Err(error(&path, StoreErrorKind::Sealed(SealErrorKind::WrongKey(id)))),
        None => Err(error(&path, StoreErrorKind::Sealed(SealErrorKind::NoKey(id)))),
    }
}

/// Reads whatever key is in the file; `None` if there is no file.
///
/// # Errors
/// [`StoreError`]; also if it has another length than a key.
pub fn read_any_key(path: &Path) -> Result<Option<SealKey>, StoreError> {
    let bytes = match open::read(path, Readers::Root, SealKey::LENGTH as u64) {
        Ok(content) => content.bytes,
        Err(StoreError { kind: StoreErrorKind::Missing, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let key = SealKey::from_bytes(&bytes);
    key.map(Some).ok_or_else(|| {
        let problem = "it does not have the 32 bytes of a key";
        error(path, StoreErrorKind::Read(std::io::Error::new(std::io::ErrorKind::InvalidData, problem)))
    })
}
