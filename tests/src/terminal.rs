//! Programs on a terminal of their own, driven as by a person: wait for a text, type a line.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

use crate::launch::Launch;
use crate::process::{DEADLINE, Output, Process};

/// A program whose controlling terminal, 80 by 24, is held by the test.
///
/// ```no_run
/// # use twinlock_tests::{Launch, Terminal, in_world};
/// in_world(|_| {
///     let mut terminal = Terminal::start(Launch::new(["sh", "-c", "printf 'Name: '; read name; echo hello $name"]));
///     terminal.expect("Name: ");
///     terminal.send_line("alice");
///     terminal.expect("hello alice");
///     assert_eq!(terminal.finish().code, Some(0));
/// });
/// ```
#[derive(Debug)]
pub struct Terminal {
    process: Process,
    keyboard: File,
    /// How much of the output earlier calls of `expect` went past.
    read_bytes: usize,
}

impl Terminal {
    /// Starts the program on a new terminal: input, output and errors.
    pub fn start(launch: Launch) -> Self {
        Self::open(launch, |terminal| Some(Stdio::from(terminal.try_clone().expect("a free file descriptor"))))
    }

    /// The same, with standard error collected apart.
    pub fn start_with_error_apart(launch: Launch) -> Self {
        Self::open(launch, |_| None)
    }

    fn open(launch: Launch, error: impl FnOnce(&OwnedFd) -> Option<Stdio>) -> Self {
        // Close-on-exec from the start: tests run side by side, and a copy in a stranger would keep the terminal open.
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
        grantpt(&master).expect("our own terminal");
        unlockpt(&master).expect("our own terminal");
        let name = ptsname_r(&master).expect("our own terminal");
        let no_tty = OFlag::O_NOCTTY.bits();
        let slave =
            OpenOptions::new().read(true).write(true).custom_flags(no_tty).open(name).expect("our own terminal");
        let slave = OwnedFd::from(slave);

        // Tests that run in the background have SIGINT ignored, and a shell cannot take that back.
        let signals = ["env", "--default-signal=INT,QUIT,HUP,TERM"];
        let sized =
            launch.under(signals.iter().copied().chain(["sh", "-c", "stty rows 24 columns 80 && exec \"$@\"", "sh"]));
        let process = sized.environment("TERM", "xterm").with_controlling_terminal().start_on(&slave, error(&slave));
        drop(slave);
        let keyboard = File::from(OwnedFd::from(master));
        let screen = WithoutReturns(keyboard.try_clone().expect("a free file descriptor"));
        process.seen.collect(screen, |seen| &mut seen.stdout);
        Self { process, keyboard, read_bytes: 0 }
    }

    /// Waits for `text` after everything expected before; returns what was shown up to and with it.
    pub fn expect(&mut self, text: &str) -> String {
        self.look_for(text).unwrap_or_else(|rest| panic!("{text:?} never came; the program ended after:\n{rest}"))
    }

    /// The same of a program that may end before.
    pub fn expect_or_end(&mut self, text: &str) -> Option<String> {
        self.look_for(text).ok()
    }

    fn look_for(&mut self, text: &str) -> Result<String, String> {
        let from = self.read_bytes;
        let shown = self.process.wait(&format!("{text:?} on the terminal"), |seen| {
            let rest = &seen.stdout[from..];
            let found = rest.windows(text.len()).position(|window| window == text.as_bytes());
            match found {
                Some(start) => Some(Ok(rest[..start + text.len()].to_vec())),
                None if seen.ended() => Some(Err(String::from_utf8_lossy(rest).into_owned())),
                None => None,
            }
        })?;
        self.read_bytes += shown.len();
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    /// Types a line and presses Enter.
    pub fn send_line(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Types these bytes: `b"\x03"` is Ctrl-C, `b"\x04"` is Ctrl-D.
    pub fn send(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).expect("the terminal is open");
    }

    /// Presses Ctrl-C until the program ends. Once is not always enough: readpassphrase(3), which ssh asks with, loses a
    /// signal that comes between its prompt and its read.
    pub fn interrupt(&mut self) {
        let end = Instant::now() + DEADLINE;
        while self.process.is_running() && Instant::now() < end {
            self.send(b"\x03");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The program itself.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits for its end; `stdout` is all that was on the terminal.
    pub fn finish(self) -> Output {
        self.process.finish()
    }
}

/// Terminals turn every line end into `\r\n`; tests want to write `\n`.
struct WithoutReturns(File);

impl std::io::Read for WithoutReturns {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let length = self.0.read(buffer)?;
            let mut kept = 0;
            for index in 0..length {
                if buffer[index] != b'\r' {
                    buffer[kept] = buffer[index];
                    kept += 1;
                }
            }
            if kept > 0 || length == 0 {
                return Ok(kept);
            }
        }
    }
}
