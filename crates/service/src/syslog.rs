//! syslog(3) without libc's process-wide state: one datagram to `/dev/log`, facility AUTHPRIV, which nix has no name for.
//! The module does not use it: libpam's `pam_syslog` names the service.

use std::{env, io, io::Write as _, os::unix::net::UnixDatagram, time::Duration};

use nix::sys::stat::fstat;

/// How loud a line is (RFC 5424 section 6.2.1).
///
/// journald counts a unit's lines by classes: emergencies, alerts and critical conditions; errors; warnings; notices and
/// information; debugging. What anybody can cause is a notice or information, so that it cannot use up the room of changes.
#[derive(Debug, Clone, Copy)]
pub enum SyslogPriority {
    /// Something was changed.
    Warning = 4,
    /// Something that an administrator may want to look at.
    Notice = 5,
    /// Something that went as it should.
    Info = 6,
}

/// Facility 10, security messages that not everybody may read.
const AUTHPRIV: u8 = 10 << 3;
/// How long a full queue of syslog is waited for. Anybody can fill it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends one line as `PROGRAM[PID]`. What the log does not take in time is written to standard error: under systemd that is
/// a stream of this process alone, for a command it is its terminal. Nobody is stopped: what the line says has happened.
pub fn log(program: &str, severity: SyslogPriority, line: &str) {
    let message = format!("<{}>{program}[{}]: {line}", AUTHPRIV | severity as u8, std::process::id());
    if let Err(error) = send(message.as_bytes()) {
        let line = if stderr_is_the_journal() {
            format!("<{}>{line}\n", severity as u8)
        } else {
            format!("{program}: not in syslog ({error}): {line}\n")
        };
        // There is nowhere left to write it to.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

fn send(message: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to(message, "/dev/log")?;
    Ok(())
}

/// Whether systemd has connected standard error to the journal, which then takes a severity before the line
/// (sd-daemon(3)). The variable may be inherited while standard error is another one: it names the device and the inode.
#[allow(
    clippy::disallowed_methods,
    reason = "the environment of a program of root's; it decides the form of a line alone"
)]
fn stderr_is_the_journal() -> bool {
    let Ok(stat) = fstat(io::stderr()) else { return false };
    env::var("JOURNAL_STREAM").is_ok_and(|stream| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}
