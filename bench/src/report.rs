//! What was measured: tables of figures, which are kept in a file, printed on a terminal, and made into the page.

use serde::{Deserialize, Serialize};

use crate::broker::Figure;
use crate::contender::{Contender, Given};
use crate::facts::{self, Facts};
use crate::race::{Results, Times};
use crate::rules::{self, Row};
use crate::samples::Samples;
use crate::sealing::{self, Costs};

/// All figures, in the order in which they are shown.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What it was measured on, one fact each.
    pub(crate) machine: Vec<String>,
    /// How often a login with a code was measured.
    pub(crate) rounds: usize,
    pub(crate) tables: Vec<Table>,
    pub(crate) notes: Vec<String>,
}

/// Figures with their heads. A time is its median and, in brackets, its 90th percentile, in milliseconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// A line below the table, or nothing.
    pub(crate) below: String,
}

/// The contenders that have a column; libpam has a line below.
pub(crate) const COLUMNS: [Contender; 4] =
    [Contender::Floor, Contender::Twinlock, Contender::GoogleAuthenticator, Contender::Oath];

/// The title of the table of growth.
pub(crate) const GROWTH: &str = "Growth with users and with simultaneous logins";
const HOST: &str = "Cost for the host";
const SEALING: &str = "A login with sealed secrets";
const RULES: &str = "A login under rules that name 200 groups";
const BROKER: &str = "The broker";

/// The title of the table of one size of store, and of one number of logins at once.
pub(crate) fn title_of_race(enrolled: usize, together: usize) -> String {
    match together {
        1 => format!("One login at a time, {enrolled} enrolled"),
        _ => format!("{together} simultaneous logins, {enrolled} enrolled"),
    }
}

impl Report {
    /// Notes how and where it is measured.
    pub(crate) fn begin(&mut self, rounds: usize) {
        self.machine = facts::machine();
        self.rounds = rounds;
    }

    /// Adds the rows of one size of store, and of one number of logins at once.
    pub(crate) fn add_race(&mut self, enrolled: usize, together: usize, results: &[(Given, Results); 3]) {
        let mut rows = Vec::new();
        for (given, times) in results {
            if together == 1 {
                rows.push(row(given.name().into(), times, |times| &times.each));
                rows.push(row(format!("{}, processor", given.name()), times, |times| &times.worked));
            } else {
                rows.push(row(format!("{}, each", given.name()), times, |times| &times.each));
                rows.push(row(format!("{}, all", given.name()), times, |times| &times.all));
            }
        }
        let below = if together == 1 { libpam_alone(&results[0].1) } else { String::new() };
        self.add(title_of_race(enrolled, together), head_of_races(), rows, below);
    }

    /// Adds how a success grows with the users and with the logins at once.
    pub(crate) fn add_growth<'r>(&mut self, results: impl Iterator<Item = &'r (String, Results)>) {
        let rows = results.map(|(name, times)| row(name.clone(), times, |times| &times.all)).collect();
        self.add(GROWTH.into(), head_of_races(), rows, String::new());
    }

    /// Adds what rules cost.
    pub(crate) fn add_rules(&mut self, rows: &[Row]) {
        let head = [""].into_iter().chain(rules::HEAD).collect();
        let row = |Row { name, times }: &Row| [vec![name.clone()], times.each_ref().map(spread).to_vec()].concat();
        self.add(RULES.into(), head, rows.iter().map(row).collect(), String::new());
    }

    /// Adds what sealed secrets cost.
    pub(crate) fn add_sealing(&mut self, costs: &Costs) {
        let head = [""].into_iter().chain(sealing::HEAD).collect();
        let row =
            |name: &str, times: &[Samples; 2]| [vec![name.to_owned()], times.each_ref().map(spread).to_vec()].concat();
        let rows = vec![row("libpam", &costs.whole), row("processor", &costs.processor)];
        self.add(SEALING.into(), head, rows, String::new());
    }

    /// Adds what is no race.
    pub(crate) fn add_facts(&mut self, facts: &Facts) {
        let rows =
            facts.rows.iter().map(|(name, values)| [vec![(*name).to_owned()], values.to_vec()].concat()).collect();
        let head = [""].into_iter().chain(Facts::COLUMNS.map(Contender::name)).collect();
        self.add(HOST.into(), head, rows, String::new());
        self.notes.clone_from(&facts.notes);
    }

    /// Adds the figures of the broker.
    pub(crate) fn add_broker(&mut self, figures: &[Figure]) {
        let rows = figures.iter().map(|(name, figure)| vec![name.clone(), figure.clone()]).collect();
        self.add(BROKER.into(), vec!["", "twinlock"], rows, String::new());
    }

    fn add(&mut self, title: String, head: Vec<&str>, rows: Vec<Vec<String>>, below: String) {
        self.tables.push(Table { title, head: head.into_iter().map(String::from).collect(), rows, below });
    }

    /// For a terminal, up to 100 columns.
    pub(crate) fn as_text(&self) -> String {
        let mut text = format!("{}\nMedian (p90) in milliseconds, {} rounds.\n", self.machine.join("\n"), self.rounds);
        for table in &self.tables {
            text = text + "\n" + &table.title + "\n" + &table.as_text();
        }
        text + "\n" + &self.notes.join("\n")
    }
}

impl Table {
    fn as_text(&self) -> String {
        let lines = || [&self.head].into_iter().chain(&self.rows);
        let width = |column: usize| lines().map(|line| line[column].chars().count()).max().unwrap_or(0);
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
}

fn head_of_races() -> Vec<&'static str> {
    [""].into_iter().chain(COLUMNS.map(Contender::name)).collect()
}

/// What every module's figure contains.
fn libpam_alone(results: &Results) -> String {
    let at = Contender::ALL.iter().position(|one| *one == Contender::Libpam);
    let times = at.and_then(|at| results[at].as_ref());
    times.map_or_else(String::new, |times| {
        format!("libpam alone, with `pam_permit.so`: {}, processor {}\n", spread(&times.each), spread(&times.worked))
    })
}

fn row(name: String, results: &Results, which: impl Fn(&Times) -> &Samples) -> Vec<String> {
    let cell = |times: &Times| match times.wrongly_refused {
        0 => spread(which(times)),
        // Times of logins that should have been granted, and were not, mean nothing.
        _ => "-".into(),
    };
    let cells = results.iter().take(COLUMNS.len()).map(|times| times.as_ref().map_or_else(|| "-".into(), cell));
    [name].into_iter().chain(cells).collect()
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
