//! PAM files, as libpam reads them, as far as our own lines go: pam.conf(5), with what a file includes. For saying what
//! they mean; nothing is decided by it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use twinlock_core::module_arguments::ModuleArgument;

/// A phase in which we have something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The question.
    Auth,
    /// The guard.
    Account,
}

/// A line that names our module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OurLine {
    pub(crate) place: Place,
    pub(crate) phase: Phase,
    arguments: Vec<String>,
}

/// A line of a file, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    file: PathBuf,
    line: usize,
}

/// Where libpam looks for the file of a service, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// How deep libpam follows files that include files.
const DEEPEST: usize = 16;
const OURS: &str = "pam_twinlock.so";

/// Our lines in the stack of a service; `None` if the service has no file.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn of(service: &str) -> io::Result<Option<Vec<OurLine>>> {
    collect(&service.to_ascii_lowercase(), &read)
}

impl OurLine {
    /// Whether the line has this argument.
    pub(crate) fn has(&self, wanted: ModuleArgument) -> bool {
        self.value(wanted).is_some()
    }

    /// The value of this argument, empty where it takes none; `None` if the line has it not.
    pub(crate) fn value(&self, wanted: ModuleArgument) -> Option<&str> {
        let mut known = self.arguments.iter().filter_map(|word| ModuleArgument::find(word));
        known.rfind(|(argument, _)| *argument == wanted).map(|(_, value)| value.unwrap_or_default())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

type Read<'a> = dyn Fn(&str) -> io::Result<Option<(PathBuf, String)>> + 'a;

#[allow(clippy::disallowed_methods, reason = "these are libpam's files: where one is a link, libpam follows it too")]
fn read(name: &str) -> io::Result<Option<(PathBuf, String)>> {
    for folder in FOLDERS {
        // A name that is a whole path stays one.
        let path = Path::new(folder).join(name);
        match std::fs::read(&path) {
            Ok(bytes) => return Ok(Some((path, String::from_utf8_lossy(&bytes).into_owned()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))),
        }
    }
    Ok(None)
}

fn collect(service: &str, read: &Read<'_>) -> io::Result<Option<Vec<OurLine>>> {
    let mut found = Vec::new();
    let there = walk(service, None, DEEPEST, read, &mut found)?;
    Ok(there.then_some(found))
}

/// Goes through a file, of which only one phase counts where it is included for one. False if there is no such file.
fn walk(name: &str, only: Option<Phase>, depth: usize, read: &Read<'_>, found: &mut Vec<OurLine>) -> io::Result<bool> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(true);
    };
    let Some((file, text)) = read(name)? else {
        return Ok(false);
    };
    for (line, words) in lines(&text) {
        let mut words = words.iter().map(String::as_str);
        let (Some(first), Some(second)) = (words.next(), words.next()) else {
            continue;
        };
        if first == "@include" {
            walk(second, only, depth, read, found)?;
            continue;
        }
        let phase = match first.trim_start_matches('-').to_ascii_lowercase().as_str() {
            "auth" => Phase::Auth,
            "account" => Phase::Account,
            _ => continue,
        };
        let Some(target) = words.next().filter(|_| only.is_none_or(|only| only == phase)) else {
            continue;
        };
        if second.eq_ignore_ascii_case("include") || second.eq_ignore_ascii_case("substack") {
            walk(target, Some(phase), depth, read, found)?;
        } else if Path::new(target).file_name().is_some_and(|name| name == OURS) {
            let place = Place { file: file.clone(), line };
            found.push(OurLine { place, phase, arguments: words.map(str::to_owned).collect() });
        }
    }
    Ok(true)
}

/// The lines that say something, with the number at which each begins. A backslash at the end goes on in the next one.
pub(crate) fn lines(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut all = Vec::new();
    let mut begun: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let (at, before) = begun.take().unwrap_or((number, String::new()));
        let line = line.split('#').next().unwrap_or_default();
        match line.strip_suffix('\\') {
            Some(line) => begun = Some((at, before + line + " ")),
            None => all.push((at, words(&(before + line)))),
        }
    }
    all.extend(begun.map(|(at, line)| (at, words(&line))));
    all.retain(|(_, words)| !words.is_empty());
    all
}

/// Words between spaces; brackets hold words with spaces together.
fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            Some(bracketed) => bracketed,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        all.push(word.to_owned());
        rest = after.trim_start();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Option<Vec<String>> {
        let read = |name: &str| {
            let file = files.iter().find(|(known, _)| *known == name);
            Ok(file.map(|(name, text)| (Path::new("/etc/pam.d").join(name), (*text).to_owned())))
        };
        let shown = |line: OurLine| format!("{} {:?} {}", line.place, line.phase, line.arguments.join("|"));
        collect("sshd", &read).unwrap().map(|lines| lines.into_iter().map(shown).collect())
    }

    #[test]
    fn our_lines_are_found_however_they_are_written() {
        let text = "# auth required pam_twinlock.so\n\n-AUTH [success=ok default=die] /lib/security/pam_twinlock.so \
                    nullok [prompt=Your code: ] # why\naccount required \\\n  pam_twinlock.so debug\n\
                    session required pam_twinlock.so\nauth required pam_twinlock.so.old\nauth\nauth required\n";
        let wanted = ["/etc/pam.d/sshd:3 Auth nullok|prompt=Your code: ", "/etc/pam.d/sshd:4 Account debug"];
        assert_eq!(found(&[("sshd", text)]).unwrap(), wanted);
    }

    #[test]
    fn what_is_included_counts_for_its_phase() {
        let both = "auth required pam_twinlock.so\naccount required pam_twinlock.so\n";
        let of = |sshd| found(&[("sshd", sshd), ("common", both)]).unwrap();
        assert_eq!(of("@include common"), ["/etc/pam.d/common:1 Auth ", "/etc/pam.d/common:2 Account "]);
        assert_eq!(of("account include common"), ["/etc/pam.d/common:2 Account "]);
        assert_eq!(of("auth substack common"), ["/etc/pam.d/common:1 Auth "]);
        assert_eq!(of("session include common"), [""; 0]);
        assert_eq!(of("auth include nosuch"), [""; 0]);
    }

    #[test]
    fn a_service_without_a_file_is_told_from_one_without_our_lines() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("sshd", "")]), Some(Vec::new()));
    }

    #[test]
    fn files_that_include_each_other_come_to_an_end() {
        let line = "@include sshd\nauth required pam_twinlock.so\n";
        assert_eq!(found(&[("sshd", line)]).unwrap().len(), DEEPEST);
    }

    #[test]
    fn the_last_of_two_values_counts() {
        let line = OurLine {
            place: Place { file: PathBuf::new(), line: 1 },
            phase: Phase::Auth,
            arguments: ["config=/a", "config=/b", "nullok", "mistyped"].map(str::to_owned).into(),
        };
        assert_eq!(line.value(ModuleArgument::Config), Some("/b"));
        assert!(line.has(ModuleArgument::Nullok) && !line.has(ModuleArgument::Debug));
    }
}
