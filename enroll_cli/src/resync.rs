//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::{CommandBackend, out_of_place},
    cli::User,
    dialogue::TerminalDialogue,
    failure::Failure,
    output::print,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &User) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let dialogue = TerminalDialogue::at(|| Terminal::or_stdin("codes", "pipe the two codes into stdin, a line each"));
    let Done::Resynced = dialogue.have_done(&backend, &Request::Resync)? else {
        return Err(out_of_place());
    };
    print("right: the authenticator is set right by these two codes\n")
}
