//! The rules of the output: results on stdout, prompts and pictures on the terminal, the rest on stderr. Whatever is
//! printed goes through one filter here: labels, addresses, names of files and lines of configurations are others' words.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;
use twinlock_core::text::is_hidden;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Prints a result.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_styled(&visible(text, &['\n', '\t']))
}

/// Prints a text whose every value went through [`shown`], with the colours around them.
pub(crate) fn print_styled(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a result as one JSON object on a line. What nobody sees is escaped in it: the object is often read on a terminal.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    // Room for all of it at once: a growing buffer would leave copies of secrets behind.
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *text, value).map_err(io::Error::from)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    match std::str::from_utf8(&text) {
        Ok(text) if text.contains(is_unseen) => out.write_all(escaped(text).as_bytes())?,
        Ok(_) | Err(_) => out.write_all(&text)?,
    }
    out.flush()?;
    Ok(())
}

/// The same JSON with an escape for each character that nobody sees. They are in strings alone, but for the last line feed.
fn escaped(json: &str) -> Zeroizing<String> {
    // The longest escape is three times as long as its character.
    let mut text = Zeroizing::new(String::with_capacity(json.len().saturating_mul(3)));
    for c in json.chars() {
        if is_unseen(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
    }
    text
}

/// The text without what is for nobody's terminal: control characters, which file names and configuration lines can
/// hold, and those that are invisible or turn the direction of writing.
pub(crate) fn sanitize_for_terminal(text: &str) -> String {
    visible(text, &['\n']).into_owned()
}

/// The same but for the characters of the layout. A copy is made only where there is something to hide, and no secret has
/// that.
pub(crate) fn visible<'t>(text: &'t str, layout: &[char]) -> Cow<'t, str> {
    let is_out_of_place = |c: char| is_unseen(c) && !layout.contains(&c);
    if text.contains(is_out_of_place) {
        text.chars().map(|c| if is_out_of_place(c) { '?' } else { c }).collect()
    } else {
        text.into()
    }
}

fn is_unseen(c: char) -> bool {
    c.is_control() || is_hidden(c)
}

/// Says on stderr how a command failed, and gives its exit status.
pub(crate) fn report(failure: Failure) -> ExitCode {
    let (text, status) = failure.into_parts();
    // Nobody is left to be told if stderr is closed.
    let _ = io::stderr().lock().write_all(visible(&text, &['\n']).as_bytes());
    status
}

/// Says what was done, on stderr.
pub(crate) fn print_note(text: &str) {
    // Nobody is left to be told if stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{}", visible(text, &['\n']));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_a_question_mark_or_an_escape() {
        assert_eq!(sanitize_for_terminal("a\u{1b}[2J\u{202e}b\u{9b}\tc\n"), "a?[2J?b??c\n");
        assert_eq!(visible("a\tb\r\n", &['\n', '\t']), "a\tb?\n");
        let json = "{\"label\":\"a\u{202e}b\u{e0041}\u{7f}é\"}\n";
        assert_eq!(*escaped(json), "{\"label\":\"a\\u202eb\\udb40\\udc41\\u007fé\"}\n");
        let read: serde_json::Value = serde_json::from_str(&escaped(json)).unwrap();
        assert_eq!(read["label"], "a\u{202e}b\u{e0041}\u{7f}é");
    }

    #[test]
    fn what_is_seen_is_not_copied() {
        assert!(matches!(visible("otpauth://totp/é\n", &['\n']), Cow::Borrowed(_)));
    }
}
