//! Making a store, which only administrators do: its folders, and the ids by which it is known to be this host's.

use twinlock_core::ports::Randomness;

use super::{
    CREDENTIALS, STATES, Store,
    identity::{self, HostId, StoreId},
    lock::lock,
    open::{self, Folder, Readers},
    uid_index,
};
use crate::{
    ports::{IdentityErrorKind, StoreError, StoreErrorKind},
    seal_mode::SealMode,
};

/// What preparing a store did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepared {
    /// The ids were there and are equal.
    Already,
    /// The ids are new.
    Made,
    /// The host had an id, and the store has it now.
    AcceptedStore,
    /// The store had an id, and the host has it now.
    AcceptedHost,
}

/// What is done about an id that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// Where one of the two is missing, the disk may be: that is an error.
    Refuse,
    /// The administrator says that the store is the right one.
    Write,
}

impl Store {
    /// Makes the folders that are not there, mode 0700, and the ids where neither is there. For administrators.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is made if only one of the ids is there, if they differ, or if a mount that the host's
    /// configuration names is not there and would hide the new store. Also if a folder that is there cannot be trusted.
    pub fn prepare(&self, randomness: &mut dyn Randomness) -> Result<Prepared, StoreError> {
        self.make(randomness, Missing::Refuse)
    }

    /// The same where the administrator has made sure that the store is the right one: writes the id that is missing.
    ///
    /// # Errors
    /// [`StoreError`]; also if the ids differ.
    pub fn accept(&self, randomness: &mut dyn Randomness) -> Result<Prepared, StoreError> {
        self.make(randomness, Missing::Write)
    }

    /// Whether a version that knew no ids has made the store: its folders are there, and there is no id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn was_made_without_ids(&self) -> Result<bool, StoreError> {
        let found = self.identity.find()?;
        let no_id = found.inside.is_none() && found.beside.is_none();
        Ok(no_id && self.root.join(CREDENTIALS).symlink_metadata().is_ok())
    }

    fn make(&self, randomness: &mut dyn Randomness, missing: Missing) -> Result<Prepared, StoreError> {
        let found = self.identity.find()?;
        match (&found.inside, &found.beside, missing) {
            (None, None, Missing::Refuse) => {
                identity::refuse_beneath_a_missing_mount(&self.root, &self.identity.inside)?;
            }
            (None, Some(_), Missing::Refuse) if self.root.symlink_metadata().is_err() => {
                return Err(self.identity.fault(&found));
            }
            // The ids are read again under the lock: another command may have written only one of its two.
            (None | Some(_), _, Missing::Refuse | Missing::Write) => {}
        }
        open::make_folder(&self.root)?;
        let root = Folder::open(&self.root, Readers::Root)?;
        let _one_at_a_time = lock(root.as_file()?, &self.root)?;
        let prepared = self.write_ids(&root, randomness, missing)?;
        for folder in [CREDENTIALS, STATES, uid_index::FOLDER] {
            open::make_folder(&self.root.join(folder))?;
        }
        Ok(prepared)
    }

    /// Under the lock: another command may have written them meanwhile.
    fn write_ids(
        &self,
        root: &Folder,
        randomness: &mut dyn Randomness,
        missing: Missing,
    ) -> Result<Prepared, StoreError> {
        let (found, inside) = (self.identity.find()?, &self.identity.inside);
        match (&found.inside, &found.beside, missing) {
            (Some(id), Some(other), _) if *id == other.id => Ok(Prepared::Already),
            (None, None, _) if Self::sealed_key(root)?.is_some() => {
                let kind = IdentityErrorKind::SealedWithoutId { beside: found.beside_path };
                Err(open::error(inside, StoreErrorKind::Identity(kind)))
            }
            (None, None, _) => {
                let id = StoreId::draw(randomness, inside)?;
                id.write(inside)?;
                // One without the other would count as a disk that is missing.
                let host = HostId { id, mode: SealMode::Off };
                host.write(&found.beside_path).inspect_err(|_| drop(root.remove(identity::NAME)))?;
                Ok(Prepared::Made)
            }
            (None, Some(host), Missing::Write) => host.id.write(inside).map(|()| Prepared::AcceptedStore),
            (Some(id), None, Missing::Write) => {
                // Sealed files say that the host's secrets were being sealed at least; `twinlock seal enable` finds out.
                let mode = Self::sealed_key(root)?.map_or(SealMode::Off, SealMode::Sealing);
                let host = HostId { id: id.clone(), mode };
                host.write(&found.beside_path).map(|()| Prepared::AcceptedHost)
            }
            (Some(_), _, _) | (None, Some(_), Missing::Refuse) => Err(self.identity.fault(&found)),
        }
    }
}
