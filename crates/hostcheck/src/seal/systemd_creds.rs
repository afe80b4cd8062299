//! systemd-creds(1), as a child process. The key goes through pipes alone: never an argument, a file or the environment.

use std::{
    io::{self, Read as _, Write as _},
    process::Stdio,
    thread,
    time::Duration,
};

use twinlock_service::process::ChildGuard;
use zeroize::Zeroizing;

use crate::programs;

/// What a slow chip needs at most: tens of seconds were seen.
const DEADLINE: Duration = Duration::from_mins(3);
/// More than a sealed key has.
const LARGEST: u64 = 64 * 1024;

/// Runs it with this input; what it wrote.
///
/// # Errors
/// It is not there, or failed: with what it said.
pub(super) fn run(arguments: &[&str], input: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    let program = programs::find("systemd-creds")
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not installed"))?;
    let mut child = programs::command(&program, arguments).stdin(Stdio::piped()).spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let output = scope.spawn(move || {
            // Room for all of it at once: a growing buffer would leave copies of the key behind.
            let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST).unwrap_or(0)));
            let read = stdout.map(|stream| stream.take(LARGEST).read_to_end(&mut bytes)).transpose();
            read.map(|_| bytes)
        });
        let errors = scope.spawn(move || {
            let mut text = String::new();
            let _ = stderr.map(|stream| stream.take(LARGEST).read_to_string(&mut text));
            text
        });
        // A program that ends before it has read all says why.
        let _ = stdin.map(|mut stream| stream.write_all(input));
        let ended = ChildGuard::new(child).end_within(DEADLINE)?;
        let errors = errors.join().unwrap_or_default();
        let output = output.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))?;
        match ended {
            Some(status) if status.success() => Ok(output),
            Some(_) => Err(io::Error::other(errors.trim().to_owned())),
            None => Err(io::Error::new(io::ErrorKind::TimedOut, "it did not end in time")),
        }
    })
}
