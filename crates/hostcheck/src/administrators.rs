//! The accounts that may become root on this host, and the services that let people in without a code.

use std::collections::BTreeMap;

use twinlock_core::{account::UserName, credentials::Enrolment};
use twinlock_store::{
    host::accounts::{self, Account},
    ports::ReadCredentials,
};

use crate::{
    HostError, Installation, messages,
    pam_files::{self, Phase},
};

/// The accounts with administrator rights that may log in at all; root is the first.
pub(crate) fn administrators() -> Result<Vec<Account>, HostError> {
    let failed = |error: std::io::Error| HostError::refused(messages::no_passwd_database(&error));
    let local = accounts::of_passwd_file().map_err(failed)?;
    let mut groups = Vec::new();
    for name in accounts::ADMINISTRATORS {
        groups.extend(accounts::members(name).map_err(failed)?);
    }
    let mut known: BTreeMap<UserName, Account> = BTreeMap::new();
    for name in groups.iter().flat_map(accounts::Members::names) {
        if let Some(account) = accounts::find(&name).map_err(failed)? {
            known.insert(name, account);
        }
    }
    let is_one = |account: &Account| account.subject.uid == 0 || groups.iter().any(|group| group.contain(account));
    for account in local.into_iter().filter(is_one) {
        known.insert(account.subject.name.clone(), account);
    }
    let mut all: Vec<Account> = known.into_values().filter(Account::may_log_in).collect();
    all.sort_by_key(|account| account.subject.uid);
    Ok(all)
}

/// Whether somebody can give a code.
pub(crate) fn is_enrolled(installation: &Installation<'_>, account: &Account) -> bool {
    let found = installation.store.credentials.read(&account.subject);
    found.is_ok_and(|found| found.as_ref().is_some_and(|enrolment: &Enrolment| enrolment.active().next().is_some()))
}

/// Whether a service lets people in without a code.
pub(crate) fn without_code(service: &str) -> Result<bool, HostError> {
    Ok(pam_files::read_service(service)
        .map_err(|error| HostError::refused(error.to_string()))?
        .is_some_and(|lines| lines.iter().all(|line| line.phase != Phase::Auth)))
}
