//! The accounts that `list`, `report`, `metrics` and `explain --all` are about: those of `/etc/passwd` that may log
//! in, all users who are enrolled, and with a group its members. Directories are asked for names, never for all they know.

use std::collections::HashSet;

use twinlock_core::{
    account::{Subject, UserName},
    ports::Clock,
};
use twinlock_hostcheck::{accounts::known, parallel};
use twinlock_service::status::{Listed, Status};
use twinlock_store::host::{
    SystemClock,
    accounts::{Account, Members},
};

use crate::{context::CommandContext, failure::Failure, progress::Progress};

/// Accounts in the order of their names.
pub(crate) struct Accounts {
    found: Vec<Account>,
    /// The users of whom the store has credentials or state.
    with_files: HashSet<UserName>,
    /// How many files in `credentials/` belong to no account.
    pub(crate) without_account: usize,
}

impl Accounts {
    /// Finds the accounts, or those of one group.
    pub(crate) fn find(context: &CommandContext, group: Option<&Members>) -> Result<Self, Failure> {
        let files = context.store.credentials.file_names()?;
        // Nobody is shown as not enrolled because the store is another one.
        context.store.check_identity()?;
        let enrolled: HashSet<UserName> = files.iter().filter_map(|file| UserName::from_file_name(file).ok()).collect();
        let known = known(&enrolled, group)?;
        let without_account =
            files.len().saturating_sub(enrolled.iter().filter(|name| known.contains_key(name)).count());
        let found = known
            .into_values()
            .filter(|account| account.may_log_in() || enrolled.contains(&account.subject.name))
            .filter(|account| group.is_none_or(|group| group.contain(account)))
            .collect();
        // A record without credentials is not the same as no enrolment.
        let with_files = enrolled.into_iter().chain(context.store.states.users()?).collect();
        Ok(Self { found, with_files, without_account })
    }

    /// The accounts themselves.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.found.iter().map(|account| &account.subject)
    }

    /// The status of each account, in the same order. Reading is waiting, for the kernel or for a disk: all processors do it.
    pub(crate) fn read(&self, context: &CommandContext) -> Result<Vec<Listed>, Failure> {
        let progress = Progress::over(self.found.len());
        let reading = context.store.reading()?;
        let (limits, now) = (context.config.limits(), SystemClock.now());
        let one = |account: &Account| {
            let subject = &account.subject;
            let found = if self.with_files.contains(&subject.name) {
                context.read_status(&reading, subject)
            } else {
                Ok(Status::new(subject, None, None, &limits, now))
            };
            progress.step();
            Listed::new(subject, found)
        };
        Ok(parallel::map(&self.found, one))
    }
}
