//! The world's syslog: a `/dev/log` of our own, whose lines a test can read. Waiting is for a line, never for a time.

use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Begins the datagrams that the harness sends to itself; no program sends a line like this.
const FENCE: &str = "\0harness fence ";
const STOP: &str = "\0harness stop";

/// One line of syslog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// As in syslog(3): 4 is AUTH, 10 is AUTHPRIV.
    pub facility: u8,
    /// As in syslog(3): 3 is ERR, 5 is NOTICE, 6 is INFO.
    pub severity: u8,
    /// The program that wrote it, for instance `sshd`; a PAM module writes under the name of its host.
    pub tag: String,
    /// The process, when it said so.
    pub pid: Option<u32>,
    /// The rest, for instance `pam_unix(sshd:auth): authentication failure; ...`.
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(out, "{}[{pid}]: {}", self.tag, self.text),
            None => write!(out, "{}: {}", self.tag, self.text),
        }
    }
}

impl LogLine {
    /// Parses `<86>Nov 24 05:43:01 sshd[123]: text`, the form of glibc's syslog(3).
    pub(crate) fn parse(datagram: &[u8]) -> Self {
        let text = String::from_utf8_lossy(datagram);
        let text = text.trim_end_matches(['\n', '\0']);
        let (priority, rest) = text.strip_prefix('<').and_then(|text| text.split_once('>')).unwrap_or(("0", text));
        let priority: u8 = priority.parse().unwrap_or(0);
        // The date is 15 ASCII characters and a space; a program that writes to /dev/log without libc may leave it out.
        let is_dated = rest.is_char_boundary(15) && rest.get(9..10) == Some(":") && rest.get(12..13) == Some(":");
        let rest = rest.get(16..).filter(|_| is_dated).unwrap_or(rest);
        let (tag, text) = rest.split_once(": ").unwrap_or(("", rest));
        let (tag, pid) = match tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('[')) {
            Some((name, pid)) => (name, pid.parse().ok()),
            None => (tag, None),
        };
        Self { facility: priority >> 3, severity: priority & 7, tag: tag.into(), pid, text: text.into() }
    }
}

#[derive(Default)]
struct Collected {
    lines: Vec<LogLine>,
    fences_sent: usize,
    fences_seen: Vec<usize>,
}

/// The collector behind `/dev/log`.
pub(crate) struct Journal {
    collected: Arc<(Mutex<Collected>, Condvar)>,
    /// Stays connected even when a test removes `/dev/log`.
    own: UnixDatagram,
    collector: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens `/dev/log` in the mount namespace of the calling thread.
    pub(crate) fn open() -> Self {
        let socket = UnixDatagram::bind("/dev/log").expect("/dev is ours");
        fs::set_permissions("/dev/log", Permissions::from_mode(0o666)).expect("/dev is ours");
        let own = UnixDatagram::unbound().expect("a socket");
        own.connect("/dev/log").expect("just bound");
        let collected = Arc::default();
        let for_collector = Arc::clone(&collected);
        let collector = thread::spawn(move || collect(&socket, &for_collector));
        Self { collected, own, collector: Some(collector) }
    }

    /// All lines sent before this call. A socket keeps order, so once our own datagram came through, they all have.
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        let (collected, changed) = &*self.collected;
        let mut now = collected.lock().expect("the collector does not panic");
        now.fences_sent += 1;
        let fence = now.fences_sent;
        drop(now);
        self.own.send(format!("{FENCE}{fence}").as_bytes()).expect("the collector listens");
        let now = collected.lock().expect("the collector does not panic");
        let now =
            changed.wait_while(now, |now| !now.fences_seen.contains(&fence)).expect("the collector does not panic");
        now.lines.clone()
    }

    /// The first line from `mark` on that `wanted` takes.
    pub(crate) fn wait_for(&self, mark: usize, deadline: Duration, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        let end = Instant::now() + deadline;
        let (collected, changed) = &*self.collected;
        let mut now = collected.lock().expect("the collector does not panic");
        loop {
            if let Some(line) = now.lines.iter().skip(mark).find(|line| wanted(line)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seen: Vec<_> = now.lines.iter().map(ToString::to_string).collect();
                drop(now);
                panic!("no such line in the log after {deadline:?}; the log is:\n{}", seen.join("\n"));
            }
            now = changed.wait_timeout(now, left).expect("the collector does not panic").0;
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let stopped = self.own.send(STOP.as_bytes()).is_ok();
        if let Some(collector) = self.collector.take().filter(|_| stopped) {
            drop(collector.join());
        }
    }
}

fn collect(socket: &UnixDatagram, collected: &(Mutex<Collected>, Condvar)) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length) = socket.recv(&mut buffer) {
        let datagram = &buffer[..length];
        if datagram == STOP.as_bytes() {
            return;
        }
        let mut now = collected.0.lock().expect("readers do not panic while they hold it");
        match str::from_utf8(datagram).ok().and_then(|text| text.strip_prefix(FENCE)) {
            Some(fence) => now.fences_seen.push(fence.parse().expect("our own number")),
            None => now.lines.push(LogLine::parse(datagram)),
        }
        collected.1.notify_all();
    }
}

#[test]
fn a_line_of_syslog_is_taken_apart() {
    let line = LogLine::parse(b"<85>Nov  4 05:43:01 sshd[123]: pam_unix(sshd:auth): failure: x\n");
    let expected = LogLine {
        facility: 10,
        severity: 5,
        tag: "sshd".into(),
        pid: Some(123),
        text: "pam_unix(sshd:auth): failure: x".into(),
    };
    assert_eq!(line, expected);
}

#[test]
fn a_line_of_syslog_without_a_date_is_taken_apart() {
    let line = LogLine::parse(b"<85>twinlock[123]: change=enrolled user=alice by-uid=0");
    assert_eq!(
        (line.tag.as_str(), line.pid, line.text.as_str()),
        ("twinlock", Some(123), "change=enrolled user=alice by-uid=0")
    );
}
