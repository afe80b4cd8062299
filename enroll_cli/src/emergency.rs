//! `twinlock emergency`: lets everybody log in without a second factor for a limited time. It reads neither the configuration
//! nor the store: they may be what is broken.

use std::{path::Path, time::Duration};

use twinlock_core::{policy::Emergency, ports::Clock};
use twinlock_hostcheck::{emergency::EmergencyStatus, selinux::let_logins_read};
use twinlock_service::notify::Mailing;
use twinlock_store::{
    files::{EMERGENCY_PATH, remove_emergency, write_emergency},
    host::{self, SystemClock},
};

use crate::{
    cli::EmergencyCommand,
    context::{audit_log, root_alone},
    failure::Failure,
    messages::emergency as messages,
    output::{print, print_note},
};

pub(crate) fn run(verb: &EmergencyCommand) -> Result<(), Failure> {
    root_alone()?;
    match verb {
        EmergencyCommand::Off { span } => switch_off(*span),
        EmergencyCommand::On => switch_on(),
        EmergencyCommand::Status => print(&messages::status(&EmergencyStatus::of_host())),
    }
}

fn switch_off(span: Duration) -> Result<(), Failure> {
    let since_boot = host::since_boot().map_err(|error| messages::not_written(&error))?;
    let emergency = Emergency { boot: host::boot_id(), until: since_boot.saturating_add(span) };
    write_emergency(&emergency).map_err(|error| messages::not_written(&error))?;
    // The order stands all the same: programs that SELinux does not confine find it.
    let_logins_read(Path::new(EMERGENCY_PATH)).unwrap_or_else(|error| print_note(&messages::not_labelled(&error)));
    // Only what every login will find is an emergency.
    let status = EmergencyStatus::of_host();
    let end = status.end().ok_or_else(messages::not_in_force)?;
    audit_log(Mailing::Off).changed_for_all("emergency-off", Some(SystemClock.now().after(span)));
    print_note(&messages::switched_off(end));
    Ok(())
}

fn switch_on() -> Result<(), Failure> {
    let was_off = EmergencyStatus::of_host().end().is_some();
    remove_emergency().map_err(|error| messages::not_removed(&error))?;
    if was_off {
        audit_log(Mailing::Off).changed_for_all("emergency-on", None);
    }
    print_note(if was_off { messages::SWITCHED_ON } else { messages::ON_ALREADY });
    Ok(())
}
