//! The kernel's clocks as numbers, so that times of several processes compare.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds since the kernel's start.
pub(crate) fn now() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds for which processors worked for this process.
pub(crate) fn worked() -> u64 {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).expect("every kernel has it");
    u64::try_from(time.tv_sec()).expect("after the start") * 1_000_000_000
        + u64::try_from(time.tv_nsec()).expect("below a second")
}
