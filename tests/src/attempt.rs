//! One PAM transaction, described by a test, run by `pam-driver` in a process of its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::account::Account;
use crate::launch::Launch;
use crate::namespace::inside;
use crate::outcome::Outcome;
use crate::pam_names::Operation;
use crate::process::Process;
use crate::script::{Give, Report, Spec, Step};
use crate::world::World;

/// A transaction to be tried. Unless told otherwise it calls `pam_authenticate` alone, with every item unset.
///
/// ```no_run
/// # use twinlock_tests::{Attempt, PamCode, in_world};
/// in_world(|world| {
///     world.account("alice");
///     world.service("svc", "auth required pam_twinlock.so\n");
///     let outcome = Attempt::new("svc").user("alice").rhost("192.0.2.7").answer("123456").run(world);
///     assert_eq!(outcome.code(), PamCode::AuthErr);
///     assert_eq!(outcome.prompts(), ["Verification code: "]);
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Attempt {
    spec: Spec,
    /// The step being described; the next answer completes it.
    step: Step,
    under: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    account: Option<Account>,
    host: Option<PathBuf>,
}

impl Attempt {
    /// An attempt on the service `/etc/pam.d/SERVICE`.
    pub fn new(service: &str) -> Self {
        let spec = Spec {
            service: service.into(),
            user: None,
            rhost: None,
            tty: None,
            pam_environment: Vec::new(),
            flags: 0,
            operations: vec![Operation::Authenticate],
            script: Vec::new(),
            configuration: "/etc/pam.d".into(),
            closed: Vec::new(),
            report: None,
        };
        Self { spec, step: Step::default(), under: Vec::new(), environment: Vec::new(), account: None, host: None }
    }

    /// Sets `PAM_USER`, to any bytes but NUL.
    pub fn user(mut self, name: impl AsRef<[u8]>) -> Self {
        self.spec.user = Some(name.as_ref().to_vec());
        self
    }

    /// Sets `PAM_RHOST`.
    pub fn rhost(mut self, host: impl AsRef<[u8]>) -> Self {
        self.spec.rhost = Some(host.as_ref().to_vec());
        self
    }

    /// Sets `PAM_TTY`.
    pub fn tty(mut self, tty: impl AsRef<[u8]>) -> Self {
        self.spec.tty = Some(tty.as_ref().to_vec());
        self
    }

    /// Puts a variable into the PAM environment, for instance `SSH_AUTH_INFO_0`.
    pub fn pam_environment(mut self, name: &str, value: &str) -> Self {
        self.spec.pam_environment.push(format!("{name}={value}"));
        self
    }

    /// Sets the flags of every operation, for instance 0x8000 for `PAM_SILENT`.
    pub fn flags(mut self, flags: i32) -> Self {
        self.spec.flags = flags;
        self
    }

    /// Sets what is done, in this order, whatever the one before returned.
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.spec.operations = operations.into_iter().collect();
        self
    }

    /// Takes the service file from this folder.
    pub fn configuration(mut self, folder: impl Into<PathBuf>) -> Self {
        self.spec.configuration = folder.into();
        self
    }

    /// Answers the next prompt with this text.
    pub fn answer(self, text: impl AsRef<[u8]>) -> Self {
        self.give(Give::Bytes(text.as_ref().to_vec()))
    }

    /// Answers the next prompt in any way, proper or not.
    pub fn give(mut self, give: Give) -> Self {
        let step = std::mem::take(&mut self.step);
        self.spec.script.push(Step { give, ..step });
        self
    }

    /// Holds the next answer back until the harness releases it, see [`Attempt::start`].
    pub fn held(mut self) -> Self {
        self.step.held = true;
        self
    }

    /// Holds the first answer back: an attempt of a race.
    pub(crate) fn held_first(mut self) -> Self {
        self.spec.script.first_mut().expect("an attempt in a race answers").held = true;
        self
    }

    /// What a driver is told.
    pub(crate) fn into_spec(self) -> Spec {
        self.spec
    }

    /// Changes `PAM_USER` just before the next answer.
    pub fn change_user(mut self, name: impl AsRef<[u8]>) -> Self {
        self.step.change_user = Some(name.as_ref().to_vec());
        self
    }

    /// Closes file descriptors 0, 1 and 2 before the first operation.
    pub fn closed_stdio(self) -> Self {
        self.closed([0, 1, 2])
    }

    /// Closes these file descriptors before the first operation.
    pub fn closed(mut self, numbers: impl IntoIterator<Item = i32>) -> Self {
        self.spec.closed = numbers.into_iter().collect();
        self
    }

    /// Runs the host under another program: `["faketime", "-f", "+1h"]`, `["strace", "-e", "inject=..."]`.
    pub fn under<A: AsRef<OsStr>>(mut self, prefix: impl IntoIterator<Item = A>) -> Self {
        self.under = prefix.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        self
    }

    /// Sets a variable of the host's process environment.
    pub fn environment(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs the host as this account, as a screen locker does.
    pub fn as_account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// Plays it in another copy of `pam-driver`, for instance one that is set-user-ID.
    pub fn host(mut self, program: impl Into<PathBuf>) -> Self {
        self.host = Some(program.into());
        self
    }

    /// What is to be played.
    pub(crate) fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Runs it to its end.
    pub fn run(self, world: &World) -> Outcome {
        self.launch(world, Stdio::piped()).finish()
    }

    /// Starts it and waits until it is held at a prompt (or has ended without coming there).
    ///
    /// ```no_run
    /// # use twinlock_tests::{Attempt, PamCode, in_world};
    /// # in_world(|world| {
    /// let waiting = Attempt::new("svc").user("alice").held().answer("123456").start(world);
    /// // ... something happens while the prompt is open ...
    /// waiting.release();
    /// # });
    /// ```
    pub fn start(self, world: &World) -> Held {
        let held = self.launch(world, Stdio::piped());
        held.process.wait_for_output("held\n");
        held
    }

    fn launch(self, world: &World, input: impl Into<Stdio>) -> Held {
        let (path, report) = write_spec(world, self.spec.clone());
        Held { process: self.launch_driver([path]).start_reading(input), report }
    }

    pub(crate) fn start_relay(self, world: &World) -> Process {
        let (path, _no_report) = write_spec(world, self.spec.clone());
        self.launch_driver(["--relay".into(), path]).start()
    }

    fn launch_driver(self, specs: impl IntoIterator<Item = String>) -> Launch {
        let driver = self.host.unwrap_or_else(|| inside("pam-driver").into()).into_os_string();
        assert!(fs::exists(&driver).unwrap_or(false), "pam-driver is missing: run `cargo build -p twinlock-tests`");
        let mut launch =
            Launch::new([driver].into_iter().chain(specs.into_iter().map(OsString::from))).under(self.under);
        for (name, value) in self.environment {
            launch = launch.environment(name, value);
        }
        match self.account {
            Some(account) => launch.account(&account),
            None => launch,
        }
    }
}

/// An attempt that is under way.
#[derive(Debug)]
pub struct Held {
    process: Process,
    report: PathBuf,
}

impl Held {
    /// Lets the held answer go and waits for the end.
    pub fn release(mut self) -> Outcome {
        self.process.write(b"\n");
        self.finish()
    }

    /// Kills the host where it is, and waits until it is gone.
    pub fn kill(self) {
        self.process.kill();
        self.process.finish();
    }

    /// The host's process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    fn finish(self) -> Outcome {
        let output = self.process.finish();
        Outcome { report: read_report(&self.report), output }
    }
}

/// Hands a spec over: where it is, and where its report will be.
fn write_spec(world: &World, spec: Spec) -> (String, PathBuf) {
    let number = world.serial();
    let report = PathBuf::from(inside(&format!("reports/{number}")));
    let spec = Spec { report: Some(report.clone()), ..spec };
    // A file, because an argument may not be longer than 128 KiB.
    let path = inside(&format!("spec-{number}"));
    world.write(&path, serde_json::to_string(&spec).expect("a spec is JSON"));
    (path, report)
}

fn read_report(path: &Path) -> Option<Report> {
    let line = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("a broken report: {error}: {line}")))
}

/// Plays all attempts one after another in one process, which is how thousands of them take seconds. What says how a
/// process is run (`under`, `environment`, `as_account`) is taken from the first; none of them can be held.
///
/// # Panics
/// When the process ends badly.
pub fn one_after_another(world: &World, attempts: impl IntoIterator<Item = Attempt>) -> Vec<Outcome> {
    let attempts: Vec<_> = attempts.into_iter().collect();
    let Some(first) = attempts.first().cloned() else {
        return Vec::new();
    };
    let (paths, reports): (Vec<_>, Vec<_>) =
        attempts.into_iter().map(|attempt| write_spec(world, attempt.spec)).unzip();
    let output = first.launch_driver(paths).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    reports.iter().map(|report| Outcome { report: read_report(report), output: output.clone() }).collect()
}

/// Brings all attempts to their first prompt, then lets all answers go at once.
///
/// ```no_run
/// # use twinlock_tests::{Attempt, PamCode, in_world, race};
/// # in_world(|world| {
/// let attempt = Attempt::new("svc").user("alice").answer("123456");
/// let outcomes = race(world, vec![attempt; 8]);
/// assert_eq!(outcomes.iter().filter(|outcome| outcome.code() == PamCode::Success).count(), 1);
/// # });
/// ```
pub fn race(world: &World, attempts: impl IntoIterator<Item = Attempt>) -> Vec<Outcome> {
    let (wait, release) = pipe().expect("a pipe");
    let wait = || wait.try_clone().expect("a free file descriptor");
    let held: Vec<_> = attempts.into_iter().map(|attempt| attempt.held_first().launch(world, wait())).collect();
    for one in &held {
        one.process.wait_for_output("held\n");
    }
    // All of them wait for this one pipe, and see its end in the same moment.
    drop(release);
    held.into_iter().map(Held::finish).collect()
}
