//! `twinlock unlock`: wrong answers forgotten. What was used stays used.

use std::path::Path;

use twinlock_service::admin;
use twinlock_store::ports::ReadCredentials;

use crate::{
    cli::Users,
    context::{self, CommandContext},
    failure::Failure,
    messages,
    output::print_note,
};

pub(crate) fn run(config: &Path, arguments: &Users) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let subjects = context::accounts(&arguments.user)?;
    for subject in &subjects {
        if context.store.credentials.read(subject)?.is_none() {
            return Err(Failure::not_enrolled(subject.name.as_str()));
        }
    }
    for subject in &subjects {
        admin::unlock(&context.store.states, subject)?;
        context.audit_log().changed("unlocked", subject.name.as_str());
        print_note(&messages::unlock::unlocked(&subject.name));
    }
    Ok(())
}
