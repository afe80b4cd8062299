//! Programs to be run in a world: in a session of their own and with a clean environment.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::account::Account;
use crate::namespace::inside;
use crate::orphans;
use crate::process::{Output, Process};

/// A program to be run, not yet started.
///
/// ```no_run
/// # twinlock_tests::in_world(|_| {
/// let output = twinlock_tests::Launch::new(["id", "-u"]).run();
/// assert_eq!(output.stdout, "0\n");
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Launch {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    account: Option<u32>,
    controlling_terminal: bool,
}

impl Launch {
    /// A program, found in the world's `PATH`, with its arguments.
    pub fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        Self { arguments, environment: Vec::new(), account: None, controlling_terminal: false }
    }

    /// Sets a variable; beside these there are `PATH`, `HOME` and `LANG=C.UTF-8` only.
    pub fn environment(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs it as this account and its own group, not as root.
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.uid);
        self.environment("HOME", &account.home).environment("USER", &account.name)
    }

    /// Runs it under another program, for instance `["faketime", "-f", "+1h"]` or `["strace", "-f", ...]`.
    pub fn under<A: AsRef<OsStr>>(mut self, prefix: impl IntoIterator<Item = A>) -> Self {
        let prefix = prefix.into_iter().map(|argument| argument.as_ref().to_owned());
        self.arguments = prefix.chain(self.arguments).collect();
        self
    }

    /// Makes its standard input its controlling terminal.
    pub(crate) fn with_controlling_terminal(mut self) -> Self {
        self.controlling_terminal = true;
        self
    }

    /// Runs it to its end, with nothing to read.
    pub fn run(self) -> Output {
        self.start().finish()
    }

    /// Runs it to its end, with `input` to read.
    pub fn run_with_input(self, input: &[u8]) -> Output {
        let mut process = self.start();
        process.write(input);
        process.close_input();
        process.finish()
    }

    /// Starts it with pipes for input and output.
    pub fn start(self) -> Process {
        self.start_reading(Stdio::piped())
    }

    /// The same with an input that it may share with others.
    pub(crate) fn start_reading(self, input: impl Into<Stdio>) -> Process {
        let mut command = self.command();
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.spawn(command)
    }

    /// Starts it on a socket or a terminal; what it writes to `stdio` is not collected, its standard error is.
    pub(crate) fn start_on(self, stdio: &OwnedFd, error: Option<Stdio>) -> Process {
        let copy = || Stdio::from(stdio.try_clone().expect("a free file descriptor"));
        let mut command = self.command();
        command.stdin(copy()).stdout(copy()).stderr(error.unwrap_or_else(Stdio::piped));
        self.spawn(command)
    }

    fn spawn(self, mut command: Command) -> Process {
        orphans::adopt();
        let name = format!("{:?}", self.arguments);
        // It returns when the program has replaced the copy of this process.
        let child = without_open_programs(|| command.spawn());
        Process::follow(child.unwrap_or_else(|error| panic!("cannot start {name}: {error}")), name)
    }

    /// setsid(1) gives it a session of its own: no prompt can reach the developer's terminal, and a kill reaches all of it.
    fn command(&self) -> Command {
        let mut command = Command::new("/usr/bin/setsid");
        if self.controlling_terminal {
            command.arg("--ctty");
        }
        command.args(&self.arguments).current_dir("/").env_clear();
        command.env("PATH", format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", inside("bin")));
        command.env("HOME", "/root").env("LANG", "C.UTF-8").envs(self.environment.iter().cloned());
        if let Some(uid) = self.account {
            command.uid(uid).gid(uid);
        }
        command
    }
}

/// Writes programs and starts programs one at a time. A child that was forked while another thread had a program open
/// for writing holds it open too, until it has become something else, and a process that runs that program meanwhile is told
/// "Text file busy".
pub(crate) fn without_open_programs<T>(act: impl FnOnce() -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    act()
}

/// Runs a tool of the host that must succeed.
///
/// # Panics
/// When it fails.
pub fn tool(arguments: &[&str]) -> Output {
    let output = Launch::new(arguments).run();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output
}
