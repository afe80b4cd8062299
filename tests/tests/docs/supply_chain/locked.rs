//! Whatever builds goes by the lock file: what was reviewed is what is built.

use crate::supply_chain::crates::source;

/// The files that call cargo.
const CALLERS: &[&str] =
    &["Makefile", ".ci/run", "scripts/deps", "packaging/sbom", "packaging/build-deb", "packaging/build-rpm"];
/// What resolves crates, and so would take newer ones without the word.
const VERBS: &[&str] = &["build", "run", "test", "check", "clippy", "doc", "bench", "install", "tree", "miri"];

/// The verb of a call of cargo in a line.
fn verb(line: &str) -> Option<&str> {
    let after = ["$(CARGO) ", "\"$cargo\" "].iter().find_map(|call| line.split_once(call))?.1;
    after.split(' ').find(|word| !word.starts_with(['+', '-']))
}

#[test]
fn every_build_is_by_the_lock_file() {
    let mut calls = 0_u32;
    for caller in CALLERS {
        for line in source(caller).lines() {
            if verb(line).is_some_and(|verb| VERBS.contains(&verb)) {
                calls = calls.saturating_add(1);
                assert!(line.contains("--locked"), "{caller}: {line}");
            }
        }
    }
    assert!(calls > 5, "{calls}");
}
