//! Programs of the host that are asked: found in root's folders, given an end of time, and never through a shell.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// What one said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Whether it ended well, and in time.
    pub(crate) fine: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

const FOLDERS: [&str; 6] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
/// What sshd, which looks up names, and chronyc, which asks over a socket, need at most.
const DEADLINE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// The program of that name, if the host has it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Runs it to its end.
///
/// # Errors
/// It cannot be started.
pub(crate) fn run(program: &Path, arguments: &[&str]) -> io::Result<Said> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let output = scope.spawn(|| text(output));
        let errors = scope.spawn(|| text(errors));
        let fine = ended_well(&mut child);
        Ok(Said { fine, output: output.join().unwrap_or_default(), errors: errors.join().unwrap_or_default() })
    })
}

/// Waits, and ends what does not end.
fn ended_well(child: &mut Child) -> bool {
    let mut left = DEADLINE;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if !left.is_zero() => thread::sleep(PAUSE),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
        left = left.saturating_sub(PAUSE);
    }
}

fn text(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    // What a program wrote before it failed is still worth reading.
    let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
