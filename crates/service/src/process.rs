//! A program that was started by this one: it does not outlive its use, and has an end of time.

use std::{
    io,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

/// How often is looked. Waiting with a time limit would need a signal or a thread.
const PAUSE: Duration = Duration::from_millis(2);

/// A program that runs. Dropped, it is killed if it has not ended.
#[derive(Debug)]
pub struct ChildGuard(Child);

impl ChildGuard {
    /// Takes a program that was just started.
    #[must_use]
    pub const fn new(child: Child) -> Self {
        Self(child)
    }

    /// Waits for its end at most so long; `None` if it had to be killed.
    ///
    /// # Errors
    /// The kernel's.
    #[allow(
        clippy::disallowed_methods,
        reason = "the deadline of a program is this adapter's own, by the monotonic clock"
    )]
    pub fn end_within(&mut self, span: Duration) -> io::Result<Option<ExitStatus>> {
        let begin = Instant::now();
        while begin.elapsed() < span {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            thread::sleep(PAUSE);
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(None)
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        // Gone already, as a rule.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
