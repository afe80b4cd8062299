//! What threads have seen of a process, and waiting for more of it.

use std::io::Read;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is known of a process so far; changed by the threads that follow it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    open_streams: usize,
    pub(crate) status: Option<ExitStatus>,
}

impl Seen {
    pub(crate) fn ended(&self) -> bool {
        self.status.is_some() && self.open_streams == 0
    }
}

#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<Seen>, Condvar);

impl Watched {
    /// Reads `stream` to its end on a thread of its own.
    pub(crate) fn collect(
        self: &Arc<Self>,
        mut stream: impl Read + Send + 'static,
        part: fn(&mut Seen) -> &mut Vec<u8>,
    ) {
        let watched = Arc::clone(self);
        watched.change(|seen| seen.open_streams += 1);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last user left answers with EIO: that is its end.
            while let Ok(length @ 1..) = stream.read(&mut buffer) {
                watched.change(|seen| part(seen).extend_from_slice(&buffer[..length]));
            }
            watched.change(|seen| seen.open_streams -= 1);
        });
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().expect("nobody panics while holding it"));
        self.1.notify_all();
    }

    pub(crate) fn now<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.0.lock().expect("nobody panics while holding it"))
    }

    pub(crate) fn wait<T>(&self, deadline: Duration, mut found: impl FnMut(&Seen) -> Option<T>) -> Option<T> {
        let end = Instant::now() + deadline;
        let mut seen = self.0.lock().expect("nobody panics while holding it");
        loop {
            if let Some(value) = found(&seen) {
                return Some(value);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            seen = self.1.wait_timeout(seen, left).expect("nobody panics while holding it").0;
        }
    }
}
