//! `twinlock repair`: a new record where the old one cannot be read. Errs on the side of "used". With `--layout`, see
//! [`layout`].

use std::path::Path;

use twinlock_core::ports::Clock;
use twinlock_service::admin::{self, Repair};
use twinlock_store::host::SystemClock;

use crate::{
    cli::RepairArguments as Arguments,
    context::{self, CommandContext},
    failure::Failure,
    layout, messages,
    output::print_note,
};

pub(crate) fn run(config: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    if arguments.layout {
        return layout::repair(&context, arguments.user.as_deref());
    }
    let subject = context::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    match admin::repair(&context.store.credentials, &context.store.states, &subject, SystemClock.now())? {
        Repair::NotEnrolled => Err(Failure::not_enrolled(user)),
        Repair::Sound => {
            print_note(&messages::repair::sound(&subject.name));
            Ok(())
        }
        Repair::Made => {
            context.audit_log().changed("repaired", user);
            print_note(&messages::repair::made(&subject.name));
            Ok(())
        }
    }
}
