//! The pages for people who change Twinlock, against the tree that they describe.

use twinlock_tests::in_world;

/// Words in code type that look like files of the tree: with a slash, and nothing that a path of ours does not have.
fn paths(page: &str) -> Vec<&str> {
    let is_path = |word: &&str| {
        word.contains('/') && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c))
    };
    let ours = |word: &&str| {
        [
            "crates/",
            "pam_module/",
            "enroll_cli/",
            "broker/",
            "xtask/",
            "config/",
            "packaging/",
            "tests/",
            "fuzz/",
            "docs/",
        ]
        .iter()
        .any(|folder| word.starts_with(folder))
    };
    page.split('`').skip(1).step_by(2).filter(is_path).filter(ours).collect()
}

#[test]
fn every_path_in_the_pages_for_contributors_is_there() {
    in_world(|world| {
        for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
            let text = std::fs::read_to_string(world.repository().join(page)).unwrap();
            let paths = paths(&text);
            assert!(paths.len() >= 5, "{page}: {paths:?}");
            let gone: Vec<_> = paths.iter().filter(|path| !world.repository().join(path).exists()).collect();
            assert!(gone.is_empty(), "{page} names {gone:?}");
        }
    });
}
