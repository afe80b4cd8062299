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
# The security matrix

Flaws that other second factors, PAM modules and their hosts had, each tried on the built `pam_twinlock.so`, `twinlock`
and `twinlockd`, and where it can be, in the same way on Debian's `pam_google_authenticator` and `pam_oath`. The test run
writes this page (`tests/tests/security`). Peers are set up as their manuals advise, with the options that protect
switched on; where it takes another option to have the flaw, or to be rid of it, the row names it. Their files are in a
folder of root's, the stricter choice: by default those of google-authenticator are in the users' homes, where attacks
on files are the users' own to make. Where logins race, each sync of a file takes two milliseconds, as on a fast disk.

**holds**: tried, and the flaw is not there. **BROKEN**: it is. **-**: not tried there: the attack is on something that
only Twinlock has, or that the module cannot be told to do.

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

    /// Writes the page, or compares what does not depend on luck: the rows, and our column.
    pub(crate) fn publish(&self, rows: impl Iterator<Item = &'static Row>) -> ExitCode {
        let rows: Vec<_> = rows.collect();
        tally("security", "rows of the matrix tried", rows.iter().filter(|row| row.is_tried()).count() as u64);
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
        let found = self.0.lock().expect("nobody panics while holding it");
        let mut page = HEAD.to_owned();
        let names = Contender::ALL.map(Contender::name).join(" | ");
        write!(page, "| ID | What went wrong | {names} |\n|---|---|---|---|---|\n").unwrap();
        for row in rows.iter().filter(|row| row.is_tried()) {
            let cells = Contender::ALL.map(|contender| {
                let finding = found[row.id].iter().find(|(tried, _)| *tried == contender);
                finding.map_or("-".into(), |(_, finding)| cell(finding))
            });
            writeln!(page, "| {} | {} | {} |", row.id, row.flaw, cells.join(" | ")).unwrap();
        }
        page.push_str("\n## Rows that cannot apply\n\n");
        for row in rows {
            if let Trial::Never(reason) = row.trial {
                writeln!(page, "- **{}** {}: {reason}", row.id, row.flaw).unwrap();
            }
        }
        page
    }
}

impl Row {
    fn is_tried(&self) -> bool {
        !matches!(self.trial, Trial::Never(_))
    }
}

fn cell(finding: &Finding) -> String {
    match finding {
        Finding::Holds(seen) => format!("holds: {seen}"),
        Finding::Broken(seen) => format!("**BROKEN**: {seen}"),
        Finding::Unfit(reason) => format!("- ({reason})"),
    }
}

/// What two runs have in common: of every row the ID, the flaw and our verdict, without what was counted.
fn steady(page: &str) -> Vec<String> {
    let steady = |line: &str| match line.split(" | ").collect::<Vec<_>>()[..] {
        [id, flaw, ours, ..] => format!("{id} | {flaw} | {}", ours.split(':').next().unwrap_or_default()),
        _ => line.to_owned(),
    };
    page.lines().map(steady).collect()
}
