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
};
use zeroize::Zeroizing;

use super::{
    credentials_file::{LARGEST, SUFFIX, read_any_uid_in, read_in},
    file_name,
    identity::Identity,
    lock::lock,
    open::{Folder, Readers, error},
    state::StateFiles,
    uid_index,
};
use crate::{
    format::TomlDocument as _,
    ports::{LockedState as _, ReadCredentials, StoreError, StoreErrorKind, WriteCredentials},
};

/// Behind the name of a user's credentials, with a dot before it: an enrolment that waits for the end of its login.
const PENDING: &str = ".due";

/// The folder of credentials.
#[derive(Debug, Clone)]
pub struct CredentialFiles {
    folder: PathBuf,
    states: StateFiles,
    identity: Identity,
}

impl CredentialFiles {
    pub(super) fn at(folder: &Path, states: StateFiles, identity: Identity) -> Self {
        Self { folder: folder.to_owned(), states, identity }
    }

    fn open(&self) -> Result<Folder, StoreError> {
        Folder::open(&self.folder, Readers::Root)
    }

    /// The names of all files that hold an enrolment, as escaped file names without the ending.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn file_names(&self) -> Result<Vec<String>, StoreError> {
        let names = self.open()?.file_names()?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(SUFFIX)).map(str::to_owned).collect())
    }

    /// Keeps an enrolment until its login has passed. Each login writes a draft of its own, named by its id, so that no two
    /// are in each other's way; the last one counts. It need not outlive a power failure, which ends the login too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write_pending(&self, subject: &Subject, id: &PendingId, content: &str) -> Result<(), StoreError> {
        let (folder, draft) = (self.open()?, format!(".{}.new", id.as_str()));
        let mut file = folder.create(&draft)?;
        let written =
            file.write_all(content.as_bytes()).map_err(|e| error(&folder.path_of(&draft), StoreErrorKind::Write(e)));
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
        self.open()?.read(&pending_name(subject)?, Readers::Root, LARGEST)
    }

    /// Removes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remove_pending(&self, subject: &Subject) -> Result<bool, StoreError> {
        self.open()?.remove(&pending_name(subject)?)
    }

    /// Makes sure that a user without credentials has none under an older name either.
    fn check_not_renamed(&self, folder: &Folder, subject: &Subject) -> Result<(), StoreError> {
        let store = Folder::open(self.folder.parent().unwrap_or(&self.folder), Readers::All)?;
        uid_index::check_not_renamed(&store, folder, subject)
    }

    /// Enters a user into the index of users by uid.
    fn index(&self, subject: &Subject) -> Result<(), StoreError> {
        let path = self.folder.parent().unwrap_or(&self.folder);
        let store = Folder::open(path, Readers::All)?;
        let _one_at_a_time = lock(store.as_file()?, path)?;
        uid_index::add(&store, subject).map(|_| ())
    }

    /// The path of a user's credentials, for messages.
    #[must_use]
    pub fn path_of(&self, user: &UserName) -> PathBuf {
        self.folder.join(format!("{}{SUFFIX}", user.file_name()))
    }
}

impl CredentialFiles {
    /// Judges that `subject` has no credentials: the user is not enrolled only if the store is surely the one of this host
    /// and has no record of the user but a provisional one, which an interrupted enrolment leaves. An enrolment that is being
    /// stored has its record first, and is waited for.
    fn confirm_absence(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.identity.check()?;
        self.check_not_renamed(&self.open()?, subject)?;
        let Some(state) = self.states.lock_any_uid(subject)? else {
            return Ok(None);
        };
        match read_in(&self.open()?, subject)? {
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
        match read_in(&self.open()?, subject)? {
            None => self.confirm_absence(subject),
            enrolment => Ok(enrolment),
        }
    }

    fn ensure_durable(&self, subject: &Subject) -> Result<(), StoreError> {
        let (folder, name) = (self.open()?, file_name(subject, SUFFIX)?);
        if let Some(file) = folder.file(&name, OFlag::O_RDONLY, Readers::Root)? {
            file.sync_all().map_err(|e| error(&folder.path_of(&name), StoreErrorKind::Write(e)))?;
        }
        folder.sync()
    }
}

impl WriteCredentials for CredentialFiles {
    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.confirm_store(read_any_uid_in(&self.open()?, subject)?)
    }

    fn read_ignoring_state(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        let folder = self.open()?;
        let enrolment = read_in(&folder, subject)?;
        if enrolment.is_none() {
            self.check_not_renamed(&folder, subject)?;
        }
        self.confirm_store(enrolment)
    }

    fn replace(&self, subject: &Subject, enrolment: &Enrolment) -> Result<(), StoreError> {
        let name = file_name(subject, SUFFIX)?;
        let draft = format!(".{name}.new");
        let folder = self.open()?;
        // First: credentials that nobody finds by their uid would be taken for none once the account is renamed.
        self.index(subject)?;
        // Under the user's lock a draft that is there already was left by somebody who died.
        folder.remove(&draft)?;
        let written = write_draft(&folder, &draft, enrolment).and_then(|()| folder.rename(&draft, &name));
        if written.is_err() {
            folder.remove(&draft)?;
        }
        written?;
        folder.sync()
    }

    fn remove(&self, subject: &Subject) -> Result<bool, StoreError> {
        let name = file_name(subject, SUFFIX)?;
        let folder = self.open()?;
        folder.remove(&format!(".{name}.new"))?;
        folder.remove(&pending_name(subject)?)?;
        let removed = folder.remove(&name)?;
        folder.sync()?;
        Ok(removed)
    }
}

fn pending_name(subject: &Subject) -> Result<String, StoreError> {
    Ok(format!(".{}{PENDING}", file_name(subject, SUFFIX)?))
}

fn write_draft(folder: &Folder, draft: &str, enrolment: &Enrolment) -> Result<(), StoreError> {
    let mut file = folder.create(draft)?;
    let written = file.write_all(enrolment.to_toml().as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|e| error(&folder.path_of(draft), StoreErrorKind::Write(e)))
}
