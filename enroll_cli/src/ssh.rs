//! `twinlock ssh`: enables the second factor for sshd, on trial, and disables it again.

use std::path::Path;

use twinlock_hostcheck::{
    doctor::{self, NOT_ENROLLED},
    messages,
    ssh::{self, EnableMode},
    trial::ChangedService,
};

use crate::{
    cli::{Ssh, SshMode},
    context::{CommandContext, root_alone},
    failure::Failure,
    output::print_note,
    trial,
};

pub(crate) fn run(config: &Path, verb: &Ssh) -> Result<(), Failure> {
    root_alone()?;
    let service = ChangedService::Ssh;
    // The way back asks nothing of a configuration that may be what went wrong.
    match verb {
        Ssh::Plan { mode } => {
            let context = CommandContext::load(config)?;
            trial::plan(&context, ssh::propose((*mode).into(), &print_note)?)
        }
        Ssh::Enable(arguments) => {
            let context = CommandContext::load(config)?;
            let mode = arguments.mode.into();
            trial::enable(&context, ssh::propose(mode, &print_note)?, Some(mode), &arguments.trial)
        }
        Ssh::Confirm => trial::confirm(service, || warn_of_unenrolled(config)),
        Ssh::Disable(arguments) => trial::disable(service, arguments),
        Ssh::Expire(arguments) => trial::expire(service, arguments),
    }
}

/// Warns of the accounts that are denied because they are not enrolled. It never fails: what is in place stays.
fn warn_of_unenrolled(config: &Path) {
    let found = CommandContext::load(config)
        .and_then(|context| Ok(doctor::findings(&context.installation(), &doctor::Scope::default())?));
    match found {
        Ok(findings) => {
            for finding in findings.into_iter().filter(|finding| finding.id == NOT_ENROLLED) {
                print_note(&messages::denied_from_now_on(&finding.found, &finding.fix));
            }
        }
        Err(failure) => print_note(&messages::denied_accounts_unknown(failure.message())),
    }
}

impl From<SshMode> for EnableMode {
    fn from(mode: SshMode) -> Self {
        match mode {
            SshMode::KeyAndCode => Self::KeyAndCode,
            SshMode::PasswordAndCode => Self::PasswordAndCode,
        }
    }
}
