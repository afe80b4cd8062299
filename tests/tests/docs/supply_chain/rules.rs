//! Every crate that is built, for the tests too, against `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use spdx::{Expression, ParseMode};
use toml::{Table, Value};

use crate::supply_chain::crates::{Crate, source, tree};

fn rules() -> Table {
    source("deny.toml").parse().unwrap()
}

/// The words of a list of the rules: strings, or the key `crate` of tables that have a reason beside it.
fn list(section: &str, key: &str) -> BTreeSet<String> {
    let rules = rules();
    let values = rules.get(section).and_then(|section| section.get(key)).and_then(Value::as_array).unwrap();
    let word = |value: &Value| {
        let named = value.get("crate").unwrap_or(value).as_str().unwrap().to_owned();
        assert!(value.is_str() || value.get("reason").is_some_and(Value::is_str), "{named}: no reason");
        named
    };
    values.iter().map(word).collect()
}

fn built() -> BTreeSet<Crate> {
    let all = tree(&["--workspace"], "normal,build,dev");
    assert!(all.len() > 100, "{}", all.len());
    all
}

/// The crates of the lock file, those for other systems too.
fn locked() -> Vec<Table> {
    let lock: Table = source("Cargo.lock").parse().unwrap();
    let packages = lock.get("package").and_then(Value::as_array).unwrap();
    packages.iter().map(|package| package.as_table().unwrap().clone()).collect()
}

fn text<'t>(package: &'t Table, key: &str) -> Option<&'t str> {
    package.get(key).and_then(Value::as_str)
}

#[test]
fn every_licence_is_an_allowed_one() {
    let allowed = list("licenses", "allow");
    let may = |licence: &str| {
        let expression = Expression::parse_mode(licence, ParseMode::LAX);
        expression.is_ok_and(|expression| expression.evaluate(|one| allowed.contains(&one.license.to_string())))
    };
    assert!(may("MIT OR GPL-3.0-only") && !may("MIT AND GPL-3.0-only") && !may("GPL-3.0-only") && !may(""));
    let bad: Vec<_> = built().into_iter().filter(|built| !may(&built.licence)).collect();
    assert_eq!(bad, [], "deny.toml allows {allowed:?}");
}

#[test]
fn no_crate_is_there_that_was_refused() {
    let refused = list("bans", "deny");
    assert!(refused.contains("users"));
    let locked = locked();
    let mut names = locked.iter().map(|package| text(package, "name").unwrap());
    assert_eq!(names.find(|name| refused.contains(*name)), None, "deny.toml has the reason");
}

#[test]
fn of_every_crate_one_version_is_built_or_deny_toml_says_why() {
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for built in built() {
        *versions.entry(built.name).or_default() += 1;
    }
    let twice: BTreeSet<_> = versions.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
    let skipped = list("bans", "skip");
    let excused = skipped.iter().map(|skip| skip.split('@').next().unwrap().to_owned()).collect();
    assert_eq!(twice, excused);
}

#[test]
fn every_crate_that_is_not_ours_comes_from_the_registry_with_a_checksum() {
    let registries: BTreeSet<_> =
        list("sources", "allow-registry").iter().map(|address| format!("registry+{address}")).collect();
    let (theirs, ours): (Vec<_>, Vec<_>) = locked().into_iter().partition(|package| package.contains_key("source"));
    for package in &theirs {
        let source = text(package, "source").unwrap();
        assert!(registries.contains(source), "{package:?}");
        assert!(text(package, "checksum").is_some_and(|sum| sum.len() == 64), "{package:?}");
    }
    let mut ours: Vec<_> = ours.iter().map(|package| text(package, "name").unwrap()).collect();
    ours.sort_unstable();
    let members = tree(&["--workspace", "--depth", "0"], "normal");
    assert_eq!(ours, members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>());
}
