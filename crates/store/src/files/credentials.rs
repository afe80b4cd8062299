//! Credentials as files: `credentials/NAME.toml`. Logins read them; only enrolment and administration write.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;
use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    pending::PendingId,
    sealed::Purpose,
};
use zeroize::Zeroizing;

use super::{
    CREDENTIALS,
    credentials_file::{LARGEST, SEALED_SUFFIX, SUFFIX, read_any_uid_in, read_in},
    file_name,
    identity::Identity,
    offer::{self, OfferFile},
    open::{Folder, Readers, error},
    secrets::Secrets,
    state::StateFiles,
    uid_index,
};
use crate::{
    format::TomlDocument as _,
    ports::{LockedState as _, ReadCredentials, StoreError, StoreErrorKind, WriteCredentials},
    seal_mode::SealMode,
};

/// Behind the name of a user's credentials, with a dot before it: an enrolment that waits for the end of its login.
const PENDING: &str = ".due";

/// The folder of credentials.
#[derive(Debug, Clone)]
pub struct CredentialFiles {
    /// The store.
    root: PathBuf,
    states: StateFiles,
    identity: Identity,
    secrets: Secrets,
}

impl CredentialFiles {
    pub(super) fn at(root: &Path, states: StateFiles, identity: Identity, secrets: Secrets) -> Self {
        Self { root: root.to_owned(), states, identity, secrets }
    }

    pub(super) const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn open(&self) -> Result<Folder, StoreError> {
        Ok(self.open_folders()?.1)
    }

    /// Walks to the store, and from there to its credentials.
    fn open_folders(&self) -> Result<(Folder, Folder), StoreError> {
        let root = Folder::open(&self.root, Readers::All)?;
        let folder = root.folder(CREDENTIALS, Readers::Root)?;
        Ok((root, folder))
    }

    /// The names of all files that hold an enrolment, as escaped file names without the ending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file_names(&self) -> Result<Vec<String>, StoreError> {
        let files = self.open()?.file_names()?;
        let name_of =
            |file: &String| file.strip_suffix(SUFFIX).or_else(|| file.strip_suffix(SEALED_SUFFIX)).map(str::to_owned);
        let mut names: Vec<_> = files.iter().filter_map(name_of).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// Keeps an enrolment until its login has passed. Each login writes a draft of its own, named by its id, so that no two
    /// are in each other's way; the last one counts. It need not outlive a power failure, which ends the login too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write_pending(&self, subject: &Subject, id: &PendingId, content: &str) -> Result<(), StoreError> {
        let (folder, draft) = (self.open()?, format!(".{}.new", id.as_str()));
        let mut file = folder.create(&draft, Readers::Root)?;
        let written = self.secrets.wrap(Purpose::Pending, &subject.name, content.as_bytes()).and_then(|bytes| {
            file.write_all(&bytes).map_err(|e| error(&folder.path_of(&draft), StoreErrorKind::Write(e)))
        });
        let written = written.and_then(|()| folder.rename(&draft, &pending_name(subject)?));
        if written.is_err() {
            folder.remove(&draft)?;
        }
        written
    }

    /// What [`CredentialFiles::write_pending`] kept last of this account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read_pending(&self, subject: &Subject) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let (folder, name) = (self.open()?, pending_name(subject)?);
        let bytes = folder.read(&name, Readers::Root, LARGEST)?;
        let open = |bytes| self.secrets.unwrap(Purpose::Pending, &subject.name, bytes, &folder.path_of(&name));
        bytes.map(open).transpose()
    }

    /// Removes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remove_pending(&self, subject: &Subject) -> Result<bool, StoreError> {
        self.open()?.remove(&pending_name(subject)?)
    }

    /// What an enrolment inside a login offers this account; `None` while another dialogue has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn lock_offer(&self, subject: &Subject) -> Result<Option<OfferFile>, StoreError> {
        OfferFile::lock(&self.root, &self.secrets, subject)
    }

    /// The path of a user's credentials, for messages.
    #[must_use]
    pub fn path_of(&self, user: &UserName) -> PathBuf {
        let is_sealed = self.secrets.known_host().is_ok_and(|host| matches!(host.mode, SealMode::On(_)));
        let suffix = if is_sealed { SEALED_SUFFIX } else { SUFFIX };
        self.root.join(CREDENTIALS).join(format!("{}{suffix}", user.file_name()))
    }
}

impl CredentialFiles {
    /// Judges that `subject` has no credentials: the user is not enrolled only if the store is surely the one of this host
    /// and has no record of the user but a provisional one, which an interrupted enrolment leaves. An enrolment that is being
    /// stored has its record first, and is waited for.
    fn confirm_absence(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.identity.check()?;
        let (root, folder) = self.open_folders()?;
        uid_index::check_not_renamed(&self.secrets, &root, &folder, subject)?;
        let Some(state) = self.states.lock_any_uid(subject)? else {
            return Ok(None);
        };
        match read_in(&self.secrets, &folder, subject)? {
            None if state.record().provisional => Ok(None),
            None => {
                let state = state.path().to_owned();
                let (path, user) = (self.path_of(&subject.name), subject.name.clone());
                Err(error(&path, StoreErrorKind::StateWithoutCredentials { user, state }))
            }
            enrolment => Ok(enrolment),
        }
    }

    /// Passes an enrolment on; that there is none is believed only of a store that is surely the one of this host.
    fn confirm_store(&self, enrolment: Option<Enrolment>) -> Result<Option<Enrolment>, StoreError> {
        if enrolment.is_none() {
            self.identity.check()?;
        }
        Ok(enrolment)
    }
}

impl ReadCredentials for CredentialFiles {
    fn read(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        match read_in(&self.secrets, &self.open()?, subject)? {
            None => self.confirm_absence(subject),
            enrolment => Ok(enrolment),
        }
    }

    fn ensure_durable(&self, subject: &Subject) -> Result<(), StoreError> {
        let folder = self.open()?;
        for suffix in [SUFFIX, SEALED_SUFFIX] {
            let name = file_name(subject, suffix)?;
            if let Some(file) = folder.file(&name, OFlag::O_RDONLY, Readers::Root)? {
                file.sync_all().map_err(|e| error(&folder.path_of(&name), StoreErrorKind::Write(e)))?;
            }
        }
        folder.sync()
    }
}

impl WriteCredentials for CredentialFiles {
    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.confirm_store(read_any_uid_in(&self.secrets, &self.open()?, subject)?)
    }

    fn read_ignoring_state(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        let (root, folder) = self.open_folders()?;
        let enrolment = read_in(&self.secrets, &folder, subject)?;
        if enrolment.is_none() {
            uid_index::check_not_renamed(&self.secrets, &root, &folder, subject)?;
        }
        self.confirm_store(enrolment)
    }

    fn replace(&self, subject: &Subject, enrolment: &Enrolment) -> Result<(), StoreError> {
        let (root, folder) = self.open_folders()?;
        // First: credentials that nobody finds by their uid would be taken for none once the account is renamed.
        uid_index::add(&root, subject)?;
        self.secrets.write(&folder, subject, enrolment.uid, enrolment.to_toml().as_bytes())?;
        // An offer that cannot be removed is worth nothing once its time is over.
        let _ = folder.remove(&offer::name(subject)?);
        Ok(())
    }

    fn remove(&self, subject: &Subject) -> Result<bool, StoreError> {
        let (root, folder) = self.open_folders()?;
        folder.remove(&pending_name(subject)?)?;
        folder.remove(&offer::name(subject)?)?;
        let mut removed = false;
        for suffix in [SUFFIX, SEALED_SUFFIX] {
            let name = file_name(subject, suffix)?;
            folder.remove(&format!(".{name}.new"))?;
            removed |= folder.remove(&name)?;
        }
        folder.sync()?;
        // An entry that stays behind means nothing: see [`uid_index`].
        let _ = uid_index::remove(&root, subject);
        Ok(removed)
    }
}

fn pending_name(subject: &Subject) -> Result<String, StoreError> {
    Ok(format!(".{}{PENDING}", file_name(subject, SUFFIX)?))
}
