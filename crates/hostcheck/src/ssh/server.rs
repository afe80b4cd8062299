//! The running sshd: telling it to read a new configuration, and waiting for the logins that it accepted under another one.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    HostError, Note, messages,
    sshd::{self, Settings, Sshd},
};

/// Whether an sshd may run while the configuration changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerState {
    /// It may.
    MayRun,
    /// systemd starts it when this is done.
    NotStarted,
}

/// Has the running sshd read its configuration. Connections that it has accepted go on under the old one.
pub(crate) fn reload() -> Result<(), HostError> {
    if Path::new("/run/systemd/system").is_dir() {
        for name in ["ssh", "sshd"] {
            let unit = format!("{name}.service");
            if is_active(&unit) {
                // An sshd that has its socket from systemd loses it by a reload, and ends.
                let verb = if is_active(&format!("{name}.socket")) { "restart" } else { "reload" };
                return if systemctl(&[verb, &unit]) { Ok(()) } else { Err(messages::systemctl_failed(verb, &unit)) };
            }
        }
        // Started by the next connection, or not at all: it reads its configuration when it starts.
    }
    running()?.map_or(Ok(()), |(pid, file)| restart(pid, &file))
}

/// Waits until it is back: it begins anew, takes its `PidFile` away and writes another, by which alone it can be found.
fn restart(pid: Pid, file: &Path) -> Result<(), HostError> {
    let stamp = || fs::metadata(file).ok().map(|found| (found.ino(), found.mtime(), found.mtime_nsec()));
    let before = stamp();
    kill(pid, Signal::SIGHUP).map_err(|error| messages::sshd_not_reloaded(pid, &error))?;
    for _ in 0..LOOKS {
        thread::sleep(LOOK);
        if stamp().is_some_and(|stamp| Some(stamp) != before) && running()?.is_some() {
            return Ok(());
        }
    }
    Err(messages::sshd_not_back(pid))
}

/// How long sshd has for that: ten seconds.
const LOOKS: usize = 200;
const LOOK: Duration = Duration::from_millis(50);

/// Says so where there is no sshd that could be told.
pub(crate) fn note_if_not_running(note: &Note<'_>) -> Result<(), HostError> {
    if !Path::new("/run/systemd/system").is_dir() && running()?.is_none() {
        note(messages::SSHD_IS_NOT_RUNNING);
    }
    Ok(())
}

/// What is in force for nobody in particular; `None` where sshd does not say, because of what somebody else has changed.
fn in_place() -> Result<Option<Settings>, HostError> {
    Ok(Sshd::with_config(None)?.in_force(None).ok())
}

fn is_active(unit: &str) -> bool {
    systemctl(&["is-active", "--quiet", unit])
}

pub(crate) fn systemctl(arguments: &[&str]) -> bool {
    let mut command = Command::new("systemctl");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where the configuration in place takes no password, waits until nobody is left who connected under another one.
pub(crate) fn outlive_connections_that_may_give_a_password(
    server: ServerState,
    note: &Note<'_>,
) -> Result<(), HostError> {
    if server == ServerState::NotStarted && running()?.is_none() {
        return Ok(());
    }
    let in_place = in_place()?;
    let methods = ["passwordauthentication", "kbdinteractiveauthentication"];
    // What sshd does not say may be a no.
    let takes_none =
        in_place.as_ref().is_none_or(|settings| methods.iter().all(|method| settings.value(method) == "no"));
    if takes_none {
        let grace = in_place.and_then(|settings| settings.seconds("logingracetime")).unwrap_or(120);
        note(&messages::waits_for_old_logins(grace));
        thread::sleep(Duration::from_secs(grace));
    }
    Ok(())
}

/// The sshd of the `PidFile`, if that process is one.
fn running() -> Result<Option<(Pid, PathBuf)>, HostError> {
    let in_place = in_place()?;
    let file = match in_place.as_ref().map(|settings| settings.value("pidfile")) {
        None | Some("") => "/run/sshd.pid",
        Some(file) => file,
    };
    Ok(sshd::running(Path::new(file)).map(|pid| (Pid::from_raw(pid), file.into())))
}
