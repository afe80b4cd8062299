//! What would be changed: one line more in each PAM file of sudo, or of su, that does not include another one of them.

use crate::{
    HostError, messages,
    messages::StackProblem,
    pam_files::OURS,
    pam_stack,
    ssh::stack::{self, Unknown, included},
    trial::{
        ChangedService,
        change::{ChangedFile, ServiceChange},
        place::Version,
        plan::{FoundPamFile, Plan, diff},
        service::ChangedPath,
    },
};

/// What is to be changed for sudo, or for su.
pub(super) fn plan(service: ChangedService) -> Result<Plan, HostError> {
    let system_auth = included("system-auth");
    let (mut files, mut diffs, mut family) = (Vec::new(), String::new(), None);
    let mut line_of_ours = None;
    for path in service.paths() {
        let Some(found) = FoundPamFile::find(path)? else {
            continue;
        };
        let old = found.text()?;
        if asks_by_another(old, service.paths()) {
            continue;
        }
        if let Some(line) = line_of(old, |words| words.iter().any(|word| word.ends_with(OURS))) {
            line_of_ours = line_of_ours.or(Some((found.path, line)));
            continue;
        }
        let (after, found_family) = stack::after_password(service, old, system_auth.as_deref())
            .map_err(|Unknown { line, problem }| messages::unknown_stack(service, &found.path, line, &problem))?;
        diffs += &diff(old, &after, &found.path, &path.path());
        family = family.or(Some(found_family));
        let after = Version { content: after.into_bytes(), attributes: found.read.attributes };
        files.push(ChangedFile { path, before: found.own, bridge: None, after });
    }
    match (family, line_of_ours) {
        (Some(family), _) => {
            let summary = messages::pam_plan_summary(service, family);
            Ok(Plan {
                mode: None,
                change: ServiceChange { service, files },
                config: None,
                diff: diffs,
                summary,
                taken_over: None,
            })
        }
        (None, Some((path, line))) => Err(messages::unknown_stack(service, &path, Some(line), &StackProblem::Ours)),
        (None, None) => Err(messages::no_pam_file_for(service)),
    }
}

/// Whether the file has the auth lines of another one of them, as RHEL's sudo-i and everybody's su-l have.
fn asks_by_another(text: &str, paths: &[ChangedPath]) -> bool {
    let is_other = |word: &String| paths.iter().any(|path| path.name == word);
    line_of(text, |words| match words {
        [include, name, ..] if include == "@include" => is_other(name),
        [phase, control, name, ..] => {
            let includes = ["include", "substack"].iter().any(|word| control.eq_ignore_ascii_case(word));
            phase.trim_start_matches('-').eq_ignore_ascii_case("auth") && includes && is_other(name)
        }
        _ => false,
    })
    .is_some()
}

/// The first line of which this is true, from 1.
fn line_of(text: &str, is: impl Fn(&[String]) -> bool) -> Option<usize> {
    pam_stack::lines(text).into_iter().find(|(_, words)| is(words)).map(|(number, _)| number)
}
