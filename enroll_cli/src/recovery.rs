//! `twinlock recovery`: a new set of codes, shown once, and how many are left.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use serde::Serialize;
use twinlock_service::{
    lifecycle::{Confirm, Done, Request},
    status::Status,
};
use zeroize::Zeroizing;

use crate::{
    backend::CommandBackend,
    cli::{self, RecoveryNew},
    dialogue::TerminalDialogue,
    failure::Failure,
    messages,
    output::{print, print_json, print_note},
    terminal::Terminal,
};

/// What `--json` prints. The names are stable.
#[derive(Serialize)]
struct Renewed<'a> {
    user: &'a str,
    recovery_codes: &'a [String],
}

pub(crate) fn renew(config: &Path, arguments: &RecoveryNew) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let user = backend.user();
    let confirm = if arguments.no_confirm { Confirm::Skip } else { Confirm::Ask };
    let dialogue = TerminalDialogue::at(|| Terminal::open().ok_or_else(|| messages::recovery::without_terminal(user)));
    let Done::RecoveryRenewed(recovery_codes) = dialogue.have_done(&backend, &Request::RenewRecovery(confirm))? else {
        return Err(messages::unexpected_answer());
    };
    if arguments.json {
        print_json(&Renewed { user, recovery_codes: &recovery_codes })
    } else if arguments.no_confirm {
        print(&Zeroizing::new(recovery_codes.join("\n") + "\n"))
    } else {
        print_note(&messages::recovery::renewed(user));
        Ok(())
    }
}

/// What `recovery count --json` prints. The names are stable.
#[derive(Serialize)]
struct Count<'a> {
    user: &'a str,
    recovery_codes_left: usize,
}

pub(crate) fn count(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let Status { recovery_codes_left, recovery_codes, .. } = backend.status_of_enrolled()?;
    if arguments.json {
        print_json(&Count { user: backend.user(), recovery_codes_left })
    } else if io::stdout().is_terminal() {
        print(&messages::recovery::left(recovery_codes_left, recovery_codes))
    } else {
        print(&format!("{recovery_codes_left}\n"))
    }
}
