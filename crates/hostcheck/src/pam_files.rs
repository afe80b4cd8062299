//! Our own lines in PAM files. For saying what they mean; nothing is decided by it.

use std::{collections::BTreeSet, fs, io};

use twinlock_core::module_arguments::ModuleArgument;

use crate::pam_stack::{FOLDERS, Service};
pub use crate::pam_stack::{Line, Phase, Place};

/// The file name of our module.
pub const OURS: &str = "pam_twinlock.so";

/// Our lines in the stack of a service; `None` if the service has no file.
///
/// # Errors
/// A file cannot be read.
pub fn read_service(service: &str) -> io::Result<Option<Vec<Line>>> {
    Ok(Service::of_host(service)?.map(our_lines))
}

/// The names of all services that have a file.
#[must_use]
pub fn services() -> BTreeSet<String> {
    let entries = FOLDERS.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn our_lines(service: Service) -> Vec<Line> {
    service.lines.into_iter().filter(is_ours).collect()
}

/// Whether a line runs our module where it does something.
#[must_use]
pub fn is_ours(line: &Line) -> bool {
    line.module() == OURS && matches!(line.phase, Phase::Auth | Phase::Account)
}

/// Whether a line of ours denies a login for which sshd has verified no key.
#[must_use]
pub fn requires_key(line: &Line) -> bool {
    line.phase == Phase::Auth && is_ours(line) && has(line, ModuleArgument::RequireKey)
}

/// Whether a line of ours has this argument.
#[must_use]
pub fn has(line: &Line, wanted: ModuleArgument) -> bool {
    value(line, wanted).is_some()
}

/// The value of this argument, empty where it takes none; `None` if the line has it not.
#[must_use]
pub fn value(line: &Line, wanted: ModuleArgument) -> Option<&str> {
    let mut known = line.arguments().iter().filter_map(|word| ModuleArgument::find(word));
    known.rfind(|(argument, _)| *argument == wanted).map(|(_, value)| value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::pam_stack::DEEPEST;

    fn found(files: &[(&str, &str)]) -> Option<Vec<String>> {
        let text = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new("/etc/pam.d").join(name) == path);
            Ok(file.map(|(_, text)| (*text).to_owned()))
        };
        let shown = |line: Line| format!("{} {:?} {}", line.place, line.phase, line.arguments().join("|"));
        let service = Service::read("sshd", &text).unwrap();
        service.map(|service| our_lines(service).into_iter().map(shown).collect())
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
        let text = |_: &Path| Ok(Some("auth required pam_twinlock.so config=/a config=/b nullok mistyped".to_owned()));
        let service = Service::read("sshd", &text).unwrap().unwrap();
        let line = &service.lines[0];
        assert_eq!(value(line, ModuleArgument::Config), Some("/b"));
        assert!(has(line, ModuleArgument::Nullok) && !has(line, ModuleArgument::Debug));
    }
}
