//! The rules of the output: results on stdout, prompts and pictures on the terminal, the rest on stderr.

use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Prints a result.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a result as one JSON object on a line.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    // Room for all of it at once: a growing buffer would leave copies of secrets behind.
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *text, value).map_err(io::Error::from)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()?;
    Ok(())
}

/// The text without what is for nobody's terminal: control characters, which file names and configuration lines can
/// hold, and those that are invisible or turn the direction of writing.
pub(crate) fn shown(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if hidden(c) { '?' } else { c }).collect()
}

/// Says what was done, on stderr.
pub(crate) fn note(text: &str) {
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
