//! `docs/security-matrix.md`: what every row came to, and whether the page still says so.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::{env, fs};

use twinlock_tests::tally;

use crate::contender::Contender;
use crate::row::{Finding, Row, Trial};

const HEAD: &str = "\
# Security matrix

Flaws that second factors, PAM modules and their hosts had, each tried as an attack on the built `pam_twinlock.so`,
`twinlock` and `twinlockd`. `make test` runs all of them, writes this table, and fails where an attack succeeds.

**Origin** is the advisory, commit, issue or release that made the flaw public; `-` stands for our own tests, and
\"Twinlock review\" for a review of Twinlock before its release. Where logins race, each sync of a file is delayed by two
milliseconds, as on a fast disk. `make compare` runs the attacks that suit other modules on those, too.

ID | Flaw | Origin | Twinlock
--- | --- | --- | ---
";

/// Above the results of all modules, which `make compare` prints.
const COMPARISON: &str = "\
# The attacks of docs/security-matrix.md on all modules

Each module is set up as its manual advises, with the options that protect switched on; a row names the option that its
result depends on. The files are in a folder of root's. `-`: not tried.

";

/// What was found so far.
#[derive(Clone, Default)]
pub(crate) struct Matrix(Arc<Mutex<Found>>);

/// By the ID of the row.
type Found = BTreeMap<&'static str, Vec<(Contender, Finding)>>;

impl Matrix {
    /// Takes a row in; an error where we do not hold.
    pub(crate) fn enter(&self, row: &'static Row, findings: Vec<(Contender, Finding)>) -> Result<(), String> {
        let ours = findings.iter().find(|(contender, _)| *contender == Contender::Twinlock);
        let broken = match ours {
            Some((_, Finding::Broken(seen))) => Err(format!("{}: {seen}", row.flaw)),
            Some((_, Finding::Unfit(reason))) => Err(format!("{}: not tried: {reason}", row.flaw)),
            Some((_, Finding::Holds(_))) | None => Ok(()),
        };
        let mut found = self.0.lock().expect("nobody panics while holding it");
        assert!(found.insert(row.id, findings).is_none(), "{} is there twice", row.id);
        broken
    }

    /// Writes the page, or compares what two runs have in common: the rows, and whether Twinlock withstands them. With
    /// a folder for it, writes the results of all modules there.
    pub(crate) fn publish(&self, rows: impl Iterator<Item = &'static Row>, comparison: Option<&Path>) -> ExitCode {
        let rows: Vec<_> = rows.collect();
        tally("security", "rows of the matrix tried", rows.iter().filter(|row| row.is_tried()).count() as u64);
        if let Some(folder) = comparison {
            let text = self.comparison(&rows);
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("security-matrix.md"), &text).unwrap();
            eprintln!("{text}");
        }
        let page = self.page(&rows);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security-matrix.md");
        if env::var_os("TWINLOCK_WRITE_SNAPSHOTS").is_some() {
            fs::write(&path, page).unwrap();
            return ExitCode::SUCCESS;
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        if steady(&written) == steady(&page) {
            return ExitCode::SUCCESS;
        }
        eprintln!("docs/security-matrix.md is not what this run found. Write it: TWINLOCK_WRITE_SNAPSHOTS=1\n\n{page}");
        ExitCode::FAILURE
    }

    fn page(&self, rows: &[&'static Row]) -> String {
        let mut page = HEAD.to_owned();
        for row in rows {
            let result = match row.trial {
                Trial::Never(reason) => format!("not applicable: {reason}"),
                Trial::Ours(_) | Trial::Everyone(_) => self.result(row, Contender::Twinlock),
            };
            writeln!(page, "{} | {} | {} | {result}", row.id, row.flaw, row.origin.unwrap_or("-")).unwrap();
        }
        page
    }

    fn comparison(&self, rows: &[&'static Row]) -> String {
        let mut text = COMPARISON.to_owned();
        let names = Contender::ALL.map(Contender::name).join(" | ");
        write!(text, "| ID | Flaw | {names} |\n| --- | --- | --- | --- | --- |\n").unwrap();
        for row in rows.iter().filter(|row| matches!(row.trial, Trial::Everyone(_))) {
            let cells = Contender::ALL.map(|contender| self.result(row, contender)).join(" | ");
            writeln!(text, "| {} | {} | {cells} |", row.id, row.flaw).unwrap();
        }
        text
    }

    fn result(&self, row: &Row, contender: Contender) -> String {
        let found = self.0.lock().expect("nobody panics while holding it");
        let finding = found[row.id].iter().find(|(tried, _)| *tried == contender);
        finding.map_or("-".into(), |(_, finding)| cell(finding))
    }
}

impl Row {
    fn is_tried(&self) -> bool {
        !matches!(self.trial, Trial::Never(_))
    }
}

fn cell(finding: &Finding) -> String {
    match finding {
        Finding::Holds(seen) => seen.clone(),
        Finding::Broken(seen) => format!("**BROKEN**: {seen}"),
        Finding::Unfit(reason) => format!("- ({reason})"),
    }
}

/// What two runs have in common: of every row all but what was counted, and whether the attack succeeded.
fn steady(page: &str) -> Vec<String> {
    let steady = |line: &str| match line.rsplit_once(" | ") {
        Some((row, result)) => format!("{row} | {}", result.starts_with("**BROKEN**")),
        None => line.to_owned(),
    };
    page.lines().map(steady).collect()
}
