//! Work that is waiting, for a directory or a disk, done by all processors.

use std::{num::NonZero, panic, thread};

/// What comes of each item, in the same order.
pub fn map<T: Sync, R: Send>(items: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let one = &one;
        let start = |part| scope.spawn(move || <[T]>::iter(part).map(one).collect::<Vec<_>>());
        let parts: Vec<_> = items.chunks(share).map(start).collect();
        // Nothing is left out because one part ended in a bug.
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|bug| panic::resume_unwind(bug))).collect()
    })
}
