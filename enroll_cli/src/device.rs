//! `twinlock device`: several apps and tokens of one user.

use std::{fmt::Write as _, path::Path};

use twinlock_core::devices::DeviceChange;
use twinlock_service::{
    lifecycle::{Done, Request},
    status::AuthenticatorStatus,
};

use crate::{
    backend::{CommandBackend, out_of_place},
    cli::{self, DeviceCommand, Which},
    dialogue::TerminalDialogue,
    failure::Failure,
    messages,
    output::{print, print_json, print_note},
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, verb: DeviceCommand) -> Result<(), Failure> {
    match verb {
        DeviceCommand::List(arguments) => list(config, &arguments),
        DeviceCommand::Rename(words) => {
            let (which, to) = words.into_parts();
            let to = cli::label(&to).map_err(|bad| messages::invalid_label(&to, bad))?;
            change(config, which, DeviceChange::Rename(to), "renamed")
        }
        DeviceCommand::Suspend(which) => change(config, which, DeviceChange::Suspend, "suspended"),
        DeviceCommand::Resume(which) => change(config, which, DeviceChange::Resume, "resumed"),
        DeviceCommand::Remove(which) => change(config, which, DeviceChange::Remove, "removed"),
    }
}

fn list(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let devices =
        CommandBackend::choose_for_leaver(config, arguments.user.as_deref())?.status_of_enrolled()?.authenticators;
    if arguments.json {
        return print_json(&devices);
    }
    print(&devices.iter().map(described).collect::<String>())
}

/// One device on a line.
pub(crate) fn described(device: &AuthenticatorStatus) -> String {
    let mut line =
        format!("  {}  {}  {} {} {} digits", device.id, device.label, device.r#type, device.algorithm, device.digits);
    // Writing to a String cannot fail.
    let _ = device.period.map_or(Ok(()), |period| write!(line, " {period} s"));
    let _ = write!(
        line,
        "  created {}  last used {}",
        device.created.as_deref().unwrap_or("-"),
        device.last_used.as_deref().unwrap_or("never")
    );
    let _ = device.last_from.as_ref().map_or(Ok(()), |from| write!(line, " from {from}"));
    if device.last_from_claimed {
        line.push_str(" (as claimed by the user's program)");
    }
    line.push_str(if device.suspended { "  SUSPENDED\n" } else { "\n" });
    line
}

fn change(config: &Path, which: Which, change: DeviceChange, done: &str) -> Result<(), Failure> {
    let backend = CommandBackend::choose_for_leaver(config, which.user.as_deref())?;
    let dialogue = TerminalDialogue::at(|| Terminal::or_stdin("a code", "pipe the code into stdin"));
    let Done::DeviceChanged(device) = dialogue.have_done(&backend, &Request::Device(which.device, change))? else {
        return Err(out_of_place());
    };
    let user = backend.user();
    print_note(&format!("{user}: {} {done}", device.authenticator));
    if device.active == 0 {
        print_note(&format!("{user} has no active device now: only recovery codes are accepted"));
    }
    Ok(())
}
