//! Many users' files, one after the other, in folders that are walked to once. For reports: nothing is locked.

use twinlock_core::{account::Subject, credentials::Enrolment, record::Record};

use super::{
    CREDENTIALS, CredentialFiles, STATES, Store, credentials_file,
    open::{Folder, Readers},
    state,
};
use crate::ports::{ReadCredentials, Snapshot, StoreError};

/// Both folders of a store, opened.
#[derive(Debug)]
pub struct Reading {
    credentials: Folder,
    states: Folder,
    files: CredentialFiles,
}

impl Store {
    /// Opens both folders.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reading(&self) -> Result<Reading, StoreError> {
        let root = Folder::open(&self.root, Readers::All)?;
        let open = |name| root.folder(name, Readers::Root);
        let files = self.credentials.clone();
        Ok(Reading { credentials: open(CREDENTIALS)?, states: open(STATES)?, files })
    }
}

impl Store {
    /// What the user's files say now, found by one walk to the store; a second one only for a user without credentials.
    ///
    /// # Errors
    /// As for [`ReadCredentials::read`].
    pub fn snapshot(&self, subject: &Subject) -> Result<Snapshot, StoreError> {
        let reading = self.reading()?;
        let enrolment = reading.enrolment(subject)?;
        let state = if enrolment.is_some() { reading.record(subject).ok().flatten() } else { None };
        Ok(Snapshot { enrolment, state })
    }
}

impl Reading {
    /// What the user holds; `None` if nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        match credentials_file::read_in(self.files.secrets(), &self.credentials, subject)? {
            // There is more to look at before that is believed.
            None => self.files.read(subject),
            enrolment => Ok(enrolment),
        }
    }

    /// The record as it stands, whatever uid it carries, without waiting for its lock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record(&self, subject: &Subject) -> Result<Option<Record>, StoreError> {
        state::look_in(&self.states, subject)
    }
}
