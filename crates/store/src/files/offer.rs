//! The secret that an enrolment inside a login offers, kept for a user whose connection is cut: `credentials/.NAME.toml.offer`.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;
use twinlock_core::{
    account::{Subject, UserName},
    sealed::Purpose,
};
use zeroize::Zeroizing;

use super::{
    CREDENTIALS,
    credentials_file::SUFFIX,
    file_name,
    lock::{Locked, try_lock},
    open::{Folder, Readers, error},
    secrets::Secrets,
};
use crate::ports::{StoreError, StoreErrorKind};

/// Behind the name of a user's credentials, with a dot before it.
const OFFER: &str = ".offer";

/// Longest content.
const LARGEST: usize = 640;

/// The offer of one account, locked until this is dropped: of two dialogues at once, the second makes an offer of its own.
#[derive(Debug)]
pub struct OfferFile {
    locked: Locked,
    path: PathBuf,
    secrets: Secrets,
    user: UserName,
}

impl OfferFile {
    /// Opens the offer of an account in the store at `root`, an empty one where there is none. `None` while another dialogue
    /// has it.
    pub(super) fn lock(root: &Path, secrets: &Secrets, subject: &Subject) -> Result<Option<Self>, StoreError> {
        let folder = Folder::open(root, Readers::All)?.folder(CREDENTIALS, Readers::Root)?;
        let name = name(subject)?;
        let path = folder.path_of(&name);
        let file: File = match folder.file(&name, OFlag::O_RDWR, Readers::Root)? {
            Some(file) => file,
            None => folder.create(&name, Readers::Root)?,
        };
        let is_free = try_lock(&file).map_err(|e| error(&path, StoreErrorKind::Read(e)))?;
        Ok(is_free.then(|| {
            let (secrets, user) = (secrets.clone(), subject.name.clone());
            Self { locked: Locked(file), path, secrets, user }
        }))
    }

    /// What is offered; nothing in a new file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut bytes = Zeroizing::new(vec![0; LARGEST]);
        let read = self.locked.0.read_at(&mut bytes, 0).map_err(|e| error(&self.path, StoreErrorKind::Read(e)))?;
        bytes.truncate(read);
        self.secrets.unwrap(Purpose::Offer, &self.user, bytes, &self.path)
    }

    /// Offers something else. It need not outlive a power failure, and a torn one is read as none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write(&self, content: &[u8]) -> Result<(), StoreError> {
        let bytes = self.secrets.wrap(Purpose::Offer, &self.user, content)?;
        let written = self.locked.0.set_len(0).and_then(|()| self.locked.0.write_all_at(&bytes, 0));
        written.map_err(|e| error(&self.path, StoreErrorKind::Write(e)))
    }
}

/// The name of the file.
pub(super) fn name(subject: &Subject) -> Result<String, StoreError> {
    Ok(format!(".{}{OFFER}", file_name(subject, SUFFIX)?))
}
