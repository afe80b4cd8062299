//! `config/config.toml`, as it is installed, against the table of defaults in the code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeSet;

use twinlock_store::config::Config;

const SHIPPED: &str = include_str!("../../../config/config.toml");

/// The settings in the file, `[table]` lines included, each with its mark of comment taken away.
fn uncommented() -> String {
    let lines = SHIPPED.lines().map(|line| match line.strip_prefix('#') {
        // Prose has a space after the mark, settings have none.
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The names of all settings of a text, with the table in front.
fn keys(text: &str) -> Vec<String> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            table = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push(format!("{table}{key}"));
        }
    }
    keys
}

/// The names of all settings that the code knows, as it tells somebody who mistyped one.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    // Rules have no default; their keys are tested below.
    let mut tables = vec![String::new()];
    while let Some(table) = tables.pop() {
        let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let refusal = Config::parse(format!("{header}mistyped = 1\n").as_bytes()).unwrap_err().to_string();
        let (_, names) = refusal.split_once("known keys:").unwrap();
        for name in names.split('`').skip(1).step_by(2).filter(|name| *name != "rule") {
            // What takes no number, but takes an empty table, is one.
            if table.is_empty() && Config::parse(format!("[{name}]\n").as_bytes()).is_ok() {
                tables.push(name.to_owned());
            } else {
                known.insert(if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") });
            }
        }
    }
    known
}

#[test]
fn the_shipped_file_changes_nothing() {
    assert_eq!(Config::parse(SHIPPED.as_bytes()).unwrap(), Config::default());
    assert_eq!(keys(SHIPPED), [""; 0]);
}

#[test]
fn what_the_shipped_file_shows_are_the_defaults() {
    assert_eq!(Config::parse(uncommented().as_bytes()).unwrap(), Config::default());
}

#[test]
fn the_shipped_file_shows_every_setting_once() {
    let shown = keys(&uncommented());
    let once: BTreeSet<_> = shown.iter().cloned().collect();
    assert_eq!(shown.len(), once.len(), "{shown:?}");
    assert_eq!(once, known());
}

#[test]
fn every_shown_setting_is_in_force_when_its_mark_is_taken_away() {
    // A value that no setting takes is refused under each name: none is prose that only looks like a setting.
    for key in keys(&uncommented()) {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", &key));
        let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let refusal = Config::parse(format!("{header}{name} = [[]]\n").as_bytes()).unwrap_err();
        assert!(!refusal.to_string().contains("unknown key"), "{refusal}");
    }
}

#[test]
fn lines_of_the_shipped_file_fit_120_columns() {
    let long: Vec<_> = SHIPPED.lines().filter(|line| line.chars().count() > 120).collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// The rules that the file shows, which are prose: they are examples and no defaults.
fn rules() -> String {
    SHIPPED
        .lines()
        .filter_map(|line| line.strip_prefix("#     "))
        .filter(|line| !line.starts_with(' '))
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_rules_that_are_shown_are_rules_and_have_every_key() {
    let policy = Config::parse(rules().as_bytes()).unwrap().policy;
    assert_eq!(policy.rules.len(), 2);
    let shown: BTreeSet<_> = rules().lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect();
    let refusal = Config::parse(b"[[rule]]\nsecond_factor = \"skip\"\nmistyped = 1\n").unwrap_err().to_string();
    let (_, names) = refusal.split_once("known keys:").unwrap();
    let known: BTreeSet<_> = names.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    assert_eq!(shown, known);
    for key in known {
        assert!(SHIPPED.lines().any(|line| line.starts_with(&format!("# {key:<15}"))), "{key} is not explained");
    }
}
