//! The crates that are linked into the module, and those that run while it is built, against their list.

use std::collections::BTreeSet;

use crate::supply_chain::crates::{source, tree};

const LIST: &str = "pam_module/DEPENDENCIES.md";
const MODULE: &[&str] = &["--package", "pam_twinlock"];

/// The crates of one table of the list, each with its reason.
fn listed(heading: &str) -> Vec<(String, String)> {
    let list = source(LIST);
    let section = list.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    // Below the names of the columns and a line.
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    rows.skip(2).map(|(name, reason)| (name.to_owned(), reason.to_owned())).collect()
}

fn assert_listed(heading: &str, built: &BTreeSet<String>) {
    let rows = listed(heading);
    let names: BTreeSet<_> = rows.iter().map(|(name, _)| name.clone()).collect();
    let new: Vec<_> = built.difference(&names).collect();
    let gone: Vec<_> = names.difference(built).collect();
    assert!(new.is_empty(), "not in {LIST}, {heading}: {new:?}. What is each good for that it may be there?");
    assert!(gone.is_empty(), "in {LIST}, {heading}, and not built any more: {gone:?}");
    assert_eq!(rows.len(), names.len(), "{LIST} names a crate twice");
    assert!(rows.iter().all(|(_, reason)| reason.len() > 10), "{rows:?}");
}

fn names(edges: &str) -> BTreeSet<String> {
    tree(MODULE, edges).into_iter().map(|built| built.name).filter(|name| name != "pam_twinlock").collect()
}

#[test]
fn every_crate_that_is_linked_into_the_module_is_listed_with_its_reason() {
    let linked = names("normal,no-proc-macro");
    assert!(linked.contains("pam-bindings") && linked.contains("twinlock-core"), "{linked:?}");
    assert_listed("Linked", &linked);
}

#[test]
fn every_crate_that_runs_while_the_module_is_built_is_listed_with_its_reason() {
    let linked = names("normal,no-proc-macro");
    assert_listed("Run in the build", &names("normal,build").difference(&linked).cloned().collect());
}

/// The crates that begin the lines of the list under a heading of the page for readers.
fn explained(heading: &str) -> BTreeSet<String> {
    let page = source("docs/dependencies.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let crates = section.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(':'));
    crates.flat_map(|(crates, _)| crates.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_page_for_readers_names_every_crate_that_we_chose_where_it_is_linked() {
    let manifest = source("Cargo.toml");
    let shipped = manifest.split("[workspace.dependencies]\n").nth(1).unwrap();
    let shipped = shipped.split("# Tests and benches only.").next().unwrap();
    let chosen = shipped.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
    let chosen: BTreeSet<String> =
        chosen.filter(|name| !name.starts_with("twinlock") && !name.starts_with('#')).collect();
    assert!(chosen.len() > 25, "{chosen:?}");
    let linked = names("normal,no-proc-macro");
    let (module, programs): (BTreeSet<_>, BTreeSet<_>) = chosen.into_iter().partition(|name| linked.contains(name));
    assert_eq!(explained("Linked by the module"), module);
    assert_eq!(explained("Linked by the programs"), programs);
}
