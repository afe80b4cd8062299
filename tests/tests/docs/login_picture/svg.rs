//! A recording of a terminal as SVG. It plays once; where nothing moves, all of it is seen.

use std::fmt::Write;

const COLUMNS: usize = 80;
/// In the units of the picture.
const CELL: (f64, f64) = (8.4, 20.0);
const MARGIN: f64 = 16.0;

const STYLE: &str = "text { font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d0d7de; \
                     white-space: pre }
tspan { animation: appear 1ms backwards }
.prompt { fill: #8b949e }
.typed { fill: #f0c674; font-weight: bold }
.log { fill: #79c0ff }
@keyframes appear { from { opacity: 0 } }
@media (prefers-reduced-motion) { tspan { animation: none } }";

/// What a piece of text on the terminal is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A shell waits.
    Prompt,
    /// A person types.
    Typed,
    /// A program prints.
    Output,
    /// The server logs.
    Log,
}

impl Kind {
    /// The class in the style, and the seconds that pass before it appears.
    const fn look(self) -> (&'static str, f64) {
        match self {
            Self::Prompt => ("prompt", 1.2),
            Self::Typed => ("typed", 0.8),
            Self::Output => ("output", 0.3),
            Self::Log => ("log", 0.5),
        }
    }
}

/// What was on the terminal, line by line.
#[derive(Default)]
pub(crate) struct Recording {
    lines: Vec<String>,
    column: usize,
    /// Whether the last line is still added to.
    open: bool,
    seconds: f64,
}

impl Recording {
    /// Adds text behind what there is; a line that is too long is broken.
    pub(crate) fn add(&mut self, kind: Kind, text: &str) {
        let (class, pause) = kind.look();
        self.seconds += pause;
        for piece in text.split_inclusive('\n') {
            let (content, ends) = piece.strip_suffix('\n').map_or((piece, false), |content| (content, true));
            let mut rest = content;
            while !rest.is_empty() {
                let (part, after) = rest.split_at(fitting(rest, COLUMNS - self.column));
                self.span(class, part);
                rest = after;
                if !rest.is_empty() {
                    self.end_line();
                    rest = rest.trim_start();
                    // What belongs to the line above stands further in.
                    self.column = 2;
                }
            }
            if ends {
                self.end_line();
            }
        }
    }

    fn span(&mut self, class: &str, text: &str) {
        if !self.open {
            self.lines.push(String::new());
            self.open = true;
        }
        let line = self.lines.last_mut().unwrap();
        let (x, delay) = (MARGIN + CELL.0 * width(self.column), self.seconds);
        let text_escaped = text.replace('&', "&amp;").replace('<', "&lt;");
        write!(
            line,
            "<tspan class=\"{class}\" x=\"{x:.1}\" style=\"animation-delay: {delay:.1}s\">{text_escaped}</tspan>"
        )
        .unwrap();
        self.column += text.chars().count();
    }

    fn end_line(&mut self) {
        if !self.open {
            self.lines.push(String::new());
        }
        self.open = false;
        self.column = 0;
    }

    /// The picture.
    pub(crate) fn draw(&self) -> String {
        let lines = self.lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        let (across, down) = (2.0 * MARGIN + CELL.0 * width(COLUMNS), 2.0 * MARGIN + CELL.1 * width(lines));
        let mut picture = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {across:.0} {down:.0}\" width=\"{across:.0}\" \
             height=\"{down:.0}\">\n<style>\n{STYLE}\n</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" \
             fill=\"#0d1117\"/>\n"
        );
        for (number, line) in self.lines[..lines].iter().enumerate().filter(|(_, line)| !line.is_empty()) {
            let y = MARGIN + CELL.1 * (width(number) + 0.75);
            writeln!(picture, "<text y=\"{y:.0}\">{line}</text>").unwrap();
        }
        picture + "</svg>\n"
    }
}

/// How much of the text goes into so many columns: to its end, or to the last space.
fn fitting(text: &str, columns: usize) -> usize {
    match text.char_indices().nth(columns) {
        None => text.len(),
        Some((end, _)) if text[end..].starts_with(' ') => end,
        Some((end, _)) => text[..end].rfind(' ').filter(|at| *at > 0).unwrap_or(end),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a terminal has few cells")]
fn width(cells: usize) -> f64 {
    cells as f64
}
