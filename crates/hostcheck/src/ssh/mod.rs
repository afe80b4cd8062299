//! Enables the second factor for sshd, on trial, and disables it again. Nothing is edited by hand.
//!
//! `stack` and `plan` compute what is to be changed, `safety` says what speaks against it, `change` knows the order of the
//! steps and why, `change_log` how far they are, `trial` ends what nobody confirms.

mod boot;
mod candidate;
mod change;
mod change_log;
pub(crate) mod mode;
mod place;
mod plan;
mod safety;
mod server;
mod stack;
mod trial;

use std::time::Duration;

use change_log::{ChangeLog, ChangePhase, ChangeRecord};
pub use mode::{EnableMode, Family};
use plan::{Plan, PlanFacts};
pub use safety::{Objection, ObjectionKind};
pub use server::ServerState;
pub use trial::{READY, expire, leave_session};
use twinlock_core::ports::{Clock, Randomness};
use twinlock_service::syslog::{SyslogPriority, log};
use twinlock_store::host::{Kernel, SystemClock};

use crate::{HostError, Installation, Note, messages};

/// What there is before something is changed.
pub enum State {
    /// Twinlock was enabled by this command.
    Enabled(Enabled),
    /// It was not, and this would be changed.
    Disabled(Proposal),
}

/// Twinlock as this command has enabled it. While it exists, nobody else changes anything.
pub struct Enabled {
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

/// Says whether Twinlock is enabled for sshd, or what would be changed to enable it. What was interrupted, and a trial that is
/// over, is undone before.
///
/// # Errors
/// Another change is under way, or what is there cannot be read or is not understood.
pub fn propose(mode: EnableMode, note: &Note<'_>) -> Result<State, HostError> {
    let change_log = ChangeLog::open()?;
    if let Some((phase, record)) = settled(&change_log, note)? {
        return Ok(State::Enabled(Enabled { phase, record, change_log }));
    }
    let plan = Plan::make(PlanFacts::gather()?, mode)?;
    Ok(State::Disabled(Proposal { plan, change_log }))
}

impl Enabled {
    /// That there is nothing to do: the mode, and the end of a trial.
    #[must_use]
    pub fn describe(&self) -> String {
        messages::nothing_to_do(&describe_state(self.phase, &self.record))
    }

    /// Makes sure that it is enabled in this mode, and that nobody has changed a file since.
    ///
    /// # Errors
    /// It is not, or somebody has.
    pub fn ensure(&self, mode: EnableMode) -> Result<(), HostError> {
        if self.record.mode != mode {
            return Err(messages::other_mode(self.record.mode, mode));
        }
        if !self.change_log.change(&self.record)?.is_in_place()? {
            return Err(messages::changed_while_enabled(self.record.mode));
        }
        Ok(())
    }
}

impl Proposal {
    /// The differences, as `diff -u` shows them and `patch` reads them.
    #[must_use]
    pub fn diff(&self) -> &str {
        self.plan.diff()
    }

    /// The kind of PAM stack that was found.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.plan.family
    }

    /// What speaks against it.
    ///
    /// # Errors
    /// sshd refuses the new configuration, or something cannot be read.
    pub fn objections(&self, installation: &Installation<'_>) -> Result<Vec<Objection>, HostError> {
        safety::objections(installation, &self.plan)
    }

    /// Makes the change: on trial for this span, or to stay.
    ///
    /// # Errors
    /// A step failed. What was done before it was undone; the hint says so, or why not.
    pub fn carry_out(self, trial: Option<Duration>, note: &Note<'_>) -> Result<(), HostError> {
        let Self { plan, change_log } = self;
        let record = record(&plan, trial)?;
        server::note_if_not_running(note)?;
        change_log.begin(&record, &plan.change)?;
        if let Some(span) = trial {
            // Before anything is changed, so that nothing can stay changed. It allows for the change itself.
            trial::begin(&record.id, span).inspect_err(|_| {
                trial::end(&record.id);
                drop(change_log.clear());
            })?;
        }
        let changed = plan.change.make().and_then(|()| {
            change_log
                .set_phase(ChangePhase::Changing, if trial.is_some() { ChangePhase::Trying } else { ChangePhase::Kept })
        });
        if let Err(failure) = changed {
            return Err(match after_failure(&change_log, &record, note) {
                Ok(()) => messages::undone(failure),
                Err(second) => messages::not_undone(failure, &second),
            });
        }
        log("twinlock", SyslogPriority::Warning, &messages::log_enabled(record.mode));
        note(&match trial.zip(record.end_of_trial()) {
            None => messages::enabled_to_stay(record.mode),
            Some((span, end)) => messages::enabled_on_trial(record.mode, span, &end),
        });
        if trial.is_none() { change::sweep() } else { Ok(()) }
    }
}

/// Keeps what is on trial.
///
/// # Errors
/// There is nothing to confirm, or it cannot be read or written.
pub fn confirm(note: &Note<'_>) -> Result<Confirmed, HostError> {
    let change_log = ChangeLog::open()?;
    match settled(&change_log, note)? {
        None => Err(messages::nothing_to_confirm()),
        Some((ChangePhase::Trying, record)) => {
            if !change_log.change(&record)?.is_in_place()? {
                note(&messages::changed_after_enable());
            }
            change_log.set_phase(ChangePhase::Trying, ChangePhase::Kept)?;
            trial::end(&record.id);
            log("twinlock", SyslogPriority::Warning, messages::LOG_CONFIRMED);
            note(messages::CONFIRMED);
            Ok(Confirmed { newly: true, swept: change::sweep() })
        }
        Some((phase, record)) => {
            note(&messages::nothing_to_do(&describe_state(phase, &record)));
            Ok(Confirmed { newly: false, swept: change::sweep() })
        }
    }
}

/// Puts back what was there before it was enabled.
///
/// # Errors
/// Somebody has changed a file since, or something cannot be read or written.
pub fn disable(later: LaterChanges, note: &Note<'_>) -> Result<(), HostError> {
    let change_log = ChangeLog::open()?;
    let Some((phase, record)) = settled(&change_log, note)? else {
        note(&messages::never_enabled());
        return Ok(());
    };
    let change = change_log.change(&record)?;
    if later == LaterChanges::Keep && !change.is_in_place()? {
        return Err(messages::changed_before_disable());
    }
    // While nothing is changed: a full disk is found here.
    change.prepare_return()?;
    undo(&change_log, phase, &record, ServerState::MayRun, note)?;
    trial::end(&record.id);
    log("twinlock", SyslogPriority::Warning, messages::LOG_DISABLED);
    note(messages::DISABLED);
    Ok(())
}

/// How far it is, after what was interrupted and what is over has been undone.
fn settled(change_log: &ChangeLog, note: &Note<'_>) -> Result<Option<(ChangePhase, ChangeRecord)>, HostError> {
    let Some((phase, record)) = change_log.read()? else {
        // What an interrupted command has left.
        change_log.clear()?;
        change::sweep()?;
        return Ok(None);
    };
    let why = match phase {
        ChangePhase::Kept => return Ok(Some((phase, record))),
        ChangePhase::Trying if !record.is_over(SystemClock.now()) => return Ok(Some((phase, record))),
        ChangePhase::Trying => messages::UNDONE_AFTER_TRIAL,
        ChangePhase::Changing | ChangePhase::Restoring => messages::UNDONE_AFTER_INTERRUPTION,
    };
    undo(change_log, phase, &record, ServerState::MayRun, note)?;
    trial::end(&record.id);
    note(why);
    Ok(None)
}

/// Undoes what was begun, however far it came.
fn after_failure(change_log: &ChangeLog, record: &ChangeRecord, note: &Note<'_>) -> Result<(), HostError> {
    if let Some((phase, _)) = change_log.read()? {
        undo(change_log, phase, record, ServerState::MayRun, note)?;
    }
    trial::end(&record.id);
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

fn describe_state(phase: ChangePhase, record: &ChangeRecord) -> String {
    let end = record.end_of_trial().filter(|_| phase == ChangePhase::Trying);
    messages::enabled_already(record.mode, end.as_deref())
}

fn record(plan: &Plan, span: Option<Duration>) -> Result<ChangeRecord, HostError> {
    let mut bytes = [0; 8];
    Kernel.fill(&mut bytes).map_err(|error| messages::no_randomness(&error))?;
    let change = &plan.change;
    Ok(ChangeRecord {
        id: data_encoding::HEXLOWER.encode(&bytes),
        mode: plan.mode,
        until: span.map(|span| SystemClock.now().after(span).seconds()),
        boot: change_log::boot(),
        pam_before: change.pam_before.as_ref().map(|version| version.attributes),
        pam_after: change.pam_after.attributes,
        drop_in_before: change.drop_in_before.as_ref().map(|version| version.attributes),
        drop_in_after: change.drop_in_after.attributes,
    })
}
