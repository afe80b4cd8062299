//! Patterns in sshd's configuration: of names, which know `*` and `?` alone (`ssh_config(5)`, PATTERNS), and of the files of an
//! `Include`, which are those of glob(7).

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};

/// As glob(3) without flags has it.
const FILES: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Whether a name fits a pattern with `*` and `?`.
pub(crate) fn is_match(pattern: &str, name: &str) -> bool {
    // A bracket is a bracket there.
    let pattern = pattern.replace('[', "[[]");
    Pattern::new(&without_repeats(&pattern)).is_ok_and(|pattern| pattern.matches(name))
}

/// The files on the disk that fit the pattern of an `Include`.
pub(crate) fn matching_files(pattern: &Path) -> Vec<PathBuf> {
    let found = pattern.to_str().and_then(|pattern| glob_with(&without_repeats(pattern), FILES).ok());
    found.into_iter().flatten().flatten().collect()
}

/// Those of some paths that fit the pattern of an `Include`.
pub(crate) fn matching_paths<'p>(pattern: &Path, paths: impl Iterator<Item = &'p Path>) -> Vec<PathBuf> {
    let pattern = pattern.to_str().and_then(|pattern| Pattern::new(&without_repeats(pattern)).ok());
    let fits = |path: &&Path| pattern.as_ref().is_some_and(|pattern| pattern.matches_path_with(path, FILES));
    paths.filter(fits).map(Path::to_owned).collect()
}

/// `**` means the same as `*`, but for the crate, for which it is any number of folders.
fn without_repeats(pattern: &str) -> String {
    let mut pattern = pattern.to_owned();
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_sshd_has_them() {
        for (pattern, name, fit) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a", "ab", false),
            ("**a", "ba", true),
            ("*", ".a/b", true),
            ("[a]", "a", false),
            ("[a]", "[a]", true),
        ] {
            assert_eq!(is_match(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        assert!(!is_match(&"*a".repeat(64), &"a".repeat(63)));
        assert!(is_match(&"*a".repeat(64), &"a".repeat(64)));
    }

    #[test]
    fn files_of_an_include_fit_as_glob_has_them() {
        for (pattern, path, fit) in [
            ("/etc/ssh/d/*.conf", "/etc/ssh/d/a.conf", true),
            ("/etc/ssh/d/*.conf", "/etc/ssh/d/.a.conf", false),
            ("/etc/ssh/d/*", "/etc/ssh/d/e/a.conf", false),
            ("/etc/ssh/*/a.conf", "/etc/ssh/d/a.conf", true),
            ("/etc/ssh/d/[0-4]*", "/etc/ssh/d/3-a", true),
            ("/etc/ssh/d/[!0-4]*", "/etc/ssh/d/3-a", false),
            ("/etc/ssh/**/a.conf", "/etc/ssh/d/e/a.conf", false),
            ("/etc/ssh/a.conf", "/etc/ssh/a.conf", true),
        ] {
            let found = matching_paths(Path::new(pattern), std::iter::once(Path::new(path)));
            assert_eq!(!found.is_empty(), fit, "{pattern} {path}");
        }
    }
}
