//! Which requests for memory the C allocator of this process refuses. The module's allocator begins with the C one, so these
//! are its own, libpam's and libc's. Counted in a page that a fork shares with its parent, because one that dies tells nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};

use twinlock_tests::{Shortage, in_callback};

use crate::raw;

/// Requests of which the sizes are kept.
const KEPT: usize = 8192;

/// What a fork and its parent both see.
#[derive(Debug)]
pub(crate) struct Count {
    requests: AtomicUsize,
    first_refused: AtomicUsize,
    last_refused: AtomicUsize,
    refused: AtomicBool,
    sizes: [AtomicU32; KEPT],
}

/// Whether this very process counts; its parent does not.
static WATCHING: AtomicBool = AtomicBool::new(false);

static COUNT: OnceLock<&'static Count> = OnceLock::new();

fn count() -> &'static Count {
    COUNT.get_or_init(raw::shared)
}

/// Sets the count of the next fork to zero.
pub(crate) fn prepare(shortage: Option<Shortage>) {
    let (first, last) = match shortage {
        None => (usize::MAX, 0),
        Some(Shortage::At(one)) => (one, one),
        Some(Shortage::From(first)) => (first, usize::MAX),
    };
    let count = count();
    count.first_refused.store(first, Relaxed);
    count.last_refused.store(last, Relaxed);
    count.requests.store(0, Relaxed);
    count.refused.store(false, Relaxed);
}

/// Begins or ends the count.
pub(crate) fn watch(on: bool) {
    WATCHING.store(on, Relaxed);
}

/// Counts a request; whether it is to be refused.
pub(crate) fn refuses(size: usize) -> bool {
    let Some(count) = COUNT.get().filter(|_| WATCHING.load(Relaxed) && !in_callback()) else {
        return false;
    };
    let number = count.requests.fetch_add(1, Relaxed);
    if let Some(kept) = count.sizes.get(number) {
        kept.store(u32::try_from(size).unwrap_or(u32::MAX), Relaxed);
    }
    let refused = number >= count.first_refused.load(Relaxed) && number <= count.last_refused.load(Relaxed);
    count.refused.fetch_or(refused, Relaxed);
    refused
}

/// How many there were in the last fork.
pub(crate) fn requests() -> usize {
    count().requests.load(Relaxed)
}

/// Whether one was refused.
pub(crate) fn refused() -> bool {
    count().refused.load(Relaxed)
}

/// The sizes of those of the last fork.
pub(crate) fn sizes() -> Vec<u32> {
    count().sizes.iter().take(requests()).map(|size| size.load(Relaxed)).collect()
}
