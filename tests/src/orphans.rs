//! Processes whose parent ended before them: sshd leaves some. They come to us, not to an init that may not reap.

use std::fs;
use std::sync::Once;

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

/// From now on, orphaned descendants become children of this process.
pub(crate) fn adopt() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_child_subreaper(true).expect("Linux has it since 3.4"));
}

/// Ends and reaps what is left of a session whose leader has ended. Other children are left to their owners.
pub(crate) fn reap(session: Pid) {
    let left = children().into_iter().filter(|child| *child != session && session_of(*child) == Some(session));
    for child in left {
        // Most have ended long ago, and wait for this.
        let _ended = kill(child, Signal::SIGKILL);
        let _reaped = waitpid(child, None);
    }
}

/// The children of all our threads.
fn children() -> Vec<Pid> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let lists: Vec<_> = lists.collect();
    lists.join(" ").split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

/// From `/proc/PID/stat`: `PID (NAME) STATE PARENT GROUP SESSION ...`, where the name may contain anything.
fn session_of(process: Pid) -> Option<Pid> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = line.rsplit_once(')')?;
    fields.split_whitespace().nth(3)?.parse().ok().map(Pid::from_raw)
}

#[test]
fn the_session_of_a_process_is_found() {
    assert!(session_of(Pid::this()).is_some());
}
