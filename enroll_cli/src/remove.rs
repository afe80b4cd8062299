//! `twinlock remove`: a user without a second factor.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::CommandBackend, cli::Remove, dialogue::TerminalDialogue, failure::Failure, messages, output::print_note,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &Remove) -> Result<(), Failure> {
    let backend = CommandBackend::choose_for_leaver(config, Some(&arguments.user))?;
    let user = backend.user();
    let consequence = match &backend {
        // Also removes what cannot be read: the way out of a damaged file.
        CommandBackend::Local(context, subject) if context.store.holds_nothing_of(subject)? => {
            return Err(messages::remove::not_enrolled(user));
        }
        CommandBackend::Local(context, _) => {
            let policy = &context.config.policy;
            messages::remove::consequence(user, policy.otherwise, !policy.rules.is_empty())
        }
        // Where a rule wants a second factor, the broker refuses.
        CommandBackend::Broker { .. } => messages::remove::logs_in(user),
    };
    if !arguments.yes {
        let mut terminal = Terminal::open().ok_or_else(|| messages::remove::without_terminal(user))?;
        let answer = terminal.ask(&messages::remove::confirmation(user, &consequence))?;
        if !answer.is_some_and(|answer| messages::remove::is_yes(&answer)) {
            return Err(messages::remove::not_confirmed(user));
        }
    }
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    match dialogue.have_done(&backend, &Request::Remove) {
        Ok(Done::Removed) => {}
        Ok(_) => return Err(messages::unexpected_answer()),
        Err(failure) if failure.is_not_enrolled() => return Err(messages::remove::not_enrolled(user)),
        Err(failure) => return Err(failure),
    }
    print_note(&messages::remove::removed(user, &consequence));
    Ok(())
}
