//! `twinlock recovery`: a new set of codes, shown once; one more code for a while; and how many are left.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
};

use serde::Serialize;
use twinlock_service::{
    lifecycle::{Confirm, Done, Request},
    status::{IssuedCodeStatus, Status},
};
use zeroize::Zeroizing;

use crate::{
    backend::CommandBackend,
    cli::{self, RecoveryIssue, RecoveryNew},
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

/// What `recovery issue --json` prints. The names are stable.
#[derive(Serialize)]
struct IssuedJson<'a> {
    user: &'a str,
    code: &'a str,
    expires: &'a str,
}

pub(crate) fn issue(config: &Path, arguments: &RecoveryIssue) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, Some(&arguments.user))?;
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    let request = Request::IssueRecovery(arguments.valid.as_secs());
    let Done::RecoveryIssued(issued) = dialogue.have_done(&backend, &request)? else {
        return Err(messages::unexpected_answer());
    };
    let (user, code, expires) = (backend.user(), issued.code.as_str(), issued.expires.as_str());
    if arguments.json {
        return print_json(&IssuedJson { user, code, expires });
    }
    print(&Zeroizing::new(format!("{code}\n")))?;
    print_note(&messages::recovery::issued(user, expires));
    Ok(())
}

/// What `recovery count --json` prints. The names are stable.
#[derive(Serialize)]
struct Count<'a> {
    user: &'a str,
    recovery_codes_left: usize,
    issued_codes: &'a [IssuedCodeStatus],
}

pub(crate) fn count(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let Status { recovery_codes_left, recovery_codes, issued_codes, .. } = backend.status_of_enrolled()?;
    if arguments.json {
        return print_json(&Count { user: backend.user(), recovery_codes_left, issued_codes: &issued_codes });
    }
    if io::stdout().is_terminal() {
        print(&messages::recovery::left(recovery_codes_left, recovery_codes))?;
    } else {
        print(&format!("{recovery_codes_left}\n"))?;
    }
    for issued in &issued_codes {
        print_note(&messages::recovery::issued_code(issued));
    }
    Ok(())
}
