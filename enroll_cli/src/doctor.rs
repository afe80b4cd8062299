//! `twinlock doctor`: prints what the doctor finds on this host.

use std::{fmt::Write as _, path::Path};

use twinlock_hostcheck::{
    doctor::{Finding, Scope, Severity, findings},
    messages,
};

use crate::{
    cli::Doctor,
    context::{CommandContext, account},
    failure::Failure,
    output::{print, print_json},
};

pub(crate) fn run(config: &Path, arguments: &Doctor) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let user = arguments.user.as_deref().map(|user| account(Some(user))).transpose()?;
    let findings = findings(&context.installation(), &Scope::of_logins(user, arguments.from))?;
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

fn summary(findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let all = [Severity::Lockout, Severity::Open, Severity::Warning, Severity::Hint];
    messages::doctor_summary(&all.map(|severity| (severity, count(severity))))
}
