//! What the demonstration looks like: 80 columns, colour only on a terminal and not with `NO_COLOR`.

use std::env;
use std::io::{IsTerminal, Write, stdout};
use std::thread;
use std::time::Duration;

use twinlock_tests::LogLine;

/// Columns that are used.
pub(crate) const WIDTH: usize = 80;
const BAR: &str = " │ ";
const LOG: &str = " log ";

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "1;32";
const YELLOW: &str = "1;33";
const CYAN: &str = "1;36";

/// Standard output, written line by line.
pub(crate) struct Screen {
    colour: bool,
    /// Whether the next text of a terminal begins a line.
    fresh: bool,
    hidden: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: stdout().is_terminal() && !refused, fresh: true, hidden: false }
    }

    /// The same screen for what need not be seen.
    pub(crate) const fn hidden(&self) -> Self {
        Self { colour: self.colour, fresh: true, hidden: true }
    }

    /// Whether programs whose output is shown may use colour.
    pub(crate) const fn has_colour(&self) -> bool {
        self.colour
    }

    /// A heading over the width of the screen.
    pub(crate) fn heading(&mut self, text: &str) {
        let rule = "─".repeat(WIDTH.saturating_sub(text.chars().count() + 5));
        let line = format!("{} {} {}", self.paint(DIM, "──"), self.paint(CYAN, text), self.paint(DIM, &rule));
        self.put(&format!("\n {line}\n\n"));
    }

    /// Prose.
    pub(crate) fn say(&mut self, text: &str) {
        for line in wrapped(text, WIDTH - 2) {
            self.put(format!(" {line}").trim_end());
            self.put("\n");
        }
    }

    /// A picture with notes to its right.
    pub(crate) fn beside(&mut self, picture: &[&str], notes: &[String]) {
        for (number, row) in picture.iter().enumerate() {
            let note = notes.get(number).map_or("", String::as_str);
            self.put(format!("  {row}   {note}").trim_end());
            self.put("\n");
        }
    }

    /// A command that somebody types into a shell.
    pub(crate) fn command(&mut self, prompt: &str, command: &str) {
        let line = format!(" {} {}\n", self.paint(DIM, prompt), self.paint(BOLD, command));
        self.put(&line);
    }

    /// What a program showed on its terminal. It may end within a line, where an answer follows.
    pub(crate) fn shown(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let (content, ends) = piece.strip_suffix('\n').map_or((piece, false), |content| (content, true));
            // Colours have no width; only pictures have colours.
            let lines = if content.contains('\x1b') { vec![content.into()] } else { wrapped(content, WIDTH - 4) };
            for (number, line) in lines.iter().enumerate() {
                if number > 0 {
                    self.put("\n");
                    self.fresh = true;
                }
                let bar = if self.fresh { self.paint(DIM, BAR) } else { String::new() };
                let text = format!("{bar}{line}");
                self.put(if line.is_empty() { text.trim_end() } else { &text });
                self.fresh = false;
            }
            if ends {
                self.put("\n");
                self.fresh = true;
            }
        }
    }

    /// What the demonstration types into it.
    pub(crate) fn typed(&mut self, text: &str) {
        self.pause(Duration::from_millis(300));
        for key in text.chars() {
            let key = self.paint(YELLOW, &key.to_string());
            self.put(&key);
            self.pause(Duration::from_millis(35));
        }
        self.put("\n");
        self.fresh = true;
    }

    /// A line of the log.
    pub(crate) fn log(&mut self, line: &LogLine) {
        for (number, part) in wrapped(&line.to_string(), WIDTH - LOG.len() - 1).iter().enumerate() {
            let margin = if number == 0 { LOG } else { "     " };
            let words = part.split(' ').map(|word| match word.split_once('=') {
                Some(("result" | "reason", _)) => word.into(),
                _ => self.paint(DIM, word),
            });
            let line = words.collect::<Vec<_>>().join(" ");
            self.put(&format!("{}{line}\n", self.paint(DIM, margin)));
        }
    }

    /// That a step went as it should: how it ended, and what that means.
    pub(crate) fn verdict(&mut self, end: &str, meaning: &str) {
        let line = format!(" {} {}: {meaning}\n", self.paint(GREEN, "✔"), self.paint(BOLD, end));
        self.put(&line);
        self.pause(Duration::from_millis(900));
    }

    /// Time to look, where there is somebody who looks.
    fn pause(&self, time: Duration) {
        if stdout().is_terminal() && !self.hidden {
            thread::sleep(time);
        }
    }

    /// A text that stands out, where colour is to be had.
    pub(crate) fn strong(&self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.into() }
    }

    fn put(&mut self, text: &str) {
        if self.hidden {
            return;
        }
        let mut out = stdout().lock();
        // The output was closed: nobody wants to see more; the steps are still checked.
        let _seen = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// A text in lines of at most `width` characters, broken at spaces where there are some.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > width {
        let window = rest.get(..=width).unwrap_or_default();
        // A space near the margin; a long word is cut instead.
        let space = window.iter().rposition(|c| *c == ' ').filter(|at| *at > width / 3);
        let line: Vec<char> = rest.drain(..space.unwrap_or(width)).collect();
        lines.push(line.into_iter().collect());
        if space.is_some() {
            rest.remove(0);
        }
    }
    lines.push(rest.into_iter().collect());
    lines
}

#[test]
fn long_lines_are_broken_at_spaces_and_long_words_are_cut() {
    assert_eq!(wrapped("aaa bbb ccc", 7), ["aaa bbb", "ccc"]);
    assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(wrapped("", 4), [""]);
}
