//! The members of groups, as the group database says, directories included.

use std::{ffi::CString, io};

use nix::unistd::{Gid, Group, User, getgrouplist};
use twinlock_core::{
    account::UserName,
    policy::{Groups, Hosts},
};

/// The host's group database.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemGroups;

impl Groups for SystemGroups {
    /// All groups by number, then their names. A number without a name is no group that a rule could name.
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
        let Some(account) = User::from_name(user.as_str())? else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the account is gone"));
        };
        let name = CString::new(account.name)?;
        let numbers: Vec<Gid> = getgrouplist(&name, account.gid)?;
        let mut names = Vec::with_capacity(numbers.len());
        for number in numbers {
            names.extend(Group::from_gid(number)?.map(|group| group.name));
        }
        Ok(names)
    }

    /// A directory may find a group in another case than it says it, and one number may have two names: what `of` never
    /// says cannot be compared.
    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
        let Some(found) = Group::from_name(group)? else {
            return Ok(None);
        };
        let called_so = Group::from_gid(found.gid)?.is_some_and(|named| named.name == group);
        Ok(called_so.then_some(found.mem))
    }
}

impl Hosts for SystemGroups {
    fn account_found_as(&self, name: &UserName) -> io::Result<Option<UserName>> {
        Ok(super::account(name)?.map(|subject| subject.name))
    }
}
