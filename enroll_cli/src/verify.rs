//! `twinlock verify`: one attempt, as a login makes it.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::CommandBackend, cli, dialogue::TerminalDialogue, failure::Failure, messages, output::print,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &cli::User) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    let Done::Verified(recovery_codes_left) = dialogue.have_done(&backend, &Request::Verify)? else {
        return Err(messages::unexpected_answer());
    };
    print(&messages::verify::accepted(recovery_codes_left))
}
