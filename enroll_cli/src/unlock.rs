//! `twinlock unlock`: wrong answers forgotten. What was used stays used.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::CommandBackend, cli::Users, dialogue::TerminalDialogue, failure::Failure, messages, output::print_note,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &Users) -> Result<(), Failure> {
    let backends: Result<Vec<_>, _> =
        arguments.user.iter().map(|user| CommandBackend::choose(config, Some(user))).collect();
    let backends = backends?;
    for backend in &backends {
        backend.ensure_enrolled().map_err(|failure| nothing_to_clear(failure, backend.user()))?;
    }
    for backend in &backends {
        let dialogue = TerminalDialogue::at(Terminal::or_stdin);
        let done = dialogue.have_done(backend, &Request::Unlock);
        let Done::Unlocked = done.map_err(|failure| nothing_to_clear(failure, backend.user()))? else {
            return Err(messages::unexpected_answer());
        };
        print_note(&messages::unlock::unlocked(backend.user()));
    }
    Ok(())
}

/// A user who is not enrolled has no failures: to enrol them is not what was wanted.
fn nothing_to_clear(failure: Failure, user: &str) -> Failure {
    if failure.is_not_enrolled() { messages::unlock::not_enrolled(user) } else { failure }
}
