//! The broker, run in a world, and its protocol as a stranger speaks it: bytes on a socket, written down here a second time.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::account::Account;
use crate::launch::Launch;
use crate::namespace::inside;
use crate::process::{DEADLINE, Output, Process};
use crate::world::World;

/// Where the command and the module look for it.
pub const SOCKET: &str = "/run/twinlock/broker.sock";

/// A running broker. Dropped, it is killed.
#[derive(Debug)]
pub struct Broker {
    process: Process,
}

impl Broker {
    /// Its process number.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Asks it to stop, as systemd does, and waits for its end.
    pub fn stop(self) -> Output {
        self.ask_to_stop();
        self.process.finish()
    }

    /// Asks it to stop, as systemd does.
    pub fn ask_to_stop(&self) {
        kill(Pid::from_raw(self.process.pid()), Signal::SIGTERM).expect("it runs");
    }

    /// Waits for its end.
    pub fn finish(self) -> Output {
        self.process.finish()
    }

    /// Kills it.
    pub fn kill(&self) {
        self.process.kill();
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        self.count("fd")
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        self.count("task")
    }

    fn count(&self, what: &str) -> usize {
        std::fs::read_dir(format!("/proc/{}/{what}", self.process.pid())).expect("it runs").count()
    }

    /// The processor time that it has used, in its own code and in the kernel; it is counted in hundredths of a second.
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.pid())).expect("it runs");
        // The second field is a name in parentheses, which may hold anything.
        let fields = stat.rsplit_once(')').expect("the kernel writes one").1.split_whitespace().skip(11).take(2);
        let ticks = fields.map(|field| field.parse::<u64>().expect("a number")).sum::<u64>();
        Duration::from_millis(ticks * 10)
    }

    /// The memory of it that is in RAM, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel counts");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

impl World {
    /// Installs the PAM service of the broker: the password, from `/etc/shadow`.
    pub fn broker_service(&self) {
        self.service("twinlock", "auth required pam_unix.so\naccount required pam_unix.so\n");
    }

    /// Starts the broker and waits until it listens.
    pub fn broker(&self) -> Broker {
        self.broker_with(&["--listen", SOCKET])
    }

    /// The same with other arguments.
    pub fn broker_with(&self, arguments: &[&str]) -> Broker {
        self.broker_of(self.broker_launch(arguments))
    }

    /// The same under another program: see [`Launch::under`].
    pub fn broker_under(&self, prefix: &[&str]) -> Broker {
        self.broker_of(self.broker_launch(&["--listen", SOCKET]).under(prefix))
    }

    /// The same with everything around it: a limit, another supervisor.
    pub fn broker_of(&self, launch: Launch) -> Broker {
        let broker = Broker { process: launch.start() };
        let end = Instant::now() + DEADLINE;
        // It listens before everybody may connect.
        let is_open = || std::fs::metadata(SOCKET).is_ok_and(|socket| socket.mode() & 0o777 == 0o666);
        while UnixStream::connect(SOCKET).is_err() || !is_open() {
            assert!(broker.is_running(), "the broker ended: {:?}", broker.process.finish());
            assert!(Instant::now() < end, "the broker does not listen");
            sleep(Duration::from_millis(2));
        }
        broker
    }

    /// Starts the broker with a socket handed over, as systemd does it, and with these arguments.
    pub fn broker_handed(&self, socket: &OwnedFd, arguments: &[&str]) -> Broker {
        let hand_over = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
        let launch = self.broker_launch(arguments).under(["sh", "-c", hand_over, "sh"]);
        Broker { process: launch.start_on(socket, None) }
    }

    /// The broker to be run, with these arguments.
    pub fn broker_launch(&self, arguments: &[&str]) -> Launch {
        self.install();
        // Tests that run in the background have SIGINT ignored, and so would everything that the broker starts.
        Launch::new(["env", "--default-signal=INT,QUIT,HUP,TERM", "twinlockd"].iter().chain(arguments))
    }

    /// Puts a program in the place of the host's sendmail.
    pub fn sendmail(&self, script: &str) {
        self.write_script(inside("bin/sendmail"), script);
    }

    /// `twinlock` to be run by an account, without root's rights.
    pub fn twinlock_as(&self, account: &Account, arguments: &[&str]) -> Launch {
        self.twinlock_launch(arguments).account(account)
    }
}

/// One message of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The letter of its kind.
    pub kind: char,
    /// What it says.
    pub content: Vec<u8>,
}

impl Frame {
    /// The content as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

/// A connection on which anything can be said. It belongs to root, as the test does.
#[derive(Debug)]
pub struct Raw(UnixStream);

impl Raw {
    /// Connects.
    pub fn connect() -> Self {
        Self::connect_to(Path::new(SOCKET))
    }

    /// The same, elsewhere.
    pub fn connect_to(socket: &Path) -> Self {
        Self::over(UnixStream::connect(socket).unwrap_or_else(|error| panic!("{}: {error}", socket.display())))
    }

    /// Over a stream that is connected already.
    pub fn over(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a socket");
        Self(stream)
    }

    /// The same, but waits longer than [`DEADLINE`] for each message: for a broker with much to do.
    pub fn patient(self, patience: Duration) -> Self {
        self.0.set_read_timeout(Some(patience)).expect("a socket");
        self
    }

    /// Sends bytes as they are. That the other side may be gone is not an error here.
    pub fn send(&mut self, bytes: &[u8]) {
        drop(self.0.write_all(bytes));
    }

    /// Sends bytes; whether the other side is still there.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends a message.
    pub fn say(&mut self, kind: char, content: &[u8]) {
        self.send(&frame(kind, content));
    }

    /// Ends what is sent; what comes can still be read.
    pub fn hang_up(&mut self) {
        drop(self.0.shutdown(std::net::Shutdown::Write));
    }

    /// Whether the other side hangs up within so long without having said anything more.
    pub fn is_hung_up_within(&self, span: Duration) -> bool {
        self.0.set_read_timeout(Some(span)).expect("a socket");
        let end = (&self.0).read(&mut [0]);
        self.0.set_read_timeout(Some(DEADLINE)).expect("a socket");
        match end {
            Ok(length) => length == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// The next message; `None` when the other side has hung up.
    pub fn hear(&mut self) -> Option<Frame> {
        let mut header = [0; 5];
        self.0.read_exact(&mut header).ok()?;
        let length = u32::from_be_bytes(header[..4].try_into().expect("four bytes"));
        let mut content = vec![0; usize::try_from(length).expect("a length")];
        self.0.read_exact(&mut content).ok()?;
        Some(Frame { kind: char::from(header[4]), content })
    }
}

/// A message as bytes.
pub fn frame(kind: char, content: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(content.len()).expect("short").to_be_bytes().to_vec();
    bytes.push(u8::try_from(kind).expect("a letter"));
    bytes.extend_from_slice(content);
    bytes
}
