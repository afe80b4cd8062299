//! Changes the files of a service, on trial, and puts them back. Nothing is edited by hand. One mechanism for sshd, sudo and su:
//! `crate::ssh` and `crate::sudo` compute what is to be changed and say what speaks against it.
//!
//! `plan` is the change as a value, `change` knows the order of the steps and why, `change_log` how far they are, `timer` and `boot`
//! end what nobody confirms.

mod boot;
pub(crate) mod change;
pub(crate) mod change_log;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod service;
mod timer;

use std::time::Duration;

use change_log::{ChangeLog, ChangePhase, ChangeRecord};
use plan::Plan;
pub use service::ChangedService;
pub use timer::{READY, expire, leave_session};
use twinlock_core::{
    account::UserName,
    ports::{Clock, Randomness},
    time::UnixTime,
};
use twinlock_service::syslog::{SyslogPriority, log};
use twinlock_store::host::{Kernel, SystemClock, boot_id};

use crate::{
    HostError, Installation, Note, messages,
    programs::broadcast,
    ssh::{self, EnableMode, ServerState},
    sudo,
};

/// What speaks against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Which kind of objection it is.
    pub kind: ObjectionKind,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// The kinds of objection, each to be overridden by its own name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectionKind {
    /// No administrator is enrolled.
    NoEnrolledAdministrator,
    /// No administrator could log in if codes fail.
    NoBreakGlass,
    /// Accounts that can log in today would be denied, because they are not enrolled.
    Unenrolled,
    /// Accounts lack the first factor. It is told and does not stop the change: many have a password for the console alone.
    NoFirstFactor,
    /// The doctor finds that somebody would be locked out, or let in.
    Lockout,
}

/// What there is before something is changed.
pub enum State {
    /// Twinlock was enabled by this command.
    Enabled(Enabled),
    /// It was not, and this would be changed.
    Disabled(Box<Proposal>),
}

/// Twinlock as this command has enabled it. While it exists, nobody else changes anything.
pub struct Enabled {
    service: ChangedService,
    phase: ChangePhase,
    record: ChangeRecord,
    change_log: ChangeLog,
}

/// A change that is not begun. While it exists, nobody else changes anything.
pub struct Proposal {
    plan: Plan,
    change_log: ChangeLog,
}

/// What came of confirming.
pub struct Confirmed {
    /// Whether it was on trial before.
    pub newly: bool,
    /// Whether the drafts of the change could be removed.
    pub swept: Result<(), HostError>,
}

/// What to do with changes that somebody else has made since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterChanges {
    /// They are a reason to refuse.
    Keep,
    /// They are lost.
    Discard,
}

/// Says whether the change of this service is in place, or what would be changed. What was interrupted, and a trial that is
/// over, is undone before.
pub(crate) fn propose(
    service: ChangedService,
    note: &Note<'_>,
    plan: impl FnOnce() -> Result<Plan, HostError>,
) -> Result<State, HostError> {
    let change_log = ChangeLog::open(service)?;
    if let Some((phase, record)) = settled(service, &change_log, note)? {
        return Ok(State::Enabled(Enabled { service, phase, record, change_log }));
    }
    Ok(State::Disabled(Box::new(Proposal { plan: plan()?, change_log })))
}

impl Enabled {
    /// That there is nothing to do: the mode, and the end of a trial.
    #[must_use]
    pub fn describe(&self) -> String {
        messages::nothing_to_do(&describe_state(self.service, self.phase, &self.record))
    }

    /// Makes sure that it is enabled in this mode, where the service has modes, and that nobody has changed a file since.
    ///
    /// # Errors
    /// It is not, or somebody has.
    pub fn ensure(&self, mode: Option<EnableMode>) -> Result<(), HostError> {
        if let Some(wanted) = mode.filter(|wanted| self.record.mode != Some(*wanted)) {
            return Err(messages::other_mode(self.record.mode, wanted));
        }
        if !self.change_log.change(&self.record)?.is_in_place()? {
            return Err(messages::changed_while_enabled(self.service, self.record.mode));
        }
        Ok(())
    }
}

impl Proposal {
    /// The differences, as `diff -u` shows them and `patch` reads them.
    #[must_use]
    pub fn diff(&self) -> &str {
        &self.plan.diff
    }

    /// What was found and what will be done, in a sentence or two.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.plan.summary
    }

    /// What speaks against it; `invoker` is the account that ran sudo to run this command, if one did.
    ///
    /// # Errors
    /// The service refuses the new configuration, or something cannot be read.
    pub fn objections(
        &self,
        installation: &Installation<'_>,
        invoker: Option<&UserName>,
    ) -> Result<Vec<Objection>, HostError> {
        let config = self.plan.config.as_ref().unwrap_or(installation.config);
        let installation = &Installation { config, ..*installation };
        match self.plan.change.service {
            ChangedService::Ssh => ssh::safety::objections(installation, &self.plan),
            ChangedService::Sudo | ChangedService::Su => sudo::safety::objections(installation, &self.plan, invoker),
        }
    }

    /// Makes the change: on trial for this span, or to stay.
    ///
    /// # Errors
    /// A step failed. What was done before it was undone; the hint says so, or why not.
    pub fn carry_out(self, trial: Option<Duration>, note: &Note<'_>) -> Result<(), HostError> {
        let Self { plan, change_log } = self;
        let service = plan.change.service;
        let record = record(&plan, trial)?;
        service.note_if_not_running(note)?;
        change_log.begin(&record, &plan.change)?;
        if let Some(span) = trial {
            // Before anything is changed, so that nothing can stay changed. It allows for the change itself.
            timer::begin(service, &record.id, span).inspect_err(|_| {
                timer::end(service, &record.id);
                drop(change_log.clear());
            })?;
        }
        let changed = plan.change.make().and_then(|()| {
            change_log
                .set_phase(ChangePhase::Changing, if trial.is_some() { ChangePhase::Trying } else { ChangePhase::Kept })
        });
        if let Err(failure) = changed {
            return Err(match after_failure(service, &change_log, &record, note) {
                Ok(()) => messages::undone(failure),
                Err(second) => messages::not_undone(service, failure, &second),
            });
        }
        log("twinlock", SyslogPriority::Warning, &messages::log_enabled(service, record.mode));
        let Some((span, end)) = trial.zip(record.end_of_trial()) else {
            note(&messages::enabled_to_stay(service, record.mode));
            return change::sweep(service);
        };
        // A second session can confirm it before everybody is told.
        drop(change_log);
        broadcast(&messages::broadcast_of_trial(service, record.mode, &end));
        note(&messages::enabled_on_trial(service, record.mode, span, &end));
        Ok(())
    }
}

/// How far the change of a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialState {
    /// The service has the configuration that it had before.
    Off,
    /// The change is being made or undone, or was interrupted.
    Changing,
    /// It is in place, and is undone unless it is confirmed.
    Trial,
    /// It is in place to stay.
    On,
}

impl TrialState {
    /// As people and JSON have it; stable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Changing => "changing",
            Self::Trial => "trial",
            Self::On => "on",
        }
    }
}

/// The change of a service, for people and scripts that ask about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialStatus {
    pub state: TrialState,
    /// What sshd asks for.
    pub mode: Option<EnableMode>,
    /// The end of the trial.
    pub until: Option<UnixTime>,
}

/// Says how far the change of a service is. It takes no lock, and undoes nothing.
///
/// # Errors
/// The record cannot be read.
pub fn status(service: ChangedService) -> Result<TrialStatus, HostError> {
    let Some((phase, record)) = change_log::peek(service)? else {
        return Ok(TrialStatus { state: TrialState::Off, mode: None, until: None });
    };
    let (state, until) = match phase {
        ChangePhase::Changing | ChangePhase::Restoring => (TrialState::Changing, None),
        ChangePhase::Trying => (TrialState::Trial, record.until.map(UnixTime::from_seconds)),
        ChangePhase::Kept => (TrialState::On, None),
    };
    Ok(TrialStatus { state, mode: record.mode, until })
}

/// Keeps what is on trial.
///
/// # Errors
/// There is nothing to confirm, or it cannot be read or written.
pub fn confirm(service: ChangedService, note: &Note<'_>) -> Result<Confirmed, HostError> {
    let Some(change_log) = ChangeLog::open_existing(service)? else {
        return Err(messages::nothing_to_confirm(service));
    };
    match settled(service, &change_log, note)? {
        None => Err(messages::nothing_to_confirm(service)),
        Some((ChangePhase::Trying, record)) => {
            if !change_log.change(&record)?.is_in_place()? {
                note(&messages::changed_after_enable(service));
            }
            change_log.set_phase(ChangePhase::Trying, ChangePhase::Kept)?;
            timer::end(service, &record.id);
            log("twinlock", SyslogPriority::Warning, &messages::log_of(service, &messages::LOG_CONFIRMED));
            note(messages::CONFIRMED);
            Ok(Confirmed { newly: true, swept: change::sweep(service) })
        }
        Some((phase, record)) => {
            note(&messages::nothing_to_do(&describe_state(service, phase, &record)));
            Ok(Confirmed { newly: false, swept: change::sweep(service) })
        }
    }
}

/// Puts back what was there before it was enabled.
///
/// # Errors
/// Somebody has changed a file since, or something cannot be read or written.
pub fn disable(service: ChangedService, later: LaterChanges, note: &Note<'_>) -> Result<(), HostError> {
    let Some(change_log) = ChangeLog::open_existing(service)? else {
        note(&messages::never_enabled(service));
        return Ok(());
    };
    let Some((phase, record)) = settled(service, &change_log, note)? else {
        note(&messages::never_enabled(service));
        return Ok(());
    };
    let change = change_log.change(&record)?;
    if later == LaterChanges::Keep && !change.is_in_place()? {
        return Err(messages::changed_before_disable(service));
    }
    // While nothing is changed: a full disk is found here.
    change.prepare_return()?;
    undo(&change_log, phase, &record, ServerState::MayRun, note)?;
    timer::end(service, &record.id);
    log("twinlock", SyslogPriority::Warning, &messages::log_of(service, &messages::LOG_DISABLED));
    note(&messages::disabled(service));
    Ok(())
}

/// How far it is, after what was interrupted and what is over has been undone.
fn settled(
    service: ChangedService,
    change_log: &ChangeLog,
    note: &Note<'_>,
) -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
    let Some((phase, record)) = change_log.read()? else {
        // What an interrupted command has left.
        change_log.clear()?;
        change::sweep(service)?;
        return Ok(None);
    };
    let why = match phase {
        ChangePhase::Kept => return Ok(Some((phase, record))),
        ChangePhase::Trying if !record.is_over(SystemClock.now()) => return Ok(Some((phase, record))),
        ChangePhase::Trying => messages::undone_after_trial(service),
        ChangePhase::Changing | ChangePhase::Restoring => messages::undone_after_interruption(service),
    };
    undo(change_log, phase, &record, ServerState::MayRun, note)?;
    timer::end(service, &record.id);
    if phase == ChangePhase::Trying {
        broadcast(&messages::broadcast_of_end(service));
    }
    note(&why);
    Ok(None)
}

/// Undoes what was begun, however far it came.
fn after_failure(
    service: ChangedService,
    change_log: &ChangeLog,
    record: &ChangeRecord,
    note: &Note<'_>,
) -> Result<(), HostError> {
    if let Some((phase, _)) = change_log.read()? {
        undo(change_log, phase, record, ServerState::MayRun, note)?;
    }
    timer::end(service, &record.id);
    Ok(())
}

/// Puts back what was there before.
fn undo(
    change_log: &ChangeLog,
    phase: ChangePhase,
    record: &ChangeRecord,
    server: ServerState,
    note: &Note<'_>,
) -> Result<(), HostError> {
    let change = change_log.change(record)?;
    change_log.set_phase(phase, ChangePhase::Restoring)?;
    change.undo(record.mode, server, note)?;
    change_log.clear()
}

fn describe_state(service: ChangedService, phase: ChangePhase, record: &ChangeRecord) -> String {
    let end = record.end_of_trial().filter(|_| phase == ChangePhase::Trying);
    messages::enabled_already(service, record.mode, end.as_deref())
}

fn record(plan: &Plan, span: Option<Duration>) -> Result<ChangeRecord, HostError> {
    let mut bytes = [0; 8];
    Kernel.fill(&mut bytes).map_err(|error| messages::no_randomness(&error))?;
    Ok(ChangeRecord {
        id: data_encoding::HEXLOWER.encode(&bytes),
        mode: plan.mode,
        until: span.map(|span| SystemClock.now().after(span).seconds()),
        boot: boot_id(),
        attributes: ChangeRecord::attributes_of(&plan.change),
    })
}
