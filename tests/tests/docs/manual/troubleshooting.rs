//! docs/troubleshooting.md, against what the programs know: every reason of the log and every check of the doctor is there, and
//! no other. `symptoms` tries that each quoted line is written; `references` compares the index by reason, in docs/log.md.

use std::collections::BTreeSet;
use std::fs;

use twinlock_tests::{World, in_world};

use crate::manual::pages::page as manual_page;
use crate::manual::sources::reasons;

/// One symptom of the page.
pub(crate) struct Entry {
    pub(crate) symptom: String,
    text: String,
}

/// All of them: every heading of the lowest rank.
pub(crate) fn entries(world: &World) -> Vec<Entry> {
    let page = page(world);
    let entries = page.split("\n### ").skip(1).map(|part| {
        let (symptom, text) = part.split_once('\n').unwrap();
        Entry { symptom: symptom.into(), text: text.split("\n## ").next().unwrap().into() }
    });
    entries.collect()
}

impl Entry {
    /// The lines of its block of a kind.
    pub(crate) fn block(&self, kind: &str) -> Vec<&str> {
        let lines = self.text.lines().skip_while(|line| *line != format!("```{kind}")).skip(1);
        lines.take_while(|line| *line != "```").collect()
    }

    /// The checks that it names.
    pub(crate) fn checks(&self) -> Vec<&str> {
        let line = self.text.lines().find_map(|line| line.strip_prefix("**Doctor:** ")).unwrap_or_default();
        line.split('`').skip(1).step_by(2).filter(|word| !word.contains(' ')).collect()
    }
}

fn page(world: &World) -> String {
    fs::read_to_string(world.repository().join("docs/troubleshooting.md")).unwrap()
}

/// The names of the doctor's checks, as the manual has them.
fn checks(world: &World) -> BTreeSet<String> {
    let manual = manual_page(world, "twinlock.1");
    let mut lines = manual.lines().skip_while(|line| *line != ".SH DOCTOR").skip(1);
    let mut lines = lines.by_ref().take_while(|line| !line.starts_with(".SH"));
    let mut names = BTreeSet::new();
    while lines.by_ref().any(|line| line == ".TP") {
        names.insert(lines.next().unwrap().to_owned());
    }
    assert!(names.len() > 20 && names.contains("key-alone"), "{names:?}");
    names
}

#[test]
fn every_check_of_the_doctor_is_on_the_page_and_no_other() {
    in_world(|world| {
        let entries = entries(world);
        let named: BTreeSet<String> = entries.iter().flat_map(Entry::checks).map(str::to_owned).collect();
        assert_eq!(named, checks(world));
    });
}

#[test]
fn every_reason_of_the_log_is_on_the_page_with_its_line_and_no_other() {
    in_world(|world| {
        let page = page(world);
        // The one for which a login is granted.
        let known: BTreeSet<String> = reasons(world).into_iter().chain(["emergency".to_owned()]).collect();
        let entries = entries(world);
        let lines = entries.iter().flat_map(|entry| entry.block("log"));
        let reasons = lines.filter_map(|line| line.split_once("reason=")?.1.split(' ').next());
        let quoted: BTreeSet<String> = reasons.filter(|word| *word != "-").map(str::to_owned).collect();
        assert_eq!(quoted, known, "the lines");
        // Words in the text, too.
        let words = page.split("`reason=").skip(1).filter_map(|rest| rest.split('`').next());
        assert!(words.filter(|word| !word.is_empty()).all(|word| known.contains(word)));
    });
}

#[test]
fn every_symptom_has_a_cause_and_a_fix() {
    in_world(|world| {
        let entries = entries(world);
        assert!(entries.len() > 30, "{}", entries.len());
        for entry in entries {
            for part in ["**Cause:** ", "**Fix:** "] {
                assert!(entry.text.contains(&format!("\n{part}")), "{part} of {}", entry.symptom);
            }
        }
    });
}
