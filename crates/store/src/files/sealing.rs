//! The change from one form of secrets to the other, user by user: the steps of which `twinlock seal` is made. Each leaves
//! every user with credentials that are in force, wherever it is killed.

use std::path::PathBuf;

use twinlock_core::{
    account::{Subject, UserName},
    sealed::{KeyId, Purpose, SealedHeader},
};

use super::{
    CREDENTIALS, Store,
    credentials_file::{self, LARGEST, SEALED_SUFFIX, SUFFIX},
    identity::HostId,
    lock::{Locked, lock},
    name_with,
    open::{Folder, Readers, error},
    secrets::{CredentialsText, erase},
};
use crate::{
    ports::{SealErrorKind, StoreError, StoreErrorKind},
    seal_mode::SealMode,
};

/// Held while the form is changed: one command at a time. It is the lock of the folder that the mode is in.
#[derive(Debug)]
pub struct SealingLock {
    _lock: Locked,
}

/// In which forms the credentials of a user are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldForm {
    pub user: UserName,
    /// Whether they are there in clear.
    pub in_clear: bool,
    /// The key of the sealed ones, if they are there.
    pub sealed: Option<KeyId>,
}

impl Store {
    /// Which form is in force. The mode of a host whose store this is not says nothing.
    ///
    /// # Errors
    /// [`StoreError`]; also if the store is not surely the one of this host.
    pub fn seal_mode(&self) -> Result<SealMode, StoreError> {
        self.identity.check()?;
        Ok(self.secrets.known_host()?.mode)
    }

    /// Locks the form against other commands that change it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lock_sealing(&self) -> Result<SealingLock, StoreError> {
        let path = self.identity.find_beside()?.1;
        let folder = Folder::open(path.parent().unwrap_or(&path), Readers::All)?;
        Ok(SealingLock { _lock: lock(folder.as_file()?, folder.path())? })
    }

    /// Puts this mode in force, durably.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn set_seal_mode(&self, _lock: &SealingLock, mode: SealMode) -> Result<(), StoreError> {
        let (host, (_, path)) = (self.secrets.known_host()?, self.identity.find_beside()?);
        HostId { mode, ..host }.write(&path)
    }

    /// The forms in which there are credentials, user by user. What has no user's name is passed over.
    ///
    /// # Errors
    /// [`StoreError`]; also if a file that should be sealed is not.
    pub fn held_forms(&self) -> Result<Vec<HeldForm>, StoreError> {
        let folder = self.credentials_folder()?;
        let users = self.credentials.file_names()?;
        users.iter().filter_map(|name| UserName::from_file_name(name).ok()).map(|user| form_of(&folder, user)).collect()
    }

    /// Seals the credentials of a user with the key in force, if they are not, and erases what was in clear. What is sealed
    /// already counts, whatever is beside it.
    ///
    /// # Errors
    /// [`StoreError`]; what was in force then still is.
    pub fn seal_user(&self, lock: &SealingLock, user: &UserName) -> Result<(), StoreError> {
        self.convert(lock, user, |store, folder, host, key| {
            let form = form_of(folder, user.clone())?;
            match (form.sealed == Some(key), form.in_clear || form.sealed.is_some()) {
                (true, _) => Self::erase_clear(folder, user),
                (false, true) => {
                    let text = store.secrets.read(folder, user)?.ok_or_else(|| Self::gone(folder, user))?;
                    store.seal_text(folder, (host, key), user, &text)
                }
                (false, false) => Ok(()),
            }
        })
    }

    /// Seals the credentials that somebody put there in clear, in the place of those that are sealed.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreErrorKind::Missing`] if there are none in clear.
    pub fn seal_clear(&self, lock: &SealingLock, user: &UserName) -> Result<(), StoreError> {
        self.convert(lock, user, |store, folder, host, key| {
            let name = name_with(user, SUFFIX)?;
            let text = folder.read(&name, Readers::Root, LARGEST)?.ok_or_else(|| Self::gone(folder, user))?;
            let text = CredentialsText { text, path: folder.path_of(&name), header: None };
            store.seal_text(folder, (host, key), user, &text)
        })
    }

    /// Puts the credentials of a user in clear, if they are sealed.
    ///
    /// # Errors
    /// [`StoreError`]; what was in force then still is.
    pub fn unseal_user(&self, lock: &SealingLock, user: &UserName) -> Result<(), StoreError> {
        self.convert(lock, user, |store, folder, _, _| {
            let sealed = name_with(user, SEALED_SUFFIX)?;
            match store.secrets.read(folder, user)? {
                Some(CredentialsText { text, header: Some(_), .. }) => {
                    folder.write(&name_with(user, SUFFIX)?, Readers::Root, &text)?;
                    folder.remove(&sealed)?;
                    folder.sync()
                }
                Some(CredentialsText { header: None, .. }) | None => Ok(()),
            }
        })
    }

    /// Erases what dialogues of enrolment and killed writers left in clear: they are begun anew. Says how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn erase_drafts(&self, _lock: &SealingLock) -> Result<usize, StoreError> {
        let folder = self.credentials_folder()?;
        let drafts = folder.draft_names()?;
        drafts.iter().try_for_each(|name| erase(&folder, name))?;
        Ok(drafts.len())
    }

    /// Where the site keeps the key; `None` on a host that unseals its own.
    #[must_use]
    pub fn key_file(&self) -> Option<PathBuf> {
        self.secrets.key_file().map(ToOwned::to_owned)
    }

    fn credentials_folder(&self) -> Result<Folder, StoreError> {
        Folder::open(&self.root, Readers::All)?.folder(CREDENTIALS, Readers::Root)
    }

    /// Runs a change under the lock that every writer of the user's credentials holds: that of the state, or, where there is
    /// none, that of the store, without which nobody can make one.
    fn convert(
        &self,
        _lock: &SealingLock,
        user: &UserName,
        change: impl FnOnce(&Self, &Folder, &HostId, KeyId) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let subject = Subject { name: user.clone(), uid: 0 };
        let mut state = self.states.lock_any_uid(&subject)?;
        let mut whole_store = None;
        if state.is_none() {
            let root = Folder::open(&self.root, Readers::Root)?;
            whole_store = Some(lock(root.as_file()?, root.path())?);
            state = self.states.lock_any_uid(&subject)?;
            if state.is_some() {
                whole_store = None;
            }
        }
        let host = self.secrets.known_host()?;
        let key = host.mode.key().ok_or_else(|| {
            let kind = SealErrorKind::NotInForce(user.clone());
            error(&self.identity.inside, StoreErrorKind::Sealed(kind))
        })?;
        let changed = change(self, &self.credentials_folder()?, &host, key);
        drop((state, whole_store));
        changed
    }

    /// Writes a text sealed, opens it again as a login would, and only then erases what is in clear.
    fn seal_text(
        &self,
        folder: &Folder,
        (host, key): (&HostId, KeyId),
        user: &UserName,
        found: &CredentialsText,
    ) -> Result<(), StoreError> {
        let subject = Subject { name: user.clone(), uid: 0 };
        let enrolment = credentials_file::parse(found, &subject)?;
        let bytes = self.secrets.seal((host, key), (Purpose::Credentials, user, enrolment.uid), &found.text)?;
        let sealed = name_with(user, SEALED_SUFFIX)?;
        folder.write(&sealed, Readers::Root, &bytes)?;
        let again = self.secrets.read_sealed(host, folder, user, &sealed)?;
        if again.is_none_or(|again| again.text != found.text) {
            return Err(Self::gone(folder, user));
        }
        Self::erase_clear(folder, user)
    }

    fn erase_clear(folder: &Folder, user: &UserName) -> Result<(), StoreError> {
        let name = name_with(user, SUFFIX)?;
        erase(folder, &format!(".{name}.new"))?;
        erase(folder, &name)
    }

    fn gone(folder: &Folder, user: &UserName) -> StoreError {
        error(&folder.path_of(&format!("{}{SUFFIX}", user.file_name())), StoreErrorKind::Missing)
    }

    /// The key of any sealed credentials, if there are some.
    pub(super) fn sealed_key(root: &Folder) -> Result<Option<KeyId>, StoreError> {
        let folder = match root.folder(CREDENTIALS, Readers::Root) {
            Ok(folder) => folder,
            Err(StoreError { kind: StoreErrorKind::Missing, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        for name in folder.file_names()?.iter().filter(|name| name.ends_with(SEALED_SUFFIX)) {
            if let Some(key) = key_of(&folder, name)? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

fn form_of(folder: &Folder, user: UserName) -> Result<HeldForm, StoreError> {
    let in_clear = folder.has(&name_with(&user, SUFFIX)?)?;
    let sealed = key_of(folder, &name_with(&user, SEALED_SUFFIX)?)?;
    Ok(HeldForm { user, in_clear, sealed })
}

/// The key that a sealed file names.
fn key_of(folder: &Folder, name: &str) -> Result<Option<KeyId>, StoreError> {
    let Some(bytes) = folder.read(name, Readers::Root, LARGEST)? else { return Ok(None) };
    let refused = |bad| error(&folder.path_of(name), StoreErrorKind::Sealed(SealErrorKind::NotOpened(bad)));
    SealedHeader::parse(&bytes).map(|header| Some(header.key)).map_err(refused)
}
