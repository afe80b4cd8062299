//! Whether a process belongs to a login session that has just begun: what a host without passwords can go by.
//!
//! The kernel's audit keeps the number of a session with every process in it, from the login on (`pam_loginuid`), and only
//! root can change it. systemd-logind gives its sessions the same number, and notes when each began.

use std::{fs, path::Path, time::Duration};

use twinlock_core::time::UnixTime;
use twinlock_login::wire::Peer;
use twinlock_service::lifecycle::RequestError;

use crate::messages;

/// How old the session may be.
const FRESH: Duration = Duration::from_mins(10);
/// Where logind notes its sessions, for root and everybody to read.
const SESSIONS: &str = "/run/systemd/sessions";
/// What the kernel says of a process without a session.
const NONE: &str = "4294967295";

/// Checks that the session of who came has just begun.
pub(crate) fn check(peer: Peer, uid: u32, now: UnixTime) -> Result<(), RequestError> {
    match begin_of_session(peer, uid) {
        None => Err(messages::no_session()),
        // One that begins in the future was noted by a clock that was wrong.
        Some(begin) if begin <= now && now.since(begin) <= FRESH => Ok(()),
        Some(_) => Err(messages::old_session()),
    }
}

/// When the session began, if it is a user's and that user's.
fn begin_of_session(peer: Peer, uid: u32) -> Option<UnixTime> {
    let process = Path::new("/proc").join(peer.pid.to_string());
    let number = read(&process.join("sessionid"))?;
    let number = number.trim();
    // Digits only: it becomes part of a path.
    if number == NONE || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The process may be another one by now; its session must be the user's all the same.
    if read(&process.join("loginuid"))?.trim() != uid.to_string() {
        return None;
    }
    began(&read(&Path::new(SESSIONS).join(number))?, uid)
}

/// What logind notes of a session: when it began, if it is one of a person who is that user.
fn began(noted: &str, uid: u32) -> Option<UnixTime> {
    let value = |key: &str| noted.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    if value("UID")? != uid.to_string() || value("CLASS")? != "user" {
        return None;
    }
    let microseconds: u64 = value("REALTIME")?.parse().ok()?;
    Some(UnixTime::from_seconds(microseconds.checked_div(1_000_000)?))
}

#[allow(clippy::disallowed_methods, reason = "files of the kernel and of logind, where nobody else can put a link")]
fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTED: &str =
        "# This is private data.\nUID=1000\nUSER=alice\nACTIVE=1\nCLASS=user\nREALTIME=1795492800123456\n";

    #[test]
    fn a_session_is_that_of_its_user_and_of_a_person() {
        assert_eq!(began(NOTED, 1000), Some(UnixTime::from_seconds(1_795_492_800)));
        assert_eq!(began(NOTED, 1001), None);
        assert_eq!(began(&NOTED.replace("CLASS=user", "CLASS=manager"), 1000), None);
        assert_eq!(began(&NOTED.replace("REALTIME=", "REALTIME=x"), 1000), None);
        assert_eq!(began("", 1000), None);
    }
}
