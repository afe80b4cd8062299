//! Secrets of users in the form that is in force: what of them is written, and how it is read again.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::fcntl::OFlag;
use twinlock_core::{
    account::{Subject, UserName},
    ports::Randomness as _,
    sealed::{self, KeyId, Purpose, SealedHeader, SealedPlace},
};
use zeroize::Zeroizing;

use super::{
    credentials_file::{LARGEST, SEALED_SUFFIX, SUFFIX},
    identity::{HostId, Identity},
    key_file::read_key,
    name_with,
    open::{Folder, Readers, error},
};
use crate::{
    host::Kernel,
    ports::{IdentityErrorKind, SealErrorKind, StoreError, StoreErrorKind},
    seal_mode::SealMode,
};

/// How the secrets of a host are kept.
#[derive(Debug, Clone)]
pub(super) struct Secrets(Arc<Location>);

#[derive(Debug)]
struct Location {
    identity: Identity,
    /// Where the site keeps the key, if not where every host does.
    key_file: Option<PathBuf>,
}

/// A text that was read of a user's credentials.
pub(super) struct CredentialsText {
    /// In clear.
    pub(super) text: Zeroizing<Vec<u8>>,
    /// The file that it came from.
    pub(super) path: PathBuf,
    /// What a sealed file says of itself.
    pub(super) header: Option<SealedHeader>,
}

/// How often a form is looked up again that was changed while it was read.
const TRIES: usize = 4;

impl Secrets {
    pub(super) fn new(identity: Identity, key_file: Option<PathBuf>) -> Self {
        Self(Arc::new(Location { identity, key_file }))
    }

    pub(super) fn key_file(&self) -> Option<&Path> {
        self.0.key_file.as_deref()
    }

    /// The id and the mode of this host. `None` if they cannot be read, which hinders nobody whose secrets are in clear.
    #[inline(never)]
    fn host(&self) -> Option<HostId> {
        self.0.identity.find_beside().ok()?.0
    }

    /// The same where they are needed.
    #[inline(never)]
    pub(super) fn known_host(&self) -> Result<HostId, StoreError> {
        let (beside, path) = self.0.identity.find_beside()?;
        let missing = || IdentityErrorKind::NotBesideConfig { beside: path };
        beside.ok_or_else(|| error(&self.0.identity.inside, StoreErrorKind::Identity(missing())))
    }

    /// The credentials of a user in the form that is in force. Without the user's lock the mode may change meanwhile: then they
    /// are looked up again.
    #[inline(never)]
    pub(super) fn read(&self, folder: &Folder, user: &UserName) -> Result<Option<CredentialsText>, StoreError> {
        let mut host = self.host();
        for _ in 0..TRIES {
            let found = self.read_by(host.as_ref(), folder, user);
            let Err(StoreError { kind: StoreErrorKind::Sealed(_), .. }) = found else { return found };
            let now = self.host();
            if now == host {
                return found;
            }
            host = now;
        }
        self.read_by(host.as_ref(), folder, user)
    }

    #[inline(never)]
    fn read_by(
        &self,
        host: Option<&HostId>,
        folder: &Folder,
        user: &UserName,
    ) -> Result<Option<CredentialsText>, StoreError> {
        let (plain, sealed) = (name_with(user, SUFFIX)?, name_with(user, SEALED_SUFFIX)?);
        let fault = |name: &str, kind: fn(UserName) -> SealErrorKind| {
            error(&folder.path_of(name), StoreErrorKind::Sealed(kind(user.clone())))
        };
        let Some(host) = host else {
            // Which key and which store is not known: a sealed file is what counts, and it cannot be opened.
            return if folder.has(&sealed)? { self.known_host().map(|_| None) } else { read_plain(folder, &plain) };
        };
        match host.mode {
            SealMode::Off => match read_plain(folder, &plain)? {
                None if folder.has(&sealed)? => Err(fault(&sealed, SealErrorKind::NotInForce)),
                found => Ok(found),
            },
            SealMode::On(_) => match self.read_sealed(host, folder, user, &sealed)? {
                _ if folder.has(&plain)? => Err(fault(&plain, SealErrorKind::InClear)),
                found => Ok(found),
            },
            SealMode::Sealing(_) | SealMode::Unsealing(_) => {
                if let Some(found) = self.read_sealed(host, folder, user, &sealed)? {
                    return Ok(Some(found));
                }
                match read_plain(folder, &plain)? {
                    // It may have been sealed just now.
                    None => self.read_sealed(host, folder, user, &sealed),
                    found => Ok(found),
                }
            }
        }
    }

    #[inline(never)]
    pub(super) fn read_sealed(
        &self,
        host: &HostId,
        folder: &Folder,
        user: &UserName,
        name: &str,
    ) -> Result<Option<CredentialsText>, StoreError> {
        let Some(bytes) = folder.read(name, Readers::Root, LARGEST)? else { return Ok(None) };
        let path = folder.path_of(name);
        let (header, text) = self.open(host, &bytes, (Purpose::Credentials, user), &path)?;
        Ok(Some(CredentialsText { text, path, header: Some(header) }))
    }

    /// Opens sealed bytes.
    #[inline(never)]
    fn open(
        &self,
        host: &HostId,
        bytes: &[u8],
        (purpose, user): (Purpose, &UserName),
        path: &Path,
    ) -> Result<(SealedHeader, Zeroizing<Vec<u8>>), StoreError> {
        let refused = |bad| error(path, StoreErrorKind::Sealed(SealErrorKind::NotOpened(bad)));
        let key = read_key(SealedHeader::parse(bytes).map_err(refused)?.key, self.key_file())?;
        sealed::open(&key, &SealedPlace { store: host.id.as_str(), purpose, user }, bytes).map_err(refused)
    }

    /// Seals a text with the key of this id.
    #[inline(never)]
    pub(super) fn seal(
        &self,
        (host, key): (&HostId, KeyId),
        (purpose, user, uid): (Purpose, &UserName, Option<u32>),
        text: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let key = read_key(key, self.key_file())?;
        let mut fresh = [0; 32];
        let drawn = Kernel.fill(&mut fresh);
        drawn.map_err(|e| error(&self.0.identity.inside, StoreErrorKind::Write(e)))?;
        Ok(sealed::seal(&key, &SealedPlace { store: host.id.as_str(), purpose, user }, uid, text, &fresh))
    }

    /// Writes a user's credentials in the form that is in force. The caller holds the user's lock. The mode is read again
    /// afterwards: who changes it converts what was there when it was changed.
    #[inline(never)]
    pub(super) fn write(
        &self,
        folder: &Folder,
        subject: &Subject,
        uid: Option<u32>,
        text: &[u8],
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let host = self.host();
            self.write_by(host.as_ref(), folder, &subject.name, (uid, text))?;
            if self.host() == host {
                break;
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn write_by(
        &self,
        host: Option<&HostId>,
        folder: &Folder,
        user: &UserName,
        (uid, text): (Option<u32>, &[u8]),
    ) -> Result<(), StoreError> {
        let (plain, sealed) = (name_with(user, SUFFIX)?, name_with(user, SEALED_SUFFIX)?);
        let Some(host) = host else {
            // With a sealed file in force nothing can be written beside it.
            return if folder.has(&sealed)? {
                self.known_host().map(|_| ())
            } else {
                folder.write(&plain, Readers::Root, text)
            };
        };
        if let Some(key) = host.mode.seals() {
            let bytes = self.seal((host, key), (Purpose::Credentials, user, uid), text)?;
            folder.write(&sealed, Readers::Root, &bytes)?;
            return erase(folder, &plain);
        }
        folder.write(&plain, Readers::Root, text)?;
        if folder.remove(&sealed)? { folder.sync() } else { Ok(()) }
    }

    /// A text that waits or is offered, in the form that is in force.
    #[inline(never)]
    pub(super) fn wrap(
        &self,
        purpose: Purpose,
        user: &UserName,
        text: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let host = self.host();
        match host.as_ref().and_then(|host| host.mode.seals().map(|key| (host, key))) {
            Some(by) => self.seal(by, (purpose, user, None), text).map(Zeroizing::new),
            None => Ok(Zeroizing::new(text.to_vec())),
        }
    }

    /// The same read again, in whatever form it is.
    #[inline(never)]
    pub(super) fn unwrap(
        &self,
        purpose: Purpose,
        user: &UserName,
        bytes: Zeroizing<Vec<u8>>,
        path: &Path,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        if !sealed::is_sealed(&bytes) {
            return Ok(bytes);
        }
        self.open(&self.known_host()?, &bytes, (purpose, user), path).map(|(_, text)| text)
    }
}

fn read_plain(folder: &Folder, name: &str) -> Result<Option<CredentialsText>, StoreError> {
    let text = folder.read(name, Readers::Root, LARGEST)?;
    Ok(text.map(|text| CredentialsText { text, path: folder.path_of(name), header: None }))
}

/// Overwrites a file that holds a secret in clear, and removes it. Where the file system writes elsewhere instead of in
/// place, or the disk does, the old blocks stay: nothing that a program can do reaches them.
pub(super) fn erase(folder: &Folder, name: &str) -> Result<(), StoreError> {
    let Some((mut file, size)) = folder.sized(name, OFlag::O_RDWR, Readers::Root)? else { return Ok(()) };
    let blank = vec![0; usize::try_from(size.min(LARGEST)).unwrap_or(0)];
    let blanked = file.write_all(&blank).and_then(|()| file.sync_all());
    blanked.map_err(|e| error(&folder.path_of(name), StoreErrorKind::Write(e)))?;
    folder.remove(name)?;
    folder.sync()
}
