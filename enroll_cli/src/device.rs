//! `twinlock device`: several apps and tokens of one user.

use std::path::Path;

use twinlock_core::devices::DeviceChange;
use twinlock_service::lifecycle::{Done, Request};

use crate::{
    backend::CommandBackend,
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
            let to = cli::label(&to).map_err(|bad| messages::device::invalid_label(&to, bad))?;
            change(config, which, &DeviceChange::Rename(to))
        }
        DeviceCommand::Suspend(which) => change(config, which, &DeviceChange::Suspend),
        DeviceCommand::Resume(which) => change(config, which, &DeviceChange::Resume),
        DeviceCommand::Remove(which) => change(config, which, &DeviceChange::Remove),
    }
}

fn list(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let devices =
        CommandBackend::choose_for_leaver(config, arguments.user.as_deref())?.status_of_enrolled()?.authenticators;
    if arguments.json {
        return print_json(&devices);
    }
    print(&devices.iter().map(messages::device::line).collect::<String>())
}

fn change(config: &Path, which: Which, change: &DeviceChange) -> Result<(), Failure> {
    let backend = CommandBackend::choose_for_leaver(config, which.user.as_deref())?;
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    let request = Request::Device(which.device, change.clone());
    let Done::DeviceChanged(device) = dialogue.have_done(&backend, &request)? else {
        return Err(messages::unexpected_answer());
    };
    let user = backend.user();
    print_note(&messages::device::changed(user, &device.authenticator, change));
    if device.active == 0 {
        print_note(&messages::device::none_active(user));
    }
    Ok(())
}
