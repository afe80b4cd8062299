//! `twinlock ssh`: enables the second factor for sshd, on trial, and disables it again.

use std::path::Path;

use twinlock_hostcheck::{
    doctor::{self, NOT_ENROLLED},
    messages,
    ssh::{self, EnableMode},
    trial::{ChangedService, State},
};
use twinlock_store::config::DEFAULT_PATH;

use crate::{
    cli::{Ssh, SshMode, SshWhat},
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
        Ssh::Plan(what) => {
            let (context, state) = propose(config, what)?;
            trial::plan(&context, state)?;
            note_roll_out(what);
            Ok(())
        }
        Ssh::Enable(arguments) => {
            let (context, state) = propose(config, &arguments.what)?;
            trial::enable(&context, state, Some(arguments.what.mode.into()), &arguments.trial)?;
            note_roll_out(&arguments.what);
            trial::watch(service, || warn_of_unenrolled(config))
        }
        Ssh::Confirm => trial::confirm(service, || warn_of_unenrolled(config)),
        Ssh::Status(arguments) => trial::status(service, arguments),
        Ssh::Disable(arguments) => trial::disable(service, arguments),
        Ssh::Expire(arguments) => trial::expire(service, arguments),
    }
}

fn propose(config: &Path, what: &SshWhat) -> Result<(CommandContext, State), Failure> {
    if what.enroll_until.is_some() && config != Path::new(DEFAULT_PATH) {
        return Err(Failure::usage(messages::rule_for_other_config(DEFAULT_PATH)));
    }
    let context = CommandContext::load(config)?;
    let state = ssh::propose(what.mode.into(), what.enroll_until, &context.config, &print_note)?;
    if let (State::Enabled(_), Some(day)) = (&state, what.enroll_until)
        && !ssh::enrolls_until(&context.config, day)
    {
        let (problem, hint) = messages::no_rule_while_enabled(&day.day());
        return Err(Failure::refused(problem).hint(hint));
    }
    Ok((context, state))
}

fn note_roll_out(what: &SshWhat) {
    if let Some(day) = what.enroll_until {
        print_note(&messages::users_enroll_until(&day.day()));
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
