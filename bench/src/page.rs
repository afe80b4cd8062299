//! docs/benchmarks.md and its plots, from `bench/results.json`.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use crate::TOGETHER;
use crate::contender::Contender;
use crate::plot::{Group, Panel, bars, lines};
use crate::report::{COLUMNS, GROWTH, Report, Table, title_of_race};
use crate::scene::{ACCOUNTS, MANY, ONE};

const RESULTS: &str = "bench/results.json";

/// Rows of the results that nobody misses on the page.
const LEFT_OUT: [&str; 5] = [
    "open and openat, success",
    "processor, in 3 groups",
    "processor, in 200 groups",
    "fsync and fdatasync, incorrect code",
    "fsync and fdatasync, recovery code",
];

/// The files of the page, each with its path in the repository.
fn files(report: &Report) -> [(&'static str, String); 3] {
    [
        ("docs/benchmarks.md", page(report)),
        ("docs/benchmarks-success.svg", success(report)),
        ("docs/benchmarks-growth.svg", growth(report)),
    ]
}

/// Writes the results, the page and its plots below the repository.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn publish(repository: &Path, report: &Report) -> io::Result<()> {
    fs::write(repository.join(RESULTS), serde_json::to_string_pretty(report)? + "\n")?;
    files(report).into_iter().try_for_each(|(path, text)| fs::write(repository.join(path), text))
}

fn table<'r>(report: &'r Report, title: &str) -> &'r Table {
    report.tables.iter().find(|table| table.title == title).expect("a whole run has all tables")
}

/// The median in a cell such as `0.398 (0.462)`.
fn median(cell: &str) -> Option<f64> {
    cell.split(' ').next()?.parse().ok()
}

fn page(report: &Report) -> String {
    let alone = title_of_race(ONE, 1);
    let races = table(report, &alone);
    let of = |row: &str, contender: Contender| {
        let column = COLUMNS.iter().position(|one| *one == contender).map(|at| at + 1);
        let cells = races.rows.iter().find(|cells| cells[0] == row);
        cells.zip(column).and_then(|(cells, column)| cells[column].split(' ').next()).expect("it was measured")
    };
    let mut text = format!(
        "# Benchmarks\n\n\
         A login with a code takes {} ms with Twinlock, {} ms with google-authenticator and {} ms with pam_oath, from\n\
         `pam_start` to `pam_end`. A recovery code takes {} ms, because it is hashed with Argon2id: guessing codes from a\n\
         stolen store is then as slow.\n\n\
         ![Time of a login with a code, for each module](benchmarks-success.svg)\n\n\
         ![Time of a login with a code by the number of users, and by the number of simultaneous logins](benchmarks-growth.svg)\n\n\
         ## How it is measured\n\n\
         `make bench` measures and writes this page. Logins run in processes that have the module loaded, and the answer is\n\
         there at once. Before each login the state of its user is restored, as it was after a login an hour ago. The modules\n\
         take turns.\n\n",
        of("success", Contender::Twinlock),
        of("success", Contender::GoogleAuthenticator),
        of("success", Contender::Oath),
        of("recovery code", Contender::Twinlock),
    );
    let how = [
        format!(
            "Times are milliseconds: the median and, in brackets, the 90th percentile of {} rounds. Recovery codes and simultaneous logins have fewer.",
            report.rounds
        ),
        "*floor* is the least that a durable login can cost: open, write 4 KiB, `fdatasync`.".into(),
        "*processor* is the part of the time in which a processor worked.".into(),
        "`-` was not measured, or had logins that did not end as they should.".into(),
    ];
    for line in how.iter().chain(&report.machine).chain(&report.notes) {
        writeln!(text, "- {line}").expect("a string takes all");
    }
    let left_out = [title_of_race(MANY, 1), title_of_race(MANY, TOGETHER)];
    for table in report.tables.iter().filter(|table| !left_out.contains(&table.title)) {
        text = text + "\n## " + &table.title + "\n\n" + &markdown(table);
    }
    text
}

fn markdown(table: &Table) -> String {
    let line = |cells: Vec<&str>| cells.join(" | ").trim_start().to_owned() + "\n";
    let mut text = format!("| {}", line(table.head.iter().map(String::as_str).collect()));
    text += &line(table.head.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }).collect());
    for row in table.rows.iter().filter(|row| !LEFT_OUT.contains(&row[0].as_str())) {
        text += &line(row.iter().map(String::as_str).collect());
    }
    if table.below.is_empty() { text } else { text + "\n" + &table.below }
}

fn success(report: &Report) -> String {
    let group = |enrolled: usize, together: usize| {
        let title = title_of_race(enrolled, together);
        let row = &table(report, &title).rows[0];
        let bars = COLUMNS.iter().zip(&row[1..]).map(|(contender, cell)| (contender.name(), median(cell)));
        Group { bars: bars.collect(), title }
    };
    bars(&[group(ONE, 1), group(MANY, 1), group(ACCOUNTS, TOGETHER)])
}

fn growth(report: &Report) -> String {
    let rows = &table(report, GROWTH).rows;
    let panel = |title: &'static str, unit: &str| {
        let line = |(column, contender): (usize, &Contender)| {
            let points = rows.iter().filter_map(|row| {
                let x = row[0].strip_suffix(unit)?.trim().parse().ok()?;
                Some((x, median(&row[column + 1])?))
            });
            (contender.name(), points.collect())
        };
        Panel { title, lines: COLUMNS.iter().enumerate().map(line).collect() }
    };
    lines(&[
        panel("users enrolled, one login at a time", "enrolled"),
        panel("simultaneous logins, until the last", "at once"),
    ])
}

#[test]
fn the_page_and_its_plots_are_made_of_the_results() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let results = fs::read_to_string(repository.join(RESULTS)).expect("results");
    let report: Report = serde_json::from_str(&results).expect("results of this program");
    if std::env::var_os("TWINLOCK_WRITE_SNAPSHOTS").is_some() {
        publish(repository, &report).expect("the repository is ours");
    }
    for (path, text) in files(&report) {
        let kept = fs::read_to_string(repository.join(path)).expect(path);
        assert!(kept == text, "{path} is out of date. Write it with TWINLOCK_WRITE_SNAPSHOTS=1");
    }
}
