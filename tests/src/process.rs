//! Running programs: their output is collected, and every wait is bounded by a deadline that fails the test with what was
//! seen so far.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::orphans;
use crate::watched::{Seen, Watched};

/// How long anything may take before the test fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What a finished program left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output. From a terminal: everything it wrote there, without carriage returns.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// Exit code, standard output and standard error.
    pub fn parts(&self) -> (Option<i32>, &str, &str) {
        (self.code, &self.stdout, &self.stderr)
    }

    /// The one JSON value on standard output.
    ///
    /// # Panics
    /// When it is not on one line of its own.
    pub fn json(&self) -> Value {
        assert!(self.stdout.ends_with('\n') && self.stdout.lines().count() == 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    stdin: Option<ChildStdin>,
    pub(crate) seen: Arc<Watched>,
}

impl Process {
    /// Follows a child just started, on threads of its own.
    pub(crate) fn follow(mut child: Child, name: String) -> Self {
        let seen = Arc::new(Watched::default());
        if let Some(stdout) = child.stdout.take() {
            seen.collect(stdout, |seen| &mut seen.stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            seen.collect(stderr, |seen| &mut seen.stderr);
        }
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid"));
        let stdin = child.stdin.take();
        let for_waiter = Arc::clone(&seen);
        thread::spawn(move || {
            let status = child.wait().expect("our own child");
            for_waiter.change(|seen| seen.status = Some(status));
        });
        Self { name, pid, stdin, seen }
    }

    /// Its process number, which is that of its session and its process group too.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Writes to its standard input. That it may be gone already is not an error here.
    pub fn write(&mut self, input: &[u8]) {
        let stdin = self.stdin.as_mut().expect("its input is a pipe, still open");
        drop(stdin.write_all(input).and_then(|()| stdin.flush()));
    }

    /// Ends its standard input.
    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Kills it and everything in its process group.
    pub fn kill(&self) {
        if self.seen.now(|seen| seen.status.is_none()) {
            // In the moment before setsid(1) has done its work, the group does not exist yet.
            let _group = killpg(self.pid, Signal::SIGKILL);
            let _process = kill(self.pid, Signal::SIGKILL);
        }
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.seen.now(|seen| seen.status.is_none())
    }

    /// What it has written to its standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.seen.now(|seen| String::from_utf8_lossy(&seen.stderr).into_owned())
    }

    /// Waits until its standard output contains `text`, or it has ended.
    pub fn wait_for_output(&self, text: &str) {
        self.wait(&format!("{text:?}"), |seen| {
            let found = seen.stdout.windows(text.len()).any(|window| window == text.as_bytes());
            (found || seen.ended()).then_some(())
        });
    }

    /// Waits for its end and for the end of everything that holds its output open.
    pub fn finish(mut self) -> Output {
        self.close_input();
        self.wait("the end", |seen| {
            let status = seen.status.filter(|_| seen.ended())?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Some(Output {
                code: status.code(),
                signal: status.signal(),
                stdout: text(&seen.stdout),
                stderr: text(&seen.stderr),
            })
        })
    }

    pub(crate) fn wait<T>(&self, wanted: &str, found: impl FnMut(&Seen) -> Option<T>) -> T {
        self.seen.wait(DEADLINE, found).unwrap_or_else(|| {
            self.kill();
            let (stdout, stderr) = self.seen.now(|seen| (seen.stdout.clone(), seen.stderr.clone()));
            panic!(
                "{}: waited {DEADLINE:?} for {wanted}\n--- output\n{}\n--- error output\n{}",
                self.name,
                String::from_utf8_lossy(&stdout),
                String::from_utf8_lossy(&stderr)
            )
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Reaped before the world ends; a process that survives SIGKILL is not ours to wait for.
        let _reaped = self.seen.wait(DEADLINE, |seen| seen.status);
        orphans::reap(self.pid);
    }
}
