//! The store on disk: safe opening, credentials, state, configuration. Adapters of [`crate::ports`].

mod config_file;
mod credentials;
mod open;
mod reading;
mod state;

use std::path::{Path, PathBuf};

pub use config_file::{ConfigFault, load_config, load_config_and_text};
pub use credentials::CredentialFiles;
pub(crate) use open::off_stdio;
pub use reading::Reading;
pub use state::{LockedState, OpenCharge, StateFiles, Turn};

use crate::{
    account::{Subject, UserName},
    ports::{Fault, StoreError},
};

/// The folders of a store.
const CREDENTIALS: &str = "credentials";
const STATES: &str = "state";

/// The store under one directory.
#[derive(Debug, Clone)]
pub struct Store {
    /// What users hold.
    pub credentials: CredentialFiles,
    /// What logins change.
    pub states: StateFiles,
    root: PathBuf,
}

impl Store {
    /// The store under `root`, an absolute path. Nothing is opened yet.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let credentials = CredentialFiles::at(&root.join(CREDENTIALS));
        Self { credentials, states: StateFiles::at(root), root: root.to_owned() }
    }

    /// Makes the folders that are not there, mode 0700. For administrators.
    ///
    /// # Errors
    /// [`StoreError`]; also if a folder that is there cannot be trusted.
    pub fn prepare(&self) -> Result<(), StoreError> {
        for folder in [self.root.clone(), self.root.join(CREDENTIALS), self.root.join(STATES)] {
            open::make_folder(&folder)?;
        }
        Ok(())
    }
}

/// Checks that a socket is root's, and that nobody else could have put it where it is.
///
/// # Errors
/// [`StoreError`]; [`Fault::Missing`] if it, or a folder on its way, is not there.
pub fn check_socket(path: &Path) -> Result<(), StoreError> {
    open::check_socket(path)
}

/// Checks that a folder, and every folder on the way to it, is root's and that nobody else may write in it.
///
/// # Errors
/// [`StoreError`].
pub fn check_folder(path: &Path) -> Result<(), StoreError> {
    open::Folder::open(path, open::Readers::All).map(|_| ())
}

/// The file name of a subject's records with `suffix`.
fn file_name(subject: &Subject, suffix: &str) -> Result<String, StoreError> {
    name_with(&subject.name, suffix)
}

/// The same of a user who need not be an account any more.
fn name_with(user: &UserName, suffix: &str) -> Result<String, StoreError> {
    let name = format!("{}{suffix}", user.file_name());
    // Room for the dot and the ending of a file that is being written.
    if name.len() > 250 {
        return Err(StoreError { path: name.into(), fault: Fault::Name });
    }
    Ok(name)
}
