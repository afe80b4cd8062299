//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::CommandBackend, cli::User, dialogue::TerminalDialogue, failure::Failure, messages, output::print,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &User) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    let Done::Resynced = dialogue.have_done(&backend, &Request::Resync)? else {
        return Err(messages::unexpected_answer());
    };
    print(&messages::verify::resynced())
}
