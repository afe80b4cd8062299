//! `twinlock adopt`: the same person under another uid or another name keeps the second factor.

use std::path::Path;

use twinlock_core::account::{Subject, UserName};
use twinlock_service::admin::{self, Renamed};
use twinlock_store::host;

use crate::{
    cli::Adopt,
    context::{self, CommandContext},
    failure::Failure,
    messages,
    output::{print_note, sanitize_for_terminal},
};

pub(crate) fn run(config: &Path, arguments: &Adopt) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let subject = context::account(Some(arguments.new.as_ref().unwrap_or(&arguments.user)))?;
    match &arguments.new {
        Some(_) => under_another_name(&context, &arguments.user, &subject),
        None => under_another_uid(&context, &subject),
    }
}

fn under_another_uid(context: &CommandContext, subject: &Subject) -> Result<(), Failure> {
    let user = subject.name.as_str();
    if !admin::adopt(&context.store.credentials, &context.store.states, subject)? {
        return Err(Failure::not_enrolled(user));
    }
    context.audit_log().changed("adopted", user);
    print_note(&messages::adopt::adopted(subject));
    Ok(())
}

fn under_another_name(context: &CommandContext, typed: &str, subject: &Subject) -> Result<(), Failure> {
    let (old, new) = (context::user_name(typed)?, &subject.name);
    if is_account(&old)? {
        return Err(messages::adopt::old_name_in_use(&old, new));
    }
    match admin::adopt_renamed((&context.store.credentials, &context.store.states), &old, subject)? {
        Renamed::NotEnrolled => Err(messages::adopt::old_not_enrolled(&old)),
        Renamed::AlreadyEnrolled => Err(messages::adopt::both_enrolled(&old, new)),
        Renamed::Moved => {
            context.audit_log().changed("adopted", new.as_str());
            print_note(&sanitize_for_terminal(&messages::adopt::moved(&old, new)));
            Ok(())
        }
    }
}

/// Whether there is an account of exactly this name: a directory may find one by an older or shorter name.
fn is_account(name: &UserName) -> Result<bool, Failure> {
    let found = host::account(name);
    let found = found.map_err(|error| messages::no_passwd_database(&error))?;
    Ok(found.is_some_and(|found| found.name == *name))
}
