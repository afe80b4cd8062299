//! Many users' files, one after the other, in folders that are walked to once. For reports: nothing is locked.

use super::{
    Store, credentials,
    open::{Folder, Readers},
    state,
};
use crate::{account::Subject, credentials::Enrolment, ports::StoreError, record::Record};

/// Both folders of a store, opened.
#[derive(Debug)]
pub struct Reading {
    credentials: Folder,
    states: Folder,
}

impl Store {
    /// Opens both folders.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reading(&self) -> Result<Reading, StoreError> {
        let open = |name| Folder::open(&self.root.join(name), Readers::Root);
        Ok(Reading { credentials: open("credentials")?, states: open("state")? })
    }
}

impl Reading {
    /// What the user holds; `None` if nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        credentials::read_in(&self.credentials, subject)
    }

    /// The record as it stands, whoever's uid it carries, without waiting for its lock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn record(&self, subject: &Subject) -> Result<Option<Record>, StoreError> {
        state::look_in(&self.states, subject)
    }
}
