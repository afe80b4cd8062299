//! The end of a trial that nobody confirmed: a process that outlives the session, its terminal and the user who began it.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use twinlock_service::syslog::{SyslogPriority, log};

use super::{
    boot,
    change_log::{self, ChangeLog, ChangePhase},
    service::ChangedService,
};
use crate::{
    HostError, Note, messages,
    programs::broadcast,
    ssh::{ServerState, server},
};

/// Starts the process that ends the trial after this span unless it is confirmed.
///
/// Where systemd runs it is asked for a timer, because it may end all that a session has started with the session.
pub(super) fn begin(service: ChangedService, id: &str, span: Duration) -> Result<(), HostError> {
    let myself = env::current_exe().map_err(|error| messages::timer_not_started(&error))?;
    if Path::new("/run/systemd/system").is_dir() {
        boot::write_units(service, id, &myself)?;
        let mut command = Command::new("systemd-run");
        command.args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"]);
        command
            .arg(format!("--unit={}", unit(service, id)))
            .arg(format!("--on-active={}s", span.as_secs()))
            .arg(myself);
        command.args([service.verb(), "expire", id]).stdin(Stdio::null()).stdout(Stdio::null());
        let output = command.output().map_err(|error| messages::timer_not_started(&error))?;
        return if output.status.success() {
            Ok(())
        } else {
            Err(messages::timer_not_started(&String::from_utf8_lossy(&output.stderr).trim()))
        };
    }
    let mut command = Command::new(myself);
    command.args([service.verb(), "expire", id, "--after", &span.as_secs().to_string()]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| messages::timer_not_started(&error))?;
    // It says so when nothing of this session can reach it any more.
    let mut said = String::new();
    let read = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut said));
    if matches!(read, Some(Ok(_))) && said == READY {
        Ok(())
    } else {
        Err(messages::timer_not_started(&messages::TIMER_ENDED))
    }
}

/// Lets the timer go; one that comes all the same finds nothing to do.
pub(super) fn end(service: ChangedService, id: &str) {
    let _ = boot::remove_units(service);
    if Path::new("/run/systemd/system").is_dir() {
        let _ = server::systemctl(&["stop", &format!("{}.timer", unit(service, id))]);
    }
}

fn unit(service: ChangedService, id: &str) -> String {
    format!("twinlock-{}-{id}", service.verb())
}

/// What the process that ends a trial writes once nothing of the session can reach it any more.
pub const READY: &str = "waiting\n";
/// How often a wait looks whether it is still needed.
const LOOK: u64 = 1;
/// How often to try, and how long after a failure. It may be the disk.
const TRIES: (u32, Duration) = (360, Duration::from_secs(10));
/// The same where sshd waits. Better an sshd that asks for a code than none: see `boot`.
const TRIES_AT_BOOT: (u32, Duration) = (2, Duration::from_secs(2));

/// Leaves the session of the terminal at which the trial began.
pub fn leave_session() {
    // Fails in a process that leads its group already, as systemd's do: there no terminal can reach it either.
    let _ = nix::unistd::setsid();
}

/// Ends the trial of that id after so many seconds, unless it is confirmed before.
///
/// # Errors
/// What was not confirmed cannot be undone.
pub fn expire(
    service: ChangedService,
    id: &str,
    after: u64,
    server: ServerState,
    note: &Note<'_>,
) -> Result<(), HostError> {
    let mut left = after;
    while left > 0 {
        if !is_waited_for(service, id) {
            return Ok(());
        }
        let step = left.min(LOOK);
        thread::sleep(Duration::from_secs(step));
        left = left.saturating_sub(step);
    }
    let (tries, pause) = match server {
        ServerState::NotStarted => TRIES_AT_BOOT,
        ServerState::MayRun => TRIES,
    };
    let mut undone = undo(service, id, server, note);
    for _ in 1..tries {
        if undone.is_ok() {
            break;
        }
        thread::sleep(pause);
        undone = undo(service, id, server, note);
    }
    undone
}

/// What cannot be read may be the trial all the same.
fn is_waited_for(service: ChangedService, id: &str) -> bool {
    match change_log::peek(service) {
        Ok(Some((phase, record))) => phase != ChangePhase::Kept && record.id == id,
        Ok(None) => false,
        Err(_) => true,
    }
}

fn undo(service: ChangedService, id: &str, server: ServerState, note: &Note<'_>) -> Result<(), HostError> {
    try_to_undo(service, id, server, note)
        .map_err(|failure| messages::trial_not_undone(service, failure.message()))
        .inspect_err(|failure| log("twinlock", SyslogPriority::Notice, &messages::log_of(service, &failure)))
}

fn try_to_undo(service: ChangedService, id: &str, server: ServerState, note: &Note<'_>) -> Result<(), HostError> {
    let change_log = ChangeLog::wait(service)?;
    match change_log.read()? {
        Some((phase, record)) if phase != ChangePhase::Kept && record.id == id => {
            super::undo(&change_log, phase, &record, server, note)?;
            let _ = boot::remove_units(service);
            log("twinlock", SyslogPriority::Warning, &messages::log_of(service, &messages::LOG_EXPIRED));
            // The next command need not wait until everybody is told.
            drop(change_log);
            broadcast(&messages::broadcast_of_end(service));
            Ok(())
        }
        // The power may have been cut before its units were gone.
        Some((ChangePhase::Kept, _)) | None => boot::remove_units(service),
        Some(_) => Ok(()),
    }
}
