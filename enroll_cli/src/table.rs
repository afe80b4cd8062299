//! The two forms of `twinlock list`: columns under headings for people, fields between tabs for programs.

use std::{fmt::Write as _, io::IsTerminal};

use clap::builder::styling::{AnsiColor, Style};
use twinlock_service::status::Listed;
use unicode_width::UnicodeWidthStr;

use crate::{messages::list, output::sanitize_for_terminal};

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// On a terminal.
    Yes,
    /// The terminal or its user wants none.
    No,
}

impl Colour {
    /// What the user of the terminal wants (<https://no-color.org>).
    #[allow(clippy::disallowed_methods, reason = "it decides over a colour and over nothing else")]
    pub(crate) fn of_terminal() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb")
            || !std::io::stdout().is_terminal();
        if unwanted { Self::No } else { Self::Yes }
    }
}

const COLUMNS: usize = list::HEADINGS.len();
/// The widest list of labels that does not push the other columns out of sight.
const WIDEST_LABELS: usize = 24;

/// Whether the first line says what the columns are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Headings {
    Yes,
    No,
}

/// Headings, aligned columns, colours. Nothing in it moves a cursor.
pub(crate) fn for_people(rows: &[Listed], headings: Headings, colour: Colour) -> String {
    let cells: Vec<_> = rows.iter().map(|row| (row, cells(row, labels_for_people(row)))).collect();
    let mut widths = list::HEADINGS.map(UnicodeWidthStr::width);
    for (row, cells) in &cells {
        for (column, (width, cell)) in widths.iter_mut().zip(cells).enumerate() {
            // An error takes the rest of its line and moves nobody else's columns.
            if row.error.is_none() || column == 0 {
                *width = (*width).max(cell.width());
            }
        }
    }
    let mut text = match headings {
        Headings::Yes => line(&list::HEADINGS.map(str::to_owned), &widths, |_| Style::new()),
        Headings::No => String::new(),
    };
    for (row, cells) in &cells {
        let style = |column| if colour == Colour::Yes { style(row, column) } else { Style::new() };
        let shown = if row.error.is_some() { cells.get(..2).unwrap_or(cells) } else { cells };
        text.push_str(&line(shown, &widths, style));
    }
    text
}

/// Headings and aligned columns, without colours. The last column is as wide as it likes.
pub(crate) fn columns<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> =
        rows.map(|row| row.map(|cell| sanitize_for_terminal(&cell.replace('\n', " ")))).collect();
    let mut widths = headings.map(UnicodeWidthStr::width);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let all = std::iter::once(headings.map(str::to_owned)).chain(rows);
    all.map(|row| line(&row, &widths, |_| Style::new())).collect()
}

/// A line a user, its fields between tabs; there are none in names and labels. With headings as well, for a person with a pager.
pub(crate) fn for_programs(rows: &[Listed], headings: Headings) -> String {
    let first = (headings == Headings::Yes).then(|| list::HEADINGS.join("\t") + "\n");
    first.into_iter().chain(rows.iter().map(|row| cells(row, labels(row)).join("\t") + "\n")).collect()
}

fn cells(row: &Listed, labels: String) -> [String; COLUMNS] {
    let nothing = || "-".to_owned();
    let enrolled = row.enrolled == Some(true);
    let factor = match (&row.error, enrolled) {
        (Some(error), _) => list::unreadable(error),
        (None, true) => list::ENROLLED.into(),
        (None, false) => list::NOT_ENROLLED.into(),
    };
    let recovery = row.recovery_codes_left.filter(|_| enrolled).map_or_else(nothing, |left| left.to_string());
    let throttle =
        row.throttle.as_ref().filter(|_| enrolled).map_or_else(nothing, |throttle| throttle.mode.clone().into_owned());
    let labels = if labels.is_empty() { nothing() } else { labels };
    let from = row.last_from.as_ref();
    let from = from.map(|from| if row.last_from_claimed { list::claimed(from) } else { from.clone() });
    [
        row.user.clone(),
        factor,
        labels,
        row.last_used.clone().unwrap_or_else(nothing),
        from.unwrap_or_else(nothing),
        recovery,
        throttle,
    ]
    .map(|cell| sanitize_for_terminal(&cell.replace('\n', " ")))
}

/// The labels of the user's apps and devices.
pub(crate) fn labels(row: &Listed) -> String {
    let label = |one: &twinlock_service::status::AuthenticatorStatus| {
        if one.suspended { list::suspended(&one.label) } else { one.label.clone() }
    };
    row.authenticators.iter().map(label).collect::<Vec<_>>().join(", ")
}

fn labels_for_people(row: &Listed) -> String {
    let labels = labels(row);
    if labels.width() <= WIDEST_LABELS { labels } else { list::devices(row.authenticators.len()) }
}

fn line(cells: &[String], widths: &[usize], style: impl Fn(usize) -> Style) -> String {
    let mut text = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let style = style(column);
        let last = column.saturating_add(1) == cells.len();
        let space = if last { 0 } else { width.saturating_sub(cell.width()).saturating_add(2) };
        // Writing to a String cannot fail.
        let _ = write!(text, "{style}{cell}{style:#}{:space$}", "");
    }
    text.push('\n');
    text
}

fn style(row: &Listed, column: usize) -> Style {
    let colour = match column {
        1 if row.error.is_some() => Some(AnsiColor::Red),
        1 if row.enrolled == Some(false) => Some(AnsiColor::Yellow),
        5 if row.enrolled == Some(true) && row.recovery_codes_left == Some(0) => Some(AnsiColor::Yellow),
        6 if row.is_disabled() => Some(AnsiColor::Red),
        _ => None,
    };
    Style::new().fg_color(colour.map(Into::into))
}
