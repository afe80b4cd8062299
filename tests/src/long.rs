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
/// one of so many.
///
/// Where a place is tried in several ways, one after another, `one_of` must have no divisor in common with their number:
/// then each way has its turn at some place. Where it is no more than their number, each place has its turn.
pub fn sample_of_sweep<T>(one_of: usize, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    all.step_by(if is_long() { 1 } else { one_of })
}
