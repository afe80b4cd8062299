//! What the files of the module know of each other, read out of their sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::makers::product;

/// Each file of the module with its code.
fn files() -> BTreeMap<String, String> {
    let of_module = product().into_iter().filter(|(path, _)| path.parent().unwrap().ends_with("pam_module/src"));
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    of_module.map(|(path, code)| (name(&path), code)).filter(|(name, _)| name != "fake_libpam").collect()
}

/// The files that one imports from, by the names at the front of `use crate::`.
fn imports(code: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let uses = code.split("use crate::").skip(1).map(|rest| rest.split(';').next().unwrap());
    let words = uses.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| files.contains_key(*word)).map(str::to_owned).collect()
}

#[test]
fn no_two_files_of_the_module_import_each_other_by_whatever_way() {
    let files = files();
    let mut left: BTreeMap<_, _> = files.iter().map(|(name, code)| (name.clone(), imports(code, &files))).collect();
    assert!(left["entry"].contains("auth") && left["auth"].contains("context"), "{left:#?}");
    assert!(left["transaction"].is_empty(), "{:?}", left["transaction"]);
    assert!(left.values().all(|imported| !imported.contains("entry")), "{left:#?}");
    // A file that imports none of those that are left is in no circle.
    while let Some(free) = left.iter().find(|(_, imported)| imported.iter().all(|name| !left.contains_key(name))) {
        let free = free.0.clone();
        left.remove(&free);
    }
    assert!(left.is_empty(), "a circle: {left:#?}");
}

#[test]
fn the_module_asks_once_whether_it_is_root() {
    let asking: Vec<_> = files().into_iter().filter(|(_, code)| code.contains("is_root()")).collect();
    assert_eq!(asking.len(), 1, "{asking:#?}");
    assert_eq!(asking[0].1.matches("is_root()").count(), 1);
}

#[test]
fn unsafe_code_is_in_two_files_and_in_twelve_blocks_at_most() {
    let files = files();
    let holding: Vec<_> = files.iter().filter(|(_, code)| code.contains("unsafe ")).map(|(name, _)| name).collect();
    assert_eq!(holding, ["memory", "transaction"]);
    let blocks: usize = files.values().map(|code| code.matches("unsafe {").count()).sum();
    assert!((1..=12).contains(&blocks), "{blocks}");
}
