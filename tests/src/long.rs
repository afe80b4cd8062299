//! Sweeps: a tenth in every run, and whole where there is time.

use std::env;

/// Whether `TWINLOCK_LONG` asks for whole sweeps, as `make test-long` does.
pub fn is_long() -> bool {
    env::var_os("TWINLOCK_LONG").is_some()
}

/// How many tries of a sweep this run makes: the `whole` of them where `TWINLOCK_LONG` is set, a tenth otherwise.
pub fn sweep_of(whole: usize) -> usize {
    if is_long() { whole } else { whole.div_ceil(10) }
}

/// Of all tries of a sweep, in their order, those that this run makes: all of them where `TWINLOCK_LONG` is set, otherwise
/// every eleventh. A place is tried in up to twenty ways; eleven is a prime and no divisor of their number, so that each
/// way has its turn, and each place that is tried in eleven ways or more is tried.
pub fn sample_of_sweep<T>(all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    all.step_by(if is_long() { 1 } else { 11 })
}
