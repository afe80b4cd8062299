//! How the store lies on its file system: the flag against copying on write, and the index by uid.

use twinlock_core::account::{Subject, UserName};
use twinlock_hostcheck::copy_on_write::{is_zfs, remake, set_flag};
use twinlock_store::{
    files::{Prepared, Store},
    host::{self, Kernel},
    ports::{StoreError, WriteCredentials},
};

use crate::{
    context::{self, CommandContext},
    failure::Failure,
    messages::repair as messages,
    output::print_note,
};

/// Makes the folders and the ids of the store that are not there, and sets the flag on the folder of records where it helps. A flag
/// that cannot be set stops nobody from enrolling: `twinlock doctor` says that it is missing.
pub(crate) fn prepare(store: &Store) -> Result<Prepared, StoreError> {
    let prepared = store.prepare(&mut Kernel)?;
    let _ = set_flag(&store.states.folder()?);
    Ok(prepared)
}

/// After an enrolment: a record that was there before is brought up to date. The enrolment is done, whatever comes of it.
pub(crate) fn update(store: &Store, user: &UserName) {
    if let Err(error) = index(store, user).and_then(|_| remake(&store.states, user)) {
        print_note(&messages::not_remade(user, &error));
    }
}

/// Enters everybody of an existing store into the index by uid. What cannot be read is named, and left to `check`.
pub(crate) fn index_all(store: &Store) -> Result<(), StoreError> {
    for user in users_of(store)? {
        if let Err(error) = index(store, &user) {
            print_note(&messages::not_remade(&user, &error));
        }
    }
    Ok(())
}

/// `twinlock repair --layout`: sets the flag, makes anew the records that lack it, and enters users into the index by uid. Killed at any point, it leaves every
/// record whole, and the next run does the rest.
pub(crate) fn repair(context: &CommandContext, user: Option<&str>) -> Result<(), Failure> {
    let (store, states) = (&context.store, &context.store.states);
    store.prepare(&mut Kernel)?;
    let place = context.config.store.directory.join("state");
    let folder = states.folder()?;
    if is_zfs(&folder) {
        print_note(messages::ZFS);
    }
    if set_flag(&folder).map_err(|error| messages::flag_not_set(&place, &error))? {
        print_note(&messages::flag_set(&place));
    }
    let users = match user {
        Some(user) => vec![context::account(Some(user))?.name],
        None => users_of(store)?,
    };
    let (mut remade, mut indexed, mut failed) = (0usize, 0usize, 0usize);
    for user in &users {
        match index(store, user).and_then(|indexed| Ok((indexed, remake(states, user)?))) {
            Ok((is_indexed, is_new)) => {
                remade = remade.saturating_add(is_new.into());
                indexed = indexed.saturating_add(is_indexed.into());
                if is_new {
                    print_note(&messages::remade(user));
                }
            }
            Err(error) => {
                failed = failed.saturating_add(1);
                print_note(&messages::not_remade(user, &error));
            }
        }
    }
    print_note(&messages::summary(users.len(), remade, indexed));
    if failed > 0 { Err(messages::some_failed(failed)) } else { Ok(()) }
}

/// Everybody who has a record or credentials.
fn users_of(store: &Store) -> Result<Vec<UserName>, StoreError> {
    let mut users = store.states.users()?;
    let enrolled = store.credentials.file_names()?;
    users.extend(enrolled.iter().filter_map(|file| UserName::from_file_name(file).ok()));
    users.sort_unstable();
    users.dedup();
    Ok(users)
}

/// Enters a user into the index by uid; false if the user is there. The uid is that of the record, else that of the
/// credentials, else that of the account.
fn index(store: &Store, user: &UserName) -> Result<bool, StoreError> {
    let any = Subject { name: user.clone(), uid: 0 };
    let stored = match store.states.look(&any)? {
        Some(record) => Some(record.uid),
        None => store.credentials.read_any_uid(&any)?.and_then(|enrolment| enrolment.uid),
    };
    let subject = match stored {
        Some(uid) => Some(Subject { uid, ..any }),
        None => host::account(user).ok().flatten().filter(|account| account.name == *user),
    };
    subject.map_or(Ok(false), |subject| store.states.index(&subject))
}
