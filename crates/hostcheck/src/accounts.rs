//! The accounts of this host that are worth looking at. Directories are asked for names, never for all they know.

use std::{
    collections::{BTreeMap, HashSet},
    io,
};

use twinlock_core::account::UserName;
use twinlock_store::host::accounts::{self, Account, Members};

use crate::{HostError, messages};

/// The accounts of the host's own file, and those of directories that are enrolled or in the group.
///
/// # Errors
/// The passwd database cannot be asked.
#[allow(clippy::implicit_hasher, reason = "one kind of set is used for names everywhere")]
pub fn known(enrolled: &HashSet<UserName>, group: Option<&Members>) -> Result<BTreeMap<UserName, Account>, HostError> {
    let failed = |error: io::Error| HostError::refused(messages::no_passwd_database(&error));
    let local = accounts::of_passwd_file().map_err(failed)?;
    let mut known: BTreeMap<_, _> = local.into_iter().map(|account| (account.subject.name.clone(), account)).collect();
    for name in enrolled.iter().cloned().chain(group.into_iter().flat_map(Members::names)) {
        if !known.contains_key(&name)
            && let Some(account) = accounts::find(&name).map_err(failed)?
        {
            known.insert(account.subject.name.clone(), account);
        }
    }
    Ok(known)
}
