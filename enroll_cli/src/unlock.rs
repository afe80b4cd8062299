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
        backend.ensure_enrolled()?;
    }
    for backend in &backends {
        let dialogue = TerminalDialogue::at(Terminal::or_stdin);
        let Done::Unlocked = dialogue.have_done(backend, &Request::Unlock)? else {
            return Err(messages::unexpected_answer());
        };
        print_note(&messages::unlock::unlocked(backend.user()));
    }
    Ok(())
}
