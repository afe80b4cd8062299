//! `twinlock ssh`: enables the second factor for sshd, on trial, and disables it again.

use std::path::Path;

use twinlock_hostcheck::{
    doctor::{self, NOT_ENROLLED},
    emergency::EmergencyStatus,
    messages,
    ssh::{self, EnableMode, ServerState},
    trial::{self, ChangedService, Confirmed, LaterChanges, Objection, ObjectionKind, Proposal, State},
};

use crate::{
    cli::{Ssh, SshDisable, SshEnable, SshExpire, SshMode},
    context::{CommandContext, root_alone},
    failure::Failure,
    layout,
    output::{print, print_note},
};

pub(crate) fn run(config: &Path, verb: &Ssh) -> Result<(), Failure> {
    root_alone()?;
    // The way back asks nothing of a configuration that may be what went wrong.
    match verb {
        Ssh::Plan { mode } => plan(&CommandContext::load(config)?, *mode),
        Ssh::Enable(arguments) => enable(&CommandContext::load(config)?, arguments),
        Ssh::Confirm => confirm(config),
        Ssh::Disable(arguments) => disable(arguments),
        Ssh::Expire(arguments) => expire(arguments),
    }
}

fn plan(context: &CommandContext, mode: SshMode) -> Result<(), Failure> {
    warn_of_emergency();
    let proposal = match ssh::propose(mode.into(), &print_note)? {
        State::Enabled(enabled) => {
            print_note(&enabled.describe());
            return Ok(());
        }
        State::Disabled(proposal) => proposal,
    };
    print(proposal.diff())?;
    print_note(proposal.summary());
    for Objection { problem, hint, .. } in proposal.objections(&context.installation())? {
        print_note(&messages::problem(&problem, &hint));
    }
    Ok(())
}

fn enable(context: &CommandContext, arguments: &SshEnable) -> Result<(), Failure> {
    warn_of_emergency();
    let mode = arguments.mode.into();
    let proposal = match ssh::propose(mode, &print_note)? {
        State::Enabled(enabled) => {
            enabled.ensure(Some(mode))?;
            print_note(&enabled.describe());
            return Ok(());
        }
        State::Disabled(proposal) => proposal,
    };
    layout::prepare(&context.store)?;
    refuse_objections(context, &proposal, arguments)?;
    proposal.carry_out((!arguments.keep).then_some(arguments.r#try), &print_note)?;
    Ok(())
}

/// What is enabled asks nobody yet while an emergency is in force.
fn warn_of_emergency() {
    if let Some(end) = EmergencyStatus::of_host().end() {
        print_note(&messages::warning(&messages::second_factors_off(end)));
    }
}

/// Refuses what was not overridden by its flag; what was, is told.
fn refuse_objections(context: &CommandContext, proposal: &Proposal, arguments: &SshEnable) -> Result<(), Failure> {
    for Objection { kind, problem, hint } in proposal.objections(&context.installation())? {
        let (flag, is_overridden) = match kind {
            ObjectionKind::NoEnrolledAdministrator => ("--without-enrolled-admin", arguments.without_enrolled_admin),
            ObjectionKind::NoBreakGlass => ("--without-break-glass", arguments.without_break_glass),
            ObjectionKind::Unenrolled => ("--deny-unenrolled", arguments.deny_unenrolled),
            ObjectionKind::NoFirstFactor => ("", true),
            ObjectionKind::Lockout => ("--despite-lockouts", arguments.despite_lockouts),
        };
        if !is_overridden {
            return Err(Failure::refused(problem).hint(messages::overridden_by(&hint, flag)));
        }
        print_note(&messages::warning(&problem));
    }
    Ok(())
}

fn confirm(config: &Path) -> Result<(), Failure> {
    let Confirmed { newly, swept } = trial::confirm(ChangedService::Ssh, &print_note)?;
    if newly {
        warn_of_unenrolled(config);
    }
    Ok(swept?)
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

fn disable(arguments: &SshDisable) -> Result<(), Failure> {
    let later = if arguments.discard_changes { LaterChanges::Discard } else { LaterChanges::Keep };
    Ok(trial::disable(ChangedService::Ssh, later, &print_note)?)
}

/// What the process does that `enable` starts.
fn expire(arguments: &SshExpire) -> Result<(), Failure> {
    trial::leave_session();
    print(trial::READY)?;
    let server = if arguments.at_boot { ServerState::NotStarted } else { ServerState::MayRun };
    Ok(trial::expire(ChangedService::Ssh, &arguments.id, arguments.after, server, &print_note)?)
}

impl From<SshMode> for EnableMode {
    fn from(mode: SshMode) -> Self {
        match mode {
            SshMode::KeyAndCode => Self::KeyAndCode,
            SshMode::PasswordAndCode => Self::PasswordAndCode,
        }
    }
}
