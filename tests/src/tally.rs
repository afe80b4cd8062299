//! What a run has covered, counted: `make test` prints the sums at its end.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

/// The variable with the folder that `make test` collects the counts in; without it nothing is counted.
const FOLDER: &str = "TWINLOCK_TALLY";

/// Adds to what the run has covered: `tally("races", "rounds", 2_000)`. Counts of the same name add up.
///
/// # Panics
/// When the line cannot be written: a count that is lost would make the table lie.
pub fn tally(area: &str, what: &str, count: u64) {
    if let Some(mut file) = file() {
        // One write of one line: tests of all processes append to the same file.
        file.write_all(format!("{area}\t{what}\t{count}\n").as_bytes()).expect("the folder of the tally takes a line");
    }
}

/// Opens the file before a world makes everything but its own folders read-only.
pub(crate) fn open() {
    let _opened = file();
}

fn file() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let opened = FILE.get_or_init(|| {
        let path = Path::new(&env::var_os(FOLDER)?).join("counts");
        let file = OpenOptions::new().append(true).create(true).open(&path);
        Some(file.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    });
    opened.as_ref()
}
