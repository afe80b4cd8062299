//! Where `pam_twinlock.so` stands in the PAM files of this host, as far as `check` looks at it: where the guard would
//! shut people out, and where enrolment inside the login has nobody to store it.

use std::{collections::BTreeSet, fs, path::PathBuf};

/// Services whose account phase runs without the auth phase, or may.
const WITHOUT_AUTH: [&str; 11] =
    ["atd", "cron", "crond", "polkit-1", "runuser", "runuser-l", "su", "su-l", "sudo", "sudo-i", "systemd-user"];

/// libpam takes a service's file from the first of these that has it.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];

/// One line of a PAM file that matters here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
}

/// Account lines of the module that a service without an auth phase runs, with the name of that service.
pub(crate) fn misplaced_guards() -> Vec<(&'static str, Place)> {
    let places = |service: &'static str| guards(service).into_iter().map(move |place| (service, place));
    WITHOUT_AUTH.into_iter().flat_map(places).collect()
}

/// The account lines of the module that a service runs, its includes too.
pub(crate) fn guards(service: &str) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    walk(service, &mut BTreeSet::new(), &mut found);
    found
}

/// Whether there is a file for the service at all.
pub(crate) fn exists(service: &str) -> bool {
    read(service).is_some()
}

fn walk(name: &str, seen: &mut BTreeSet<String>, found: &mut BTreeSet<Place>) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let Some((file, text)) = read(name) else { return };
    for (before, line) in text.lines().enumerate() {
        // `[value=action]` may hold spaces; what stands before the module does not matter here.
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            ["@include", other, ..] => walk(other, seen, found),
            ["account" | "-account", "include" | "substack", other, ..] => walk(other, seen, found),
            ["account" | "-account", rest @ ..] if rest.iter().any(|word| is_ours(word)) => {
                found.insert(Place { file: file.clone(), line: before.saturating_add(1) });
            }
            _ => {}
        }
    }
}

fn is_ours(word: &str) -> bool {
    word.rsplit('/').next() == Some("pam_twinlock.so")
}

#[allow(clippy::disallowed_methods, reason = "these are libpam's files: where they are links, libpam follows them too")]
fn read(name: &str) -> Option<(PathBuf, String)> {
    FOLDERS.iter().find_map(|folder| {
        let file = PathBuf::from(folder).join(name);
        let text = fs::read(&file).ok()?;
        Some((file, String::from_utf8_lossy(&text).into_owned()))
    })
}
