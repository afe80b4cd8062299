//! `twinlock device`: several apps and tokens of one user.

use std::{fmt::Write as _, path::Path};

use twinlock_core::{
    devices::DeviceChange,
    enrol,
    ports::ReadCredentials,
    status::{self, AuthenticatorStatus},
};

use crate::{
    cli::{self, Device, Which},
    failure::Failure,
    journal,
    output::{note, print, print_json},
    scene::{self, Scene},
};

pub(crate) fn run(config: &Path, verb: Device) -> Result<(), Failure> {
    match verb {
        Device::List(arguments) => list(config, &arguments),
        Device::Rename { which, to } => change(config, &which, &DeviceChange::Rename(to), "renamed"),
        Device::Suspend(which) => change(config, &which, &DeviceChange::Suspend, "suspended"),
        Device::Resume(which) => change(config, &which, &DeviceChange::Resume, "resumed"),
        Device::Remove(which) => change(config, &which, &DeviceChange::Remove, "removed"),
    }
}

fn list(config: &Path, arguments: &cli::Status) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let Some(enrolment) = scene.store.credentials.read(&subject)? else {
        return Err(Failure::not_enrolled(subject.name.as_str()));
    };
    let record = scene.store.states.look(&subject)?;
    let devices = status::authenticators(&enrolment, record.as_ref());
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
    line.push_str(if device.suspended { "  SUSPENDED\n" } else { "\n" });
    line
}

fn change(config: &Path, which: &Which, change: &DeviceChange, done: &str) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(Some(&which.user))?;
    let user = subject.name.as_str();
    let stores = (&scene.store.credentials, &scene.store.states);
    let (id, active) = enrol::amend(stores, &subject, |enrolment, _| {
        let id = enrolment.change_device(&which.device, change)?;
        Ok((id, enrolment.active().count()))
    })?;
    journal::change(&format!("device-{done}"), user);
    note(&format!("{user}: {} {done}", id.as_str()));
    if active == 0 {
        note(&format!("{user} has no active device now: only recovery codes open a login"));
    }
    Ok(())
}
