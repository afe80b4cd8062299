//! Which users have a second factor under a uid: `uid/NUMBER`, one escaped user name a line.
//!
//! Records and credentials are found by the name of the user. By this index a renamed account is not taken for one that was
//! never enrolled. An entry that is left over means nothing: it counts only while there are credentials of that name.

use twinlock_core::account::{Subject, UserName};

use super::{
    credentials_file::{self, SUFFIX},
    lock::lock,
    name_with,
    open::{Folder, Readers, error},
    secrets::Secrets,
};
use crate::{
    host,
    ports::{StoreError, StoreErrorKind},
};

/// The folder in the store.
pub(super) const FOLDER: &str = "uid";
const LARGEST: u64 = 64 * 1024;

/// Adds a user to those of the uid; false if nothing is to be done. A store of an older version, without the folder, is left as
/// it is: the folder is made by administrators.
pub(super) fn add(store: &Folder, subject: &Subject) -> Result<bool, StoreError> {
    let _one_at_a_time = lock(store.as_file()?, store.path())?;
    let Some(folder) = open(store)? else {
        return Ok(false);
    };
    let mut names = names(&folder, subject.uid)?;
    if names.contains(&subject.name) {
        return Ok(false);
    }
    names.push(subject.name.clone());
    write(&folder, subject.uid, &names)?;
    Ok(true)
}

/// Takes a user away from those of the uid.
pub(super) fn remove(store: &Folder, subject: &Subject) -> Result<(), StoreError> {
    let _one_at_a_time = lock(store.as_file()?, store.path())?;
    let Some(folder) = open(store)? else {
        return Ok(());
    };
    let before = names(&folder, subject.uid)?;
    let left: Vec<_> = before.iter().filter(|name| **name != subject.name).cloned().collect();
    match (left.len() == before.len(), left.is_empty()) {
        (true, _) => Ok(()),
        (false, false) => write(&folder, subject.uid, &left),
        (false, true) => {
            folder.remove(&file_of(subject.uid))?;
            folder.sync()
        }
    }
}

/// Makes sure that no other name has credentials of this account's uid, unless that is the name of a second account with the
/// same uid. For a user of whom no credentials were found: if the account was renamed, they are there under the old name.
pub(super) fn check_not_renamed(
    secrets: &Secrets,
    store: &Folder,
    credentials: &Folder,
    subject: &Subject,
) -> Result<(), StoreError> {
    let Some(folder) = open(store)? else {
        return Ok(());
    };
    for name in names(&folder, subject.uid)? {
        if name == subject.name {
            continue;
        }
        let other = Subject { name, uid: subject.uid };
        if credentials_file::are_of_uid(secrets, credentials, &other)? && !is_account(&folder, &other)? {
            let path = credentials.path_of(&name_with(&other.name, SUFFIX)?);
            return Err(error(&path, StoreErrorKind::OtherName { stored: other.name, account: subject.name.clone() }));
        }
    }
    Ok(())
}

/// Whether there is an account of exactly this name and this uid.
fn is_account(folder: &Folder, subject: &Subject) -> Result<bool, StoreError> {
    let found = host::account(&subject.name);
    let found = found.map_err(|e| error(&folder.path_of(&file_of(subject.uid)), StoreErrorKind::Read(e)))?;
    Ok(found.as_ref() == Some(subject))
}

/// `None` if there is no index yet: the store is one of an older version.
fn open(store: &Folder) -> Result<Option<Folder>, StoreError> {
    match store.folder(FOLDER, Readers::Root) {
        Ok(folder) => Ok(Some(folder)),
        Err(StoreError { kind: StoreErrorKind::Missing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn names(folder: &Folder, uid: u32) -> Result<Vec<UserName>, StoreError> {
    let file = file_of(uid);
    let Some(text) = folder.read(&file, Readers::Root, LARGEST)? else {
        return Ok(Vec::new());
    };
    let malformed = || error(&folder.path_of(&file), StoreErrorKind::Index);
    let text = std::str::from_utf8(&text).map_err(|_| malformed())?;
    text.lines().map(|line| UserName::from_file_name(line).map_err(|_| malformed())).collect()
}

fn write(folder: &Folder, uid: u32, names: &[UserName]) -> Result<(), StoreError> {
    let text: String = names.iter().flat_map(|name| [name.file_name(), "\n".into()]).collect();
    folder.write(&file_of(uid), Readers::Root, text.as_bytes())
}

fn file_of(uid: u32) -> String {
    uid.to_string()
}
