//! `twinlock list`: every account that may log in, with and without a second factor.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use twinlock_service::status::Listed;
use twinlock_store::host::accounts::{self, Members};

use crate::{
    accounts::Accounts,
    cli::List,
    context::CommandContext,
    failure::Failure,
    messages,
    output::{print, print_json, print_note, print_styled},
    table,
};

pub(crate) fn run(config: &Path, arguments: &List) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let group = arguments.group.as_deref().map(group).transpose()?;
    let accounts = Accounts::find(&context, group.as_ref())?;
    let rows = accounts.read(&context)?;
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
        print_styled(&table::for_people(&rows, arguments.headings(), table::Colour::of_terminal()))?;
    } else {
        print(&table::for_programs(&rows, arguments.headings()))?;
    }
    if accounts.without_account > 0 && group.is_none() {
        print_note(&messages::list::without_account(accounts.without_account));
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
