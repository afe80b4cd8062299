//! One file of credentials, in a folder that is open.

use twinlock_core::{account::Subject, credentials::Enrolment};

use super::{
    file_name,
    open::{Folder, error},
    secrets::{CredentialsText, Secrets},
};
use crate::{
    format::TomlDocument as _,
    ports::{StoreError, StoreErrorKind},
};

pub(super) const LARGEST: u64 = 64 * 1024;
/// Behind the name of the user, in clear.
pub(super) const SUFFIX: &str = ".toml";
/// The same, sealed.
pub(super) const SEALED_SUFFIX: &str = ".sealed";

/// Reads a user's credentials in the folder; another uid's are an error.
pub(super) fn read_in(secrets: &Secrets, folder: &Folder, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
    let enrolment = read_any_uid_in(secrets, folder, subject)?;
    match enrolment.as_ref().and_then(|enrolment| enrolment.uid) {
        Some(stored) if stored != subject.uid => {
            let path = folder.path_of(&file_name(subject, SUFFIX)?);
            Err(error(&path, StoreErrorKind::OtherUid { stored, account: subject.uid }))
        }
        Some(_) | None => Ok(enrolment),
    }
}

/// Whether there are credentials of this name that are not another uid's.
pub(super) fn are_of_uid(secrets: &Secrets, folder: &Folder, subject: &Subject) -> Result<bool, StoreError> {
    let enrolment = read_any_uid_in(secrets, folder, subject)?;
    Ok(enrolment.is_some_and(|enrolment| enrolment.uid.is_none_or(|uid| uid == subject.uid)))
}

/// The same, whatever uid it was made for.
pub(super) fn read_any_uid_in(
    secrets: &Secrets,
    folder: &Folder,
    subject: &Subject,
) -> Result<Option<Enrolment>, StoreError> {
    secrets.read(folder, &subject.name)?.map(|found| parse(&found, subject)).transpose()
}

/// The credentials that a text is.
pub(super) fn parse(found: &CredentialsText, subject: &Subject) -> Result<Enrolment, StoreError> {
    let refused = |kind| error(&found.path, kind);
    let enrolment = Enrolment::parse(&found.text).map_err(|bad| refused(StoreErrorKind::Credentials(bad)))?;
    if enrolment.user != subject.name {
        return Err(refused(StoreErrorKind::OtherUser));
    }
    Ok(enrolment)
}
