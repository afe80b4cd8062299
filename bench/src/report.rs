//! The report: tables, as text for a terminal and as Markdown.

use crate::broker::Figure;
use crate::contender::{Contender, Given};
use crate::facts::{self, Facts};
use crate::race::{Results, Times};
use crate::rules::{self, Row};
use crate::samples::Samples;

/// What was measured, in the order in which it is told.
#[derive(Default)]
pub(crate) struct Report {
    introduction: Vec<String>,
    tables: Vec<Table>,
    notes: Vec<String>,
}

struct Table {
    title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    below: String,
}

/// The contenders that have a column; libpam has a line below.
const COLUMNS: [Contender; 4] =
    [Contender::Floor, Contender::Twinlock, Contender::GoogleAuthenticator, Contender::Oath];

/// The contenders by which ours is divided, with the heads of these columns.
const RATIOS: [(Contender, &str); 3] =
    [(Contender::Floor, "/floor"), (Contender::GoogleAuthenticator, "/google"), (Contender::Oath, "/oath")];

impl Report {
    /// Says how and where it is measured.
    pub(crate) fn begin(&mut self, rounds: usize) {
        self.introduction = facts::machine();
        self.introduction.extend([
            format!("Milliseconds as median (p90) of {rounds} rounds, of fewer for recovery codes and many at once;"),
            "then the ratios of our median to the others'.".into(),
            "`processor`: the part in which a processor worked for the login, rather than a disk.".into(),
            "`refused`: so many were refused although the code was right; their times mean nothing.".into(),
            "floor: open, one pwrite of 4 KiB and fdatasync, on a file that is there, in the same directory.".into(),
        ]);
    }

    /// Adds the rows of one size of store, and of one number of logins at once.
    pub(crate) fn add_race(&mut self, enrolled: usize, together: usize, results: &[(Given, Results); 3]) {
        let mut rows = Vec::new();
        for (given, times) in results {
            if together == 1 {
                rows.push(row(given.name().into(), times, |times| &times.each));
                rows.push(row("  processor".into(), times, |times| &times.worked));
            } else {
                rows.push(row(format!("{}, each", given.name()), times, |times| &times.each));
                rows.push(row("  all of them".into(), times, |times| &times.all));
            }
        }
        let how = if together == 1 { "One login at a time".into() } else { format!("{together} logins at once") };
        let title = format!("{how}, {enrolled} enrolled");
        self.tables.push(Table { title, head: head_of_races(), rows, below: libpam_alone(&results[0].1) });
    }

    /// Adds how a success grows with the users and with the logins at once.
    pub(crate) fn add_growth<'r>(&mut self, results: impl Iterator<Item = &'r (String, Results)>) {
        let rows = results.map(|(name, times)| row(name.clone(), times, |times| &times.all)).collect();
        let title = "How a success grows with users, one at a time, and with logins at once".into();
        self.tables.push(Table { title, head: head_of_races(), rows, below: String::new() });
    }

    /// Adds what rules cost.
    pub(crate) fn add_rules(&mut self, rows: &[Row]) {
        let head = [vec![""], rules::HEAD.to_vec(), vec!["/none"; 2]].concat();
        let row = |Row { name, times }: &Row| {
            let [none, rest @ ..] = times;
            let ratios =
                rest.each_ref().map(|times| format!("{:.2}", seconds(times.median()) / seconds(none.median())));
            [vec![name.clone()], times.each_ref().map(spread).to_vec(), ratios.to_vec()].concat()
        };
        let title = "A login under rules that name 200 groups".into();
        self.tables.push(Table { title, head, rows: rows.iter().map(row).collect(), below: String::new() });
    }

    /// Adds what is no race.
    pub(crate) fn add_facts(&mut self, facts: &Facts) {
        let rows =
            facts.rows.iter().map(|(name, values)| [vec![(*name).to_owned()], values.to_vec()].concat()).collect();
        let head = [""].into_iter().chain(Facts::COLUMNS.map(Contender::name)).collect();
        self.tables.push(Table { title: "What it costs the host".into(), head, rows, below: String::new() });
        self.notes.clone_from(&facts.notes);
    }

    /// Adds what is of the broker.
    pub(crate) fn add_broker(&mut self, figures: &[Figure]) {
        let rows = figures.iter().map(|(name, figure)| vec![name.clone(), figure.clone()]).collect();
        self.tables.push(Table { title: "The broker".into(), head: vec!["", ""], rows, below: String::new() });
    }

    /// For a terminal, up to 100 columns.
    pub(crate) fn as_text(&self) -> String {
        let mut text = self.introduction.join("\n") + "\n";
        for table in &self.tables {
            text = text + "\n" + &table.title + "\n" + &table.as_text();
        }
        text + "\n" + &self.notes.join("\n")
    }

    /// The same as Markdown.
    pub(crate) fn as_markdown(&self) -> String {
        let mut text = format!(
            "# Benchmarks\n\n`make bench` measures and writes this page.\n\n{}\n",
            self.introduction.join("\n")
        );
        for table in &self.tables {
            text = text + "\n## " + &table.title + "\n\n" + &table.as_markdown();
        }
        text + "\n" + &self.notes.join("\n") + "\n"
    }
}

impl Table {
    fn as_text(&self) -> String {
        let lines = || [self.head.iter().map(|cell| (*cell).to_owned()).collect()].into_iter().chain(self.rows.clone());
        let width = |column: usize| lines().map(|line: Vec<String>| line[column].len()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.head.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let (name, cells) = line.split_first().expect("a name");
            let mut whole = format!("{name:<0$}", widths[0]);
            for (cell, width) in cells.iter().zip(&widths[1..]) {
                whole = whole + "  " + &format!("{cell:>width$}");
            }
            text += &(whole + "\n");
        }
        text + &self.below
    }

    fn as_markdown(&self) -> String {
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.head.clone());
        text += &line(self.head.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }).collect());
        for row in &self.rows {
            text += &line(row.iter().map(|cell| cell.trim()).collect());
        }
        if self.below.is_empty() { text } else { text + "\n" + &self.below }
    }
}

fn head_of_races() -> Vec<&'static str> {
    [""].into_iter().chain(COLUMNS.map(Contender::name)).chain(RATIOS.map(|(_, head)| head)).collect()
}

/// What every module's figure has in it.
fn libpam_alone(results: &Results) -> String {
    let at = Contender::ALL.iter().position(|one| *one == Contender::Libpam);
    let times = at.and_then(|at| results[at].as_ref());
    times.map_or_else(String::new, |times| {
        format!("libpam alone, with pam_permit.so: {}, processor {}\n", spread(&times.each), spread(&times.worked))
    })
}

fn row(name: String, results: &Results, which: impl Fn(&Times) -> &Samples) -> Vec<String> {
    let cell = |times: &Times| match times.wrongly_refused {
        0 => spread(which(times)),
        refused => format!("{} % refused", refused * 100 / times.each.len()),
    };
    let median = |contender: Contender| {
        let at = Contender::ALL.iter().position(|one| *one == contender)?;
        results[at].as_ref().filter(|times| times.wrongly_refused == 0).map(|times| which(times).median())
    };
    let cells = results.iter().take(COLUMNS.len()).map(|times| times.as_ref().map_or_else(|| "-".into(), cell));
    let ratios = RATIOS.map(|(other, _)| match (median(Contender::Twinlock), median(other)) {
        (Some(ours), Some(theirs)) => format!("{:.2}", seconds(ours) / seconds(theirs)),
        _ => "-".into(),
    });
    [name].into_iter().chain(cells).chain(ratios).collect()
}

/// Median and p90 in milliseconds.
pub(crate) fn spread(samples: &Samples) -> String {
    format!("{} ({})", milliseconds(samples.median()), milliseconds(samples.p90()))
}

/// Nanoseconds as milliseconds, with as many places as mean something.
pub(crate) fn milliseconds(nanoseconds: u64) -> String {
    let value = seconds(nanoseconds) * 1e3;
    let places = match value {
        ..10.0 => 3,
        ..100.0 => 2,
        _ => 1,
    };
    format!("{value:.places$}")
}

#[allow(clippy::cast_precision_loss, reason = "times of a bench are far below 2^52 nanoseconds, which are 52 days")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
