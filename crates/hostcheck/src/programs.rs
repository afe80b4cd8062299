//! Programs of the host that are asked: found in root's folders, given an end of time, and never through a shell.

use std::{
    ffi::OsStr,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use twinlock_core::time::UnixTime;
use twinlock_service::process::ChildGuard;

/// What a program wrote, and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Whether it ended well, and in time.
    pub succeeded: bool,
    /// What it wrote to stdout.
    pub output: String,
    /// What it wrote to stderr.
    pub errors: String,
}

pub(crate) const FOLDERS: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
/// What sshd, which looks up names, and chronyc, which asks over a socket, need at most.
const DEADLINE: Duration = Duration::from_secs(10);

/// The program of that name, if the host has it.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// What starts it: in English, with nothing of our own environment, and its output to be read.
pub(crate) fn command(program: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end.
///
/// # Errors
/// It cannot be started.
pub fn run(program: &Path, arguments: &[impl AsRef<OsStr>]) -> io::Result<ProgramOutput> {
    let mut child = command(program, arguments).stdin(Stdio::null()).spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let output = scope.spawn(|| text(output));
        let errors = scope.spawn(|| text(errors));
        // What does not end is ended, and then nothing more comes from it.
        let ended = ChildGuard::new(child).end_within(DEADLINE);
        let succeeded = ended.is_ok_and(|status| status.is_some_and(|status| status.success()));
        Ok(ProgramOutput {
            succeeded,
            output: output.join().unwrap_or_default(),
            errors: errors.join().unwrap_or_default(),
        })
    })
}

/// Writes a text to the terminals of all who are logged in, where the host has wall(1). It is a courtesy: nothing hangs on it.
pub(crate) fn broadcast(text: &str) {
    let mut command = Command::new("wall");
    command.arg(text).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(child) = command.spawn() {
        let _ = ChildGuard::new(child).end_within(DEADLINE);
    }
}

/// The time of day on this host, or UTC where date(1) does not say.
pub(crate) fn clock_time(time: UnixTime) -> String {
    let arguments = [format!("--date=@{}", time.seconds()), "+%H:%M:%S %Z".to_owned()];
    output_of("date", &arguments).map_or_else(|| time.to_string(), |text| text.trim().to_owned())
}

/// What the program of that name writes to stdout, if the host has it and it succeeds.
pub(crate) fn output_of(name: &str, arguments: &[impl AsRef<OsStr>]) -> Option<String> {
    let said = find(name).and_then(|program| run(&program, arguments).ok())?;
    said.succeeded.then_some(said.output)
}

fn text(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    // What a program wrote before it failed is still worth reading.
    let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
