//! The store on disk: safe opening, credentials, state, configuration. Adapters of [`crate::ports`].

mod catalogue_file;
mod config_file;
mod credentials;
mod credentials_file;
mod emergency;
mod identity;
mod key_file;
mod lock;
mod offer;
mod open;
mod prepare;
mod private;
mod reading;
mod sealing;
mod secrets;
mod state;
mod uid_index;

use std::path::{Path, PathBuf};

pub use catalogue_file::load_catalogue;
pub use config_file::{ConfigFileError, load_config, load_config_and_text};
pub use credentials::CredentialFiles;
pub use emergency::{EMERGENCY_PATH, emergency_in_force, read_emergency, remove_emergency, write_emergency};
use identity::Identity;
pub use key_file::{KEY_FOLDER, key_path, read_any_key, read_key};
pub use offer::OfferFile;
pub use open::off_stdio;
pub use prepare::Prepared;
pub use private::{erase_private, make_private_folder, private_names, read_private, write_private};
pub use reading::Reading;
pub use sealing::{HeldForm, SealingLock};
use secrets::Secrets;
pub use state::{HashPermit, LockedStateFile, PendingFailureFile, StateFiles};
use twinlock_core::account::{Subject, UserName};

use crate::{
    config::StoreSettings,
    ports::{StoreError, StoreErrorKind, WriteCredentials},
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
    identity: Identity,
    secrets: Secrets,
}

impl Store {
    /// The store of these settings, of the host with this configuration file. Nothing is opened yet.
    #[must_use]
    pub fn at(settings: &StoreSettings, config: &Path) -> Self {
        let root = settings.directory.as_path();
        let identity = Identity::at(root, config);
        let secrets = Secrets::new(identity.clone(), settings.key_file.clone());
        let states = StateFiles::at(root, secrets.clone());
        let credentials = CredentialFiles::at(root, states.clone(), identity.clone(), secrets.clone());
        Self { credentials, states, root: root.to_owned(), identity, secrets }
    }

    /// Makes sure that the store is the one of this host: only then does a user without credentials count as not enrolled.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreErrorKind::Identity`] if the ids of the store and of the host are not there or differ.
    pub fn check_identity(&self) -> Result<(), StoreError> {
        self.identity.check()
    }

    /// Whether a sound store has neither credentials nor a record of the user. Files that cannot be read are not nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the store is not surely the one of this host.
    pub fn holds_nothing_of(&self, subject: &Subject) -> Result<bool, StoreError> {
        match self.credentials.read_any_uid(subject) {
            Ok(None) => Ok(matches!(self.states.look(subject), Ok(None))),
            Err(error) if matches!(error.kind, StoreErrorKind::Identity(_)) => Err(error),
            Ok(Some(_)) | Err(_) => Ok(false),
        }
    }
}

/// Checks that a socket is root's, and that nobody else could have put it where it is.
///
/// # Errors
/// [`StoreError`]; [`StoreErrorKind::Missing`] if it, or a folder on its way, is not there.
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
        return Err(StoreError { path: name.into(), kind: StoreErrorKind::Name });
    }
    Ok(name)
}
