//! Locks on files, with an end of time: flock(2), by the standard library.

use std::{
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::open::error;
use crate::ports::{StoreError, StoreErrorKind};

/// How long a lock is waited for before the attempt is refused.
pub(super) const DEADLINE: Duration = Duration::from_secs(3);

/// A file that is locked until this is dropped.
#[derive(Debug)]
pub(super) struct Locked(pub(super) File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Unlocked by name, not only by closing: a child that the host forked meanwhile may hold the descriptor too.
        let _ = self.0.unlock();
    }
}

pub(super) fn lock(file: File, path: &Path) -> Result<Locked, StoreError> {
    let taken = wait(DEADLINE, || try_lock(&file).map(|locked| locked.then_some(())));
    let taken = taken.map_err(|e| error(path, StoreErrorKind::Read(e)))?;
    taken.map(|()| Locked(file)).ok_or_else(|| error(path, StoreErrorKind::Busy(DEADLINE)))
}

/// Whether the file could be locked. That others hold it is no error.
pub(super) fn try_lock(file: &File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Interrupted => Ok(false),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Tries until something is there or the deadline has passed. Polls, because a wait with a time limit would need a
/// signal or a thread in the host.
#[allow(
    clippy::disallowed_methods,
    reason = "the deadline of a lock is this adapter's own, and by the monotonic clock"
)]
pub(super) fn wait<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> std::io::Result<Option<T>>,
) -> std::io::Result<Option<T>> {
    let begin = Instant::now();
    let mut pause = Duration::from_micros(100);
    loop {
        if let Some(taken) = attempt()? {
            return Ok(Some(taken));
        }
        if begin.elapsed() >= patience {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = pause.saturating_mul(2).min(Duration::from_millis(4));
    }
}
