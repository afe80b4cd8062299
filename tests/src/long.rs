//! What takes too long for every run.

use std::env;

/// Whether `TWINLOCK_LONG` asks for the rounds that take many minutes.
pub fn is_long() -> bool {
    env::var_os("TWINLOCK_LONG").is_some()
}
