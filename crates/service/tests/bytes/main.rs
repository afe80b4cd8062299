//! What is on disk, on the broker's socket and in the log, byte for byte: one of each, in the files beside this one. They
//! are recorded, not computed: a new name for something in the code must not change what hosts, scripts and older versions
//! read. A file that changes is a change of a format, and belongs into `CHANGELOG.md`.
//!
//! `TWINLOCK_WRITE_SNAPSHOTS=1 cargo test -p twinlock-service --test bytes` writes `frames.txt`, `log.txt` and `state`. All
//! other files are input: they are read, and the code has to write the same bytes back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and is asked by the environment to write its files"
)]

mod files;
mod log;
mod messages;

use std::{env, fs, path::PathBuf};

/// The bytes that were recorded under a name.
fn recorded(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The lines that were recorded under a name.
fn lines(name: &str) -> Vec<String> {
    let text = String::from_utf8(recorded(name)).unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{name} is empty");
    lines
}

/// Compares what the code makes of nothing with what was recorded.
fn compare_made(name: &str, now: &[u8]) {
    if env::var_os("TWINLOCK_WRITE_SNAPSHOTS").is_some() {
        fs::write(path(name), now).unwrap();
    }
    compare(name, now);
}

/// Compares what the code writes with what was recorded.
fn compare(name: &str, now: &[u8]) {
    let before = recorded(name);
    assert!(now == before, "{name} is not what was recorded; now:\n{}", now.escape_ascii());
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bytes").join(name)
}
