//! Whether a process belongs to a login session that has just begun: what a host without passwords can go by.
//!
//! The kernel's audit keeps the number of a session with every process in it, from the login on (`pam_loginuid`), and only
//! root can change it. systemd-logind gives its sessions the same number, and notes when each began.
//!
//! In containers, and where the kernel has no audit, logind counts by itself: c1, c2. The kernel then keeps the session as the
//! cgroup of its processes, `session-c1.scope` in the slice of the user, into which only root can put a process. A folder of
//! that name which users make where they may, below `user@1000.service`, is in another place.

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

/// When the session began, if it is a user's and that user's. The process may be another one by now; its session must be the
/// user's all the same.
fn begin_of_session(peer: Peer, uid: u32) -> Option<UnixTime> {
    let process = Path::new("/proc").join(peer.pid.to_string());
    let begin = |session: String| began(&read(&Path::new(SESSIONS).join(session))?, uid);
    let of_cgroup = || session_of_cgroup(&read(&process.join("cgroup"))?, uid);
    // Audit may know a session in a container, too, where logind does not ask it.
    audit_session(&process, uid).and_then(begin).or_else(|| of_cgroup().and_then(begin))
}

/// What logind calls the session that the kernel's audit gives the process.
fn audit_session(process: &Path, uid: u32) -> Option<String> {
    let number = read(&process.join("sessionid"))?;
    let number = number.trim();
    // Digits only: it becomes part of a path.
    if number == NONE || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    (read(&process.join("loginuid"))?.trim() == uid.to_string()).then(|| number.to_owned())
}

/// What logind calls the session whose cgroup the process is in, if logind counted it: audit knows the others.
fn session_of_cgroup(cgroups: &str, uid: u32) -> Option<String> {
    let path = cgroups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let scope = path.strip_prefix(&format!("/user.slice/user-{uid}.slice/"))?;
    let session = scope.strip_prefix("session-")?.strip_suffix(".scope")?;
    // It becomes part of a path.
    let number = session.strip_prefix('c')?;
    let is_counted = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_counted.then(|| session.to_owned())
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
    fn a_session_that_logind_counted_is_the_cgroup_of_its_scope_and_no_other() {
        let of = |path: &str| session_of_cgroup(&format!("1:name=systemd:/\n0::{path}\n"), 1000);
        assert_eq!(of("/user.slice/user-1000.slice/session-c12.scope").as_deref(), Some("c12"));
        for path in [
            "/",
            "/user.slice/user-1001.slice/session-c1.scope",
            "/user.slice/user-1000.slice/session-5.scope",
            "/user.slice/user-1000.slice/session-c.scope",
            "/user.slice/user-1000.slice/session-c1x.scope",
            "/user.slice/user-1000.slice/session-c../1.scope",
            "/user.slice/user-1000.slice/session-c1.scope/below",
            "/user.slice/user-1000.slice/user@1000.service/session-c1.scope",
            "/user.slice/user-1000.slice/user@1000.service/user.slice/user-1000.slice/session-c1.scope",
            "/../user.slice/user-1000.slice/session-c1.scope",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
        assert_eq!(session_of_cgroup("1:name=systemd:/user.slice/user-1000.slice/session-c1.scope\n", 1000), None);
    }

    #[test]
    fn a_session_is_that_of_its_user_and_of_a_person() {
        assert_eq!(began(NOTED, 1000), Some(UnixTime::from_seconds(1_795_492_800)));
        assert_eq!(began(NOTED, 1001), None);
        assert_eq!(began(&NOTED.replace("CLASS=user", "CLASS=manager"), 1000), None);
        assert_eq!(began(&NOTED.replace("REALTIME=", "REALTIME=x"), 1000), None);
        assert_eq!(began("", 1000), None);
    }
}
