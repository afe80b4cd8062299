//! A host with a broker that can be hit at any system call, and what has to hold on it afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use twinlock_tests::{
    Account, Attempt, Authenticator, Broker, DEADLINE, Enrolled, ForgedState, Launch, LogLine, PamCode, Process, World,
    in_world, is_root_in_earnest,
};

use crate::person::{Given, Turn, perform};

const TRACE: &str = "/run/trace";
/// How long strace may take to let go.
const LETTING_GO: Duration = Duration::from_secs(3);

/// The host with alice. Whether she is enrolled hangs on the test.
pub(crate) struct Host<'w> {
    pub(crate) world: &'w World,
    pub(crate) alice: Account,
}

/// A system call: its name, and the how many-th of this name in its thread.
pub(crate) type Point = (String, usize);

/// Runs the test on a host with this configuration.
pub(crate) fn with_host(config: &str, test: impl FnOnce(&Host<'_>) + Send) {
    if !is_root_in_earnest("a caller that is not root") {
        return;
    }
    in_world(|world| {
        world.set_up(config);
        world.service("twinlock", "auth required pam_unix.so nodelay\naccount required pam_unix.so\n");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let alice = world.account("alice");
        test(&Host { world, alice });
    });
}

impl Host<'_> {
    /// alice gets a second factor, which was used an hour ago.
    pub(crate) fn deploy(&self) -> Enrolled {
        let enrolled = self.world.deploy("alice");
        ForgedState::of(&self.alice).write(self.world);
        enrolled
    }

    /// alice asks for something.
    pub(crate) fn asks(&self, request: &serde_json::Value, given: Given) -> Turn {
        perform(self.world, &self.alice, request, given)
    }

    /// Whether a code is taken, tried by the broker.
    pub(crate) fn verifies(&self, code: &str) -> bool {
        self.asks(&json!("verify"), Given::code(code)).is_done()
    }

    /// A login of alice's as root's hosts make it.
    pub(crate) fn logs_in(&self, code: &str) -> PamCode {
        Attempt::new("svc").user("alice").answer(code).run(self.world).code()
    }

    /// What is stored is in order, says `twinlock check`.
    pub(crate) fn assert_sound(&self, when: &str) {
        let check = self.world.twinlock(&["check"]);
        assert_eq!(check.code, Some(0), "{when}: {check:?}");
    }

    /// Whether alice is enrolled, as root is told.
    pub(crate) fn is_enrolled(&self) -> bool {
        let status = self.world.twinlock(&["status", "alice"]);
        assert!(matches!(status.code, Some(0 | 4)), "{status:?}");
        status.code == Some(0)
    }

    /// alice's second factor is taken away by root.
    pub(crate) fn forget(&self) {
        let removed = self.world.twinlock(&["remove", "alice", "--yes"]);
        assert!(matches!(removed.code, Some(0 | 4)), "{removed:?}");
    }

    /// The lines of the broker's log since the mark that say why something could not be done.
    pub(crate) fn host_errors(&self, mark: usize) -> Vec<LogLine> {
        self.world.log_since(mark).into_iter().filter(|line| line.text.contains("error=host")).collect()
    }
}

/// A code of the step after now: not the one that was used to confirm.
pub(crate) fn later_code(app: &Authenticator) -> String {
    app.code_at(app.now_step() + 1)
}

/// strace(1) on a broker that runs.
pub(crate) struct Tracer(Process);

/// Attaches it to all threads, with those to come; programs that the broker starts are traced or not, as `-b execve` says.
pub(crate) fn attach(broker: &Broker, options: &[&str]) -> Tracer {
    let script = format!("exec strace -f -o {TRACE} -p {} \"$@\" 2>&1", broker.pid());
    let process = Launch::new(["sh", "-c", &script, "sh"].iter().chain(options)).start();
    // What is hit at once, or ends, takes strace with it.
    process.wait_for_output("attached");
    Tracer(process)
}

impl Tracer {
    /// Lets go, and gives the trace.
    pub(crate) fn detach(self) -> String {
        // It may have ended with what it traced. Not SIGINT, which programs started in the background ignore.
        let _ended = kill(Pid::from_raw(self.0.pid()), Signal::SIGTERM);
        // strace can hang over the threads of a process that was killed under it; the trace is written all the same.
        let end = Instant::now() + LETTING_GO;
        while self.0.is_running() && Instant::now() < end {
            sleep(Duration::from_millis(2));
        }
        self.0.kill();
        self.0.finish();
        fs::read_to_string(TRACE).unwrap()
    }

    /// Whether the fault came.
    pub(crate) fn injected(self) -> bool {
        self.detach().contains("INJECTED")
    }
}

/// The system calls of the thread that made the first one, in order, as strace counts them.
pub(crate) fn points(trace: &str) -> Vec<Point> {
    let calls = trace.lines().filter_map(|line| {
        let (thread, call) = line.split_once(' ')?;
        let (name, _) = call.trim_start().split_once('(')?;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        plain.then(|| (thread.to_owned(), name.to_owned()))
    });
    let calls: Vec<_> = calls.collect();
    // The one whose socket it is.
    let session = calls.iter().find(|(_, name)| name == "recvfrom" || name == "setsockopt").unwrap().0.clone();
    numbered(calls.into_iter().filter(|(thread, _)| *thread == session).map(|(_, name)| name))
}

/// Names with their numbers.
pub(crate) fn numbered(names: impl IntoIterator<Item = String>) -> Vec<Point> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let number = |name: String| {
        let number = count.entry(name.clone()).or_default();
        *number += 1;
        (name, *number)
    };
    names.into_iter().map(number).collect()
}

/// Waits until nobody is served any more: the broker has its two threads.
pub(crate) fn wait_until_idle(broker: &Broker) {
    let threads = || fs::read_dir(format!("/proc/{}/task", broker.pid())).map_or(0, Iterator::count);
    wait_until("the broker is idle", || threads() <= 2);
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < end, "never came: {what}");
        sleep(Duration::from_millis(2));
    }
}
