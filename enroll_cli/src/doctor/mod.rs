//! `twinlock doctor`: everything that is known to lock people out or to let them in without a code, looked for on this host
//! before it happens. What `check` is to Twinlock's own files, this is to sshd, PAM and the accounts. Changes nothing.

mod checks;
mod clock;
mod conditions;
mod finding;
mod host;
mod module_file;
pub(crate) mod programs;
mod questions;
mod sshd_files;
mod sshd_settings;

use std::{fmt::Write as _, path::Path};

pub(crate) use checks::{NO_FIRST_FACTOR, NOT_ENROLLED, described};
pub(crate) use finding::{Finding, Severity};
pub(crate) use host::Scope;
pub(crate) use sshd_settings::Settings;

use crate::{
    cli::Doctor,
    failure::Failure,
    host_files::Host,
    output::{print, print_json},
    scene::Scene,
};

pub(crate) fn run(config: &Path, arguments: &Doctor) -> Result<(), Failure> {
    let scope = Scope {
        user: arguments.user.clone(),
        from: arguments.from.map(|address| address.to_string()),
        host: Host::default(),
    };
    let findings = findings(&Scene::set(config)?, &scope)?;
    if arguments.json {
        print_json(&findings)?;
    } else {
        let mut text = String::new();
        for finding in &findings {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{finding}");
        }
        print(&(text + &summary(&findings) + "\n"))?;
    }
    if findings.iter().any(|finding| finding.severity < Severity::Hint) {
        return Err(Failure::as_shown());
    }
    Ok(())
}

/// What is wrong on this host, the worst first.
///
/// # Errors
/// The account that it is about does not exist.
pub(crate) fn findings(scene: &Scene, scope: &Scope) -> Result<Vec<Finding>, Failure> {
    let facts = host::Facts::of_host(scene, scope)?;
    Ok(checks::all(&facts))
}

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let all = [Severity::Lockout, Severity::Open, Severity::Warning, Severity::Hint];
    let told = all
        .into_iter()
        .filter(|severity| count(*severity) > 0)
        .map(|severity| format!("{} {}", count(severity), severity.name()));
    let told = told.collect::<Vec<_>>().join(", ");
    if told.is_empty() { "nothing found".to_owned() } else { format!("found: {told}") }
}
