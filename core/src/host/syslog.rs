//! syslog(3) without libc's process-wide state: one datagram to `/dev/log`, facility AUTHPRIV, which nix has no name for.
//! The module does not use it: libpam's `pam_syslog` names the service.

use std::os::unix::net::UnixDatagram;

/// How loud a line is (RFC 5424 section 6.2.1).
#[derive(Debug, Clone, Copy)]
pub enum Severity {
    /// Something that an administrator may want to look at.
    Notice = 5,
    /// Something that went as it should.
    Info = 6,
}

/// Facility 10, security messages that not everybody may read.
const AUTHPRIV: u8 = 10 << 3;

/// Sends one line as `PROGRAM[PID]`. A log that cannot be reached stops nobody: what the line says has happened.
pub fn log(program: &str, severity: Severity, line: &str) {
    let message = format!("<{}>{program}[{}]: {line}", AUTHPRIV | severity as u8, std::process::id());
    let _ = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.send_to(message.as_bytes(), "/dev/log")
    });
}
