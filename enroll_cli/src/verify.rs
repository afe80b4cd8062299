//! `twinlock verify`: one attempt, as a login makes it.

use std::path::Path;

use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::{CommandBackend, out_of_place},
    cli,
    dialogue::TerminalDialogue,
    failure::Failure,
    output::print,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &cli::User) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let dialogue = TerminalDialogue::at(|| Terminal::or_stdin("a code", "pipe the code into stdin"));
    let Done::Verified(recovery_codes_left) = dialogue.have_done(&backend, &Request::Verify)? else {
        return Err(out_of_place());
    };
    match recovery_codes_left {
        None => print("right: the code is used now\n"),
        Some(left) => print(&format!("right: the recovery code is used now, {left} are left\n")),
    }
}
