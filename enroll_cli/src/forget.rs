//! `twinlock forget`: remembered logins ended, so that the next login is asked for a code.

use std::path::Path;

use twinlock_core::ports::Clock;
use twinlock_service::admin;
use twinlock_store::host::SystemClock;

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
        let forgotten = admin::forget(&context.store.states, subject, SystemClock.now())?;
        context.audit_log().changed("forgotten", subject.name.as_str());
        print_note(&messages::unlock::forgotten(&subject.name, forgotten));
    }
    Ok(())
}
