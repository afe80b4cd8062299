//! The login that a caller came from, for the log: `su` changes the account of a process, and not this.

use std::{
    fs,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use nix::sys::socket::{getsockopt, sockopt::PeerPidfd};

/// What the kernel says of a process without a login.
const NONE: u32 = u32::MAX;

/// The login uid of the process that connected; `None` if it had no login or is gone, and before Linux 6.5, which has no
/// descriptor of a peer's process. By its number alone another process could be taken for it.
pub(crate) fn of_peer(connection: &impl AsFd) -> Option<u32> {
    let process = getsockopt(connection, PeerPidfd).ok()?;
    let pid = pid_of(&process)?;
    let uid = read(&format!("/proc/{pid}/loginuid"))?.trim().parse().ok()?;
    // It had this number all the time: no other process has it as long as this one is there.
    (uid != NONE && pid_of(&process)? == pid).then_some(uid)
}

/// The number of a process that is still there.
fn pid_of(process: &OwnedFd) -> Option<u32> {
    let about = read(&format!("/proc/self/fdinfo/{}", process.as_raw_fd()))?;
    // -1 of a process that is gone.
    about.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()
}

#[allow(clippy::disallowed_methods, reason = "files of the kernel, where nobody can put a link")]
fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}
