//! Whether a store is the one of this host: the same random id is in the store and beside the configuration.
//!
//! A mount point whose file system is not mounted looks like a sound, empty store. So that a user has no credentials is
//! believed only of a store that has the host's id. The id is no secret. Beside the configuration it has a second line where
//! the host's secrets are sealed: see [`SealMode`].

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use twinlock_core::ports::Randomness;

use super::open::{self, Folder, Readers, error};
use crate::{
    config::DEFAULT_PATH,
    ports::{IdentityErrorKind, StoreError, StoreErrorKind},
    seal_mode::SealMode,
};

/// The file's name in both places.
pub(super) const NAME: &str = "store-id";
/// 32 hexadecimal digits and a newline, and a mode; anything much larger is not read.
const LARGEST: u64 = 128;

/// An id: 128 random bits in lower-case hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct StoreId(String);

/// What stands beside the configuration: which store is this host's, and which form its secrets have.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HostId {
    pub(super) id: StoreId,
    pub(super) mode: SealMode,
}

/// The two places of the id.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// In the store.
    pub(super) inside: PathBuf,
    /// In the folder of the configuration file.
    beside: PathBuf,
}

/// The ids that were found.
pub(super) struct Found {
    pub(super) inside: Option<StoreId>,
    pub(super) beside: Option<HostId>,
    /// Where the one beside the configuration is, or would be made.
    pub(super) beside_path: PathBuf,
}

impl Identity {
    pub(super) fn at(root: &Path, config: &Path) -> Self {
        Self { inside: root.join(NAME), beside: beside(config) }
    }

    /// Makes sure that the store is the one of this host.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let found = self.find()?;
        match (&found.inside, &found.beside) {
            (Some(inside), Some(beside)) if *inside == beside.id => Ok(()),
            _ => Err(self.fault(&found)),
        }
    }

    /// Reads both ids. A configuration that is tried from another folder is one of this host, too: where there is no id
    /// beside it, the id of the host is the one beside the default configuration.
    pub(super) fn find(&self) -> Result<Found, StoreError> {
        let inside = read(&self.inside, Readers::Root, StoreId::parse)?;
        let (beside, beside_path) = self.find_beside()?;
        Ok(Found { inside, beside, beside_path })
    }

    /// Reads the id of the host alone.
    #[inline(never)]
    pub(super) fn find_beside(&self) -> Result<(Option<HostId>, PathBuf), StoreError> {
        let default = beside(Path::new(DEFAULT_PATH));
        Ok(match read(&self.beside, Readers::All, HostId::parse)? {
            None if default != self.beside => match read(&default, Readers::All, HostId::parse)? {
                None => (None, self.beside.clone()),
                found => (found, default),
            },
            found => (found, self.beside.clone()),
        })
    }

    /// What is the matter with ids that are not there twice.
    pub(super) fn fault(&self, found: &Found) -> StoreError {
        let beside = found.beside_path.clone();
        let fault = match (&found.inside, &found.beside) {
            (None, None) => IdentityErrorKind::NoIds { beside },
            (None, Some(_)) => IdentityErrorKind::NotInStore { beside },
            (Some(_), None) => IdentityErrorKind::NotBesideConfig { beside },
            (Some(_), Some(_)) => IdentityErrorKind::Different { beside },
        };
        error(&self.inside, StoreErrorKind::Identity(fault))
    }
}

impl StoreId {
    /// Draws a new one.
    pub(super) fn draw(randomness: &mut dyn Randomness, path: &Path) -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        randomness.fill(&mut bytes).map_err(|e| error(path, StoreErrorKind::Write(e)))?;
        let mut text = String::with_capacity(32);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let sound = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        sound.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Writes it into the store, whole or not at all. The caller holds the lock of the store.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        write(path, Readers::Root, &format!("{}\n", self.0))
    }
}

impl HostId {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (id, rest) = text.split_at_checked(text.find('\n')?.checked_add(1)?)?;
        let mode = match rest {
            "" => SealMode::Off,
            line => SealMode::parse(line.strip_suffix('\n')?)?,
        };
        Some(Self { id: StoreId::parse(id.as_bytes())?, mode })
    }

    /// Writes it beside the configuration, whole or not at all. The caller holds the lock of the store.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        write(path, Readers::All, &format!("{}\n{}", self.id.0, self.mode))
    }
}

fn write(path: &Path, readers: Readers, text: &str) -> Result<(), StoreError> {
    let folder = Folder::open(path.parent().unwrap_or(path), Readers::All)?;
    folder.write(NAME, readers, text.as_bytes())
}

/// The path of the id beside this configuration.
fn beside(config: &Path) -> PathBuf {
    config.with_file_name(NAME)
}

/// Reads one id; `None` if it, or a folder on its way, is not there.
fn read<T>(path: &Path, readers: Readers, parse: fn(&[u8]) -> Option<T>) -> Result<Option<T>, StoreError> {
    let bytes = match open::read(path, readers, LARGEST) {
        Ok(content) => content.bytes,
        Err(StoreError { kind: StoreErrorKind::Missing, .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    match parse(&bytes) {
        Some(id) => Ok(Some(id)),
        None => Err(error(path, StoreErrorKind::Identity(IdentityErrorKind::Malformed))),
    }
}

/// A mount that the host's configuration names and that is not there hides the store; a new one made beneath it would be
/// gone when it is back.
pub(super) fn refuse_beneath_a_missing_mount(store: &Path, inside: &Path) -> Result<(), StoreError> {
    let missing =
        crate::host::mounts::missing_above(store).map_err(|e: io::Error| error(store, StoreErrorKind::Read(e)))?;
    missing
        .map_or(Ok(()), |mount| Err(error(inside, StoreErrorKind::Identity(IdentityErrorKind::NotMounted { mount }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_thirty_two_lower_case_hexadecimal_digits_and_a_newline() {
        let id = "0123456789abcdef0123456789abcdef";
        assert!(StoreId::parse(format!("{id}\n").as_bytes()).is_some_and(|parsed| parsed.0 == id));
        for bad in [
            id.to_owned(),
            format!("{id}\n\n"),
            format!("{id}0\n"),
            format!("{}\n", &id[1..]),
            format!("{}\n", id.to_uppercase()),
            format!(" {}\n", &id[1..]),
            String::new(),
            "\0".repeat(33),
        ] {
            assert!(StoreId::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
