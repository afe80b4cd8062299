//! `twinlock remove`: a user without a second factor.

use std::path::Path;

use twinlock_core::policy::SecondFactor;
use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::{CommandBackend, out_of_place},
    cli::Remove,
    context::CommandContext,
    dialogue::TerminalDialogue,
    failure::Failure,
    output::print_note,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &Remove) -> Result<(), Failure> {
    let backend = CommandBackend::choose_for_leaver(config, Some(&arguments.user))?;
    let user = backend.user();
    let means = match &backend {
        // Also removes what cannot be read: the way out of a damaged file.
        CommandBackend::Local(context, subject) if context.store.holds_nothing_of(subject)? => {
            return Err(Failure::not_enrolled(user));
        }
        CommandBackend::Local(context, _) => consequences(context),
        // Where a rule wants a second factor, the broker refuses.
        CommandBackend::Broker { .. } => "logs in with the first factor alone".into(),
    };
    if !arguments.yes {
        let mut terminal = Terminal::open("removing", "--yes does it without asking")?;
        let answer = terminal.ask(&format!("Remove the second factor of {user}, who then {means}? Type yes: "))?;
        if answer.as_deref().map(Vec::as_slice) != Some(b"yes") {
            return Err(Failure::refused("not confirmed, so nothing was changed"));
        }
    }
    let dialogue = TerminalDialogue::at(|| Terminal::or_stdin("a code", "pipe the code into stdin"));
    let Done::Removed = dialogue.have_done(&backend, &Request::Remove)? else {
        return Err(out_of_place());
    };
    print_note(&format!("{user}: no second factor any more; {user} {means}"));
    Ok(())
}

fn consequences(context: &CommandContext) -> String {
    let rules = if context.config.policy.rules.is_empty() { "" } else { " (where no rule says otherwise)" };
    let means = match context.config.policy.otherwise {
        SecondFactor::Required => "cannot log in until enrolled again",
        SecondFactor::Enroll => "enrols again at the next login",
        SecondFactor::Optional | SecondFactor::Skip => "logs in with the first factor alone",
    };
    format!("{means}{rules}")
}
