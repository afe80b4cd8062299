//! `twinlock list`: every account that may log in, with and without a second factor.
//!
//! The accounts are those of `/etc/passwd`, everybody who is enrolled, and with `--group` the members of the group:
//! directories are asked for names, never for all they know.

use std::{
    collections::HashSet,
    io::{self, IsTerminal},
    path::Path,
};

use twinlock_core::{account::UserName, ports::Clock};
use twinlock_hostcheck::{accounts::known, parallel};
use twinlock_service::status::{Listed, Status};
use twinlock_store::{
    files::Reading,
    host::{
        SystemClock,
        accounts::{self, Account, Members},
    },
};

use crate::{
    cli::List,
    context::CommandContext,
    failure::Failure,
    messages,
    output::{print, print_json, print_note, print_styled},
    progress::Progress,
    table,
};

pub(crate) fn run(config: &Path, arguments: &List) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let group = arguments.group.as_deref().map(group).transpose()?;
    let files = context.store.credentials.file_names()?;
    // Nobody is shown as not enrolled because the store is another one.
    context.store.check_identity()?;
    let states: HashSet<UserName> = context.store.states.users()?.into_iter().collect();
    let enrolled: HashSet<UserName> = files.iter().filter_map(|file| UserName::from_file_name(file).ok()).collect();
    let known = known(&enrolled, group.as_ref())?;

    let gone = files.len().saturating_sub(enrolled.iter().filter(|name| known.contains_key(name)).count());
    let listed: Vec<&Account> = known
        .values()
        .filter(|account| account.may_log_in() || enrolled.contains(&account.subject.name))
        .filter(|account| group.as_ref().is_none_or(|group| group.contain(account)))
        .collect();
    // A record without credentials is not the same as no enrolment.
    let known = |name: &UserName| enrolled.contains(name) || states.contains(name);
    let rows = read(&context, &context.store.reading()?, &listed, known);
    // Users whose files cannot be read are shown in any case: it is not known that they are not meant.
    let meant = |row: &Listed| match (arguments.without, arguments.disabled) {
        (true, _) => row.enrolled != Some(true),
        (_, true) => row.is_disabled() || row.error.is_some(),
        (false, false) => true,
    };
    let rows: Vec<Listed> = rows.into_iter().filter(meant).collect();
    if arguments.json {
        print_json(&rows)?;
    } else if io::stdout().is_terminal() {
        print_styled(&table::for_people(&rows, table::Colour::of_terminal()))?;
    } else {
        print(&table::for_programs(&rows))?;
    }
    if gone > 0 && group.is_none() {
        print_note(&messages::list::without_account(gone));
    }
    let unread = rows.iter().filter(|row| row.error.is_some()).count();
    if unread > 0 {
        return Err(messages::list::some_unreadable(unread, rows.len()));
    }
    Ok(())
}

fn group(name: &str) -> Result<Members, Failure> {
    let found = accounts::members(name).map_err(|error| messages::list::no_group_database(&error))?;
    found.ok_or_else(|| messages::list::no_group(name))
}

/// How each account stands, in the same order. Reading is waiting, for the kernel or for a disk: all processors do it.
fn read(
    context: &CommandContext,
    reading: &Reading,
    accounts: &[&Account],
    known: impl Fn(&UserName) -> bool + Sync,
) -> Vec<Listed> {
    let (limits, now) = (context.config.limits(), SystemClock.now());
    let progress = Progress::over(accounts.len());
    let one = |account: &&Account| {
        let subject = &account.subject;
        let found = if known(&subject.name) {
            context.read_status(reading, subject)
        } else {
            Ok(Status::new(subject, None, None, &limits, now))
        };
        progress.step();
        Listed::new(subject, found)
    };
    parallel::map(accounts, one)
}
