//! One file of credentials, in a folder that is open.

use twinlock_core::{account::Subject, credentials::Enrolment};

use super::{
    file_name,
    open::{Folder, Readers, error},
};
use crate::{
    format::TomlDocument as _,
    ports::{StoreError, StoreErrorKind},
};

pub(super) const LARGEST: u64 = 64 * 1024;
pub(super) const SUFFIX: &str = ".toml";

/// Reads a user's credentials in the folder; another uid's are an error.
pub(super) fn read_in(folder: &Folder, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
    let enrolment = read_any_uid_in(folder, subject)?;
    match enrolment.as_ref().and_then(|enrolment| enrolment.uid) {
        Some(stored) if stored != subject.uid => {
            let path = folder.path_of(&file_name(subject, SUFFIX)?);
            Err(error(&path, StoreErrorKind::OtherUid { stored, account: subject.uid }))
        }
        Some(_) | None => Ok(enrolment),
    }
}

/// Whether there are credentials of this name that are not another uid's.
pub(super) fn are_of_uid(folder: &Folder, subject: &Subject) -> Result<bool, StoreError> {
    let enrolment = read_any_uid_in(folder, subject)?;
    Ok(enrolment.is_some_and(|enrolment| enrolment.uid.is_none_or(|uid| uid == subject.uid)))
}

/// The same, whatever uid it was made for.
pub(super) fn read_any_uid_in(folder: &Folder, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
    let name = file_name(subject, SUFFIX)?;
    let Some(text) = folder.read(&name, Readers::Root, LARGEST)? else {
        return Ok(None);
    };
    let path = folder.path_of(&name);
    let enrolment = Enrolment::parse(&text).map_err(|bad| error(&path, StoreErrorKind::Credentials(bad)))?;
    if enrolment.user != subject.name {
        return Err(error(&path, StoreErrorKind::OtherUser));
    }
    Ok(Some(enrolment))
}
