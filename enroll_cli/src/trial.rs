//! What `twinlock ssh`, `sudo` and `su` have in common: a change on trial.

use std::io::{self, IsTerminal as _};

use serde::Serialize;
use twinlock_core::account::UserName;
use twinlock_hostcheck::{
    emergency::EmergencyStatus,
    messages,
    ssh::{EnableMode, ServerState},
    trial::{self, ChangedService, Confirmed, LaterChanges, Objection, ObjectionKind, Proposal, State},
};

use crate::{
    cli::{TrialDisable, TrialEnable, TrialExpire, TrialStatusArguments},
    context::CommandContext,
    countdown::{self, Watched},
    failure::Failure,
    layout,
    output::{print, print_json, print_note},
};

/// Shows what would be changed, and what speaks against it.
pub(crate) fn plan(context: &CommandContext, state: State) -> Result<(), Failure> {
    warn_of_emergency();
    let proposal = match state {
        State::Enabled(enabled) => {
            print_note(&enabled.describe());
            return Ok(());
        }
        State::Disabled(proposal) => *proposal,
    };
    print(proposal.diff())?;
    print_note(proposal.summary());
    for Objection { problem, hint, .. } in objections(context, &proposal)? {
        print_note(&messages::problem(&problem, &hint));
    }
    Ok(())
}

/// Makes the change, unless something speaks against it.
pub(crate) fn enable(
    context: &CommandContext,
    state: State,
    mode: Option<EnableMode>,
    arguments: &TrialEnable,
) -> Result<(), Failure> {
    warn_of_emergency();
    let proposal = match state {
        State::Enabled(enabled) => {
            enabled.ensure(mode)?;
            print_note(&enabled.describe());
            return Ok(());
        }
        State::Disabled(proposal) => *proposal,
    };
    layout::prepare(&context.store)?;
    refuse_objections(context, &proposal, arguments)?;
    proposal.carry_out((!arguments.keep).then_some(arguments.r#try), &print_note)?;
    Ok(())
}

/// On a terminal, shows how long the trial lasts, until it ends; elsewhere there is nobody to see it.
pub(crate) fn watch(service: ChangedService, afterwards: impl FnOnce()) -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return match countdown::watch(service)? {
            Watched::ToBeConfirmed => confirm(service, afterwards),
            Watched::Ended => Ok(()),
        };
    }
    Ok(())
}

/// What is enabled asks nobody yet while an emergency is in force.
fn warn_of_emergency() {
    if let Some(end) = EmergencyStatus::of_host().end() {
        print_note(&messages::warning(&messages::second_factors_off(end)));
    }
}

/// Refuses what was not overridden by its flag; what was, is told.
fn refuse_objections(context: &CommandContext, proposal: &Proposal, arguments: &TrialEnable) -> Result<(), Failure> {
    for Objection { kind, problem, hint } in objections(context, proposal)? {
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

fn objections(context: &CommandContext, proposal: &Proposal) -> Result<Vec<Objection>, Failure> {
    Ok(proposal.objections(&context.installation(), invoker().as_ref())?)
}

/// The account that ran sudo to run this command.
#[allow(clippy::disallowed_methods, reason = "only root runs this, and it can only add an objection")]
fn invoker() -> Option<UserName> {
    UserName::parse(std::env::var("SUDO_USER").ok()?.as_bytes()).ok()
}

/// Keeps the change, and then says what follows from it.
pub(crate) fn confirm(service: ChangedService, afterwards: impl FnOnce()) -> Result<(), Failure> {
    let Confirmed { newly, swept } = trial::confirm(service, &print_note)?;
    if newly {
        afterwards();
    }
    Ok(swept?)
}

/// What `--json` prints of the status. The names are stable.
#[derive(Serialize)]
struct StatusJson {
    service: &'static str,
    state: &'static str,
    mode: Option<&'static str>,
    until: Option<String>,
}

/// Says how far the change is.
pub(crate) fn status(service: ChangedService, arguments: &TrialStatusArguments) -> Result<(), Failure> {
    let status = trial::status(service)?;
    if !arguments.json {
        return print(&messages::trial_status(service, &status));
    }
    print_json(&StatusJson {
        service: service.verb(),
        state: status.state.name(),
        mode: status.mode.map(EnableMode::name),
        until: status.until.map(|until| until.to_string()),
    })
}

/// Puts back what was there before.
pub(crate) fn disable(service: ChangedService, arguments: &TrialDisable) -> Result<(), Failure> {
    let later = if arguments.discard_changes { LaterChanges::Discard } else { LaterChanges::Keep };
    Ok(trial::disable(service, later, &print_note)?)
}

/// What the process does that `enable` starts.
pub(crate) fn expire(service: ChangedService, arguments: &TrialExpire) -> Result<(), Failure> {
    trial::leave_session();
    print(trial::READY)?;
    let server = if arguments.at_boot { ServerState::NotStarted } else { ServerState::MayRun };
    Ok(trial::expire(service, &arguments.id, arguments.after, server, &print_note)?)
}
