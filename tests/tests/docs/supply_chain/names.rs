//! Rules for names in the product's source text: what CONTRIBUTING.md and docs/glossary.md ask for and no lint holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders of what ships, and of what is built with it.
const PRODUCT: [&str; 5] = ["crates", "pam_module", "enroll_cli", "broker", "xtask"];

/// Says nothing of what a function does to what.
const NO_VERBS: [&str; 7] = ["shown", "told", "said", "of", "take", "note", "means"];

/// Documents of the project that are not in the repository, as comments used to cite them.
const ELSEWHERE: [&str; 7] =
    ["DESIGN section", "DESIGN.md", "FACTS P", "SSHD.md", "FACTS.md", "STRUCTURE.md", "STYLE.md"];

/// The product's source files without their tests, with their path in the repository.
fn product() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for folder in PRODUCT {
        collect(&repository().join(folder), &mut all);
    }
    let in_repository = |path: &Path| path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs") || path.contains("/fake_libpam");
    let files = all.iter().map(|path| (in_repository(path), std::fs::read_to_string(path).unwrap()));
    let mut product: Vec<_> = files.filter(|(path, _)| !is_test(path)).collect();
    for (_, text) in &mut product {
        // Unit tests stand last in a file.
        text.truncate(text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len()));
    }
    assert!(product.len() > 150, "{}", product.len());
    product
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            found.push(path);
        }
    }
}

/// The name behind this word, where the line defines something with it.
fn defined<'l>(line: &'l str, words: &[&str]) -> Option<&'l str> {
    const BEFORE: [&str; 6] = ["pub", "const", "unsafe", "async", "extern", "default"];
    let mut parts = line.split_whitespace().skip_while(|part| BEFORE.contains(part) || part.starts_with("pub("));
    parts.next().filter(|word| words.contains(word))?;
    parts.next()?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn no_type_of_the_product_is_defined_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in product() {
        let lines: Vec<_> = text.lines().collect();
        // What stands for a type in a build without a feature has its name.
        let lines = lines.windows(2).filter(|pair| !pair[0].starts_with("#[cfg(not(feature = "));
        for name in lines.filter_map(|pair| defined(pair[1], &["struct", "enum", "trait", "union"])) {
            places.entry(name.to_owned()).or_default().push(path.clone());
        }
    }
    assert!(places.len() > 250, "{}", places.len());
    let twice: BTreeMap<_, _> = places.into_iter().filter(|(_, places)| places.len() > 1).collect();
    assert_eq!(twice, BTreeMap::new());
}

#[test]
fn every_error_type_ends_in_error() {
    let mut errors = BTreeSet::new();
    for (_, text) in product() {
        for line in text.lines().filter(|line| line.starts_with("impl")) {
            if let Some((_, name)) = line.split_once("Error for ").filter(|(before, _)| before.ends_with([' ', ':'])) {
                errors.insert(name.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned());
            }
        }
    }
    assert!(errors.contains("StoreError") && errors.len() > 10, "{errors:?}");
    let others: Vec<_> = errors.iter().filter(|name| !name.ends_with("Error")).collect();
    assert_eq!(others, Vec::<&String>::new());
}

#[test]
fn no_function_has_a_name_that_says_nothing() {
    let mut found = Vec::new();
    for (path, text) in product() {
        let names = text.lines().filter_map(|line| defined(line, &["fn"]));
        found.extend(names.filter(|name| NO_VERBS.contains(name)).map(|name| format!("{path}: {name}")));
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_public_function_and_type_has_a_sentence() {
    let mut without = Vec::new();
    for (path, text) in product().into_iter().filter(|(path, _)| path.starts_with("crates/")) {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub ")) {
            let Some(name) = defined(line, &["fn", "struct", "enum", "trait"]) else { continue };
            // Attributes may stand in between.
            let above = lines[..at].iter().rev().take_while(|line| !line.is_empty() && !line.ends_with(['{', '}']));
            if !above.into_iter().any(|line| line.starts_with("///")) {
                without.push(format!("{path}: {name}"));
            }
        }
    }
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn no_text_cites_a_document_that_is_not_in_the_repository() {
    let mut files = Vec::new();
    for folder in PRODUCT.into_iter().chain(["tests", "fuzz/src", "fuzz/tests", "bench", "docs"]) {
        collect(&repository().join(folder), &mut files);
    }
    let pages = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "README.md", "CHANGELOG.md"];
    files.extend(pages.map(|page| repository().join(page)));
    files.retain(|path| !path.ends_with("supply_chain/names.rs"));
    let mut found = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        found.extend(ELSEWHERE.into_iter().filter(|cited| text.contains(cited)).map(|cited| (path.clone(), cited)));
    }
    assert_eq!(found, []);
}

#[test]
fn a_definition_is_recognised() {
    let types =
        ["pub struct A;", "    pub(crate) enum A {", "trait A<'a>: B {", "pub unsafe trait A {", "struct A<T>(T);"];
    let words = ["struct", "enum", "trait"];
    assert_eq!(types.map(|line| defined(line, &words)), [Some("A"); 5]);
    assert_eq!(["/// struct A", "let a = 1;", "fn struct_of()", ""].map(|line| defined(line, &words)), [None; 4]);
    assert_eq!(defined("    pub(super) const fn of(self) -> bool {", &["fn"]), Some("of"));
}
