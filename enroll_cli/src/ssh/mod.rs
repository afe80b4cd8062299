//! `twinlock ssh`: switches the second factor on for sshd, on trial, and off again. Nothing is edited by hand.
//!
//! `stack` and `plan` compute what is to be changed, `safety` says what speaks against it, `change` knows the order of the
//! steps and why, `journal` how far they are, `trial` ends what nobody confirms.

mod boot;
mod change;
mod edit;
mod journal;
mod place;
mod plan;
mod safety;
mod sshd;
mod stack;
mod trial;

use std::{path::Path, time::Duration};

use journal::{Journal, Phase, Record};
use plan::{Facts, Plan};
use sshd::Server;
use twinlock_core::ports::{Clock, Randomness};
use twinlock_service::syslog::{Severity, log};
use twinlock_store::host::{Kernel, SystemClock};

use crate::{
    cli::{Ssh, SshDisable, SshEnable, SshMode},
    failure::Failure,
    layout,
    output::{note, print},
    scene::{Scene, root_alone},
};

pub(crate) fn run(config: &Path, verb: &Ssh) -> Result<(), Failure> {
    root_alone()?;
    // The way back asks nothing of a configuration that may be what went wrong.
    match verb {
        Ssh::Plan { mode } => plan(&Scene::set(config)?, *mode),
        Ssh::Enable(arguments) => enable(&Scene::set(config)?, arguments),
        Ssh::Confirm => confirm(config),
        Ssh::Disable(arguments) => disable(arguments),
        Ssh::Expire(arguments) => trial::expire(arguments),
    }
}

fn plan(scene: &Scene, mode: SshMode) -> Result<(), Failure> {
    let journal = Journal::open()?;
    if let Some((phase, record)) = settled(&journal)? {
        note(&how_it_stands(phase, &record));
        return Ok(());
    }
    let plan = Plan::of(Facts::gather()?, mode)?;
    print(plan.diff())?;
    note(&format!("family: {:?}; then `sshd -t`, and sshd reads its configuration again", plan.family));
    safety::tell(scene, &plan, &SshEnable { mode, ..SshEnable::default() })
}

fn enable(scene: &Scene, arguments: &SshEnable) -> Result<(), Failure> {
    let journal = Journal::open()?;
    if let Some((phase, record)) = settled(&journal)? {
        let stands = how_it_stands(phase, &record);
        if record.mode != arguments.mode {
            return Err(Failure::refused(stands).hint("twinlock ssh disable, and then enable it the other way"));
        }
        if !journal.change(&record)?.is_in_place()? {
            return Err(Failure::refused(format!("{stands}, but a file was changed since")).hint(CHANGED_SINCE));
        }
        note(&stands);
        return Ok(());
    }
    let plan = Plan::of(Facts::gather()?, arguments.mode)?;
    layout::prepare(&scene.store)?;
    safety::check(scene, &plan, arguments)?;
    let span = (!arguments.keep).then_some(arguments.r#try);
    let record = record(&plan, span)?;
    sshd::note_if_not_running()?;
    journal.begin(&record, &plan.change)?;
    if let Some(span) = span {
        // Before anything is changed, so that nothing can stay changed. It allows for the change itself.
        trial::begin(&record.id, span).inspect_err(|_| {
            trial::end(&record.id);
            drop(journal.clear());
        })?;
    }
    let made = plan
        .change
        .make()
        .and_then(|()| journal.set_phase(Phase::Changing, if span.is_some() { Phase::Trying } else { Phase::Kept }));
    if let Err(failure) = made {
        return Err(match after_failure(&journal, &record) {
            Ok(()) => failure.hint("nothing is changed: what was done was undone"),
            Err(second) => {
                failure.hint(format!("it could not be undone: {}; twinlock ssh disable tries again", second.message()))
            }
        });
    }
    log("twinlock", Severity::Warning, &format!("ssh: enabled, {}", record.mode.name()));
    note(&match span {
        None => format!("enabled, {}", record.mode.name()),
        Some(span) => format!(
            "enabled, {}, for {}\nKeep this session open, log in from another terminal with `ssh -o ControlPath=none`, and \
             then run: twinlock ssh confirm\nWithout that, everything is as before in {}.",
            record.mode.name(),
            humantime::format_duration(span),
            humantime::format_duration(span)
        ),
    });
    if span.is_none() {
        change::sweep()?;
    }
    Ok(())
}

fn confirm(config: &Path) -> Result<(), Failure> {
    let journal = Journal::open()?;
    match settled(&journal)? {
        None => Err(Failure::refused("there is nothing to confirm: sshd is as it was").hint("twinlock ssh enable")),
        Some((Phase::Trying, record)) => {
            if !journal.change(&record)?.is_in_place()? {
                note(&format!("note: a file was changed since it was enabled; later, {CHANGED_SINCE}"));
            }
            journal.set_phase(Phase::Trying, Phase::Kept)?;
            trial::end(&record.id);
            log("twinlock", Severity::Warning, "ssh: confirmed");
            note("confirmed: it stays");
            // Last: the trial must not end while the accounts are looked at.
            let swept = change::sweep();
            safety::warn_of_unenrolled(config);
            swept
        }
        Some((phase, record)) => {
            note(&how_it_stands(phase, &record));
            change::sweep()
        }
    }
}

fn disable(arguments: &SshDisable) -> Result<(), Failure> {
    let journal = Journal::open()?;
    let Some((phase, record)) = settled(&journal)? else {
        note("sshd is as it was: `twinlock ssh` has changed nothing");
        return Ok(());
    };
    let change = journal.change(&record)?;
    if !arguments.discard_changes && !change.is_in_place()? {
        return Err(Failure::refused("/etc/pam.d/sshd or 00-twinlock.conf was changed since it was enabled")
            .hint("--discard-changes puts back what was there before it was enabled, and the change since is lost"));
    }
    // While nothing is changed: a full disk is found here.
    change.prepare_return()?;
    undo(&journal, phase, &record, Server::MayRun)?;
    trial::end(&record.id);
    log("twinlock", Severity::Warning, "ssh: disabled");
    note("disabled: sshd is as it was before");
    Ok(())
}

const CHANGED_SINCE: &str = "twinlock ssh disable --discard-changes puts back what was there before it was enabled";

/// How far it is, after what was interrupted and what is over has been undone.
fn settled(journal: &Journal) -> Result<Option<(Phase, Record)>, Failure> {
    let Some((phase, record)) = journal.read()? else {
        // What an interrupted command has left.
        journal.clear()?;
        change::sweep()?;
        return Ok(None);
    };
    let why = match phase {
        Phase::Kept => return Ok(Some((phase, record))),
        Phase::Trying if !record.is_over(SystemClock.now()) => return Ok(Some((phase, record))),
        Phase::Trying => "it was not confirmed in time",
        Phase::Changing | Phase::Restoring => "a change was interrupted",
    };
    undo(journal, phase, &record, Server::MayRun)?;
    trial::end(&record.id);
    note(&format!("note: {why}, so sshd is as it was before"));
    Ok(None)
}

/// Undoes what was begun, however far it came.
fn after_failure(journal: &Journal, record: &Record) -> Result<(), Failure> {
    if let Some((phase, _)) = journal.read()? {
        undo(journal, phase, record, Server::MayRun)?;
    }
    trial::end(&record.id);
    Ok(())
}

/// Puts back what was there before.
fn undo(journal: &Journal, phase: Phase, record: &Record, server: Server) -> Result<(), Failure> {
    let change = journal.change(record)?;
    journal.set_phase(phase, Phase::Restoring)?;
    change.undo(record.mode, server)?;
    journal.clear()
}

fn how_it_stands(phase: Phase, record: &Record) -> String {
    let mode = record.mode.name();
    if phase != Phase::Trying {
        return format!("it is enabled, {mode}");
    }
    let left = humantime::format_duration(record.left(SystemClock.now()));
    format!("it is enabled, {mode}, and on trial: twinlock ssh confirm within {left}")
}

fn record(plan: &Plan, span: Option<Duration>) -> Result<Record, Failure> {
    let mut bytes = [0; 8];
    Kernel.fill(&mut bytes).map_err(|error| Failure::refused(format!("the kernel gives no randomness: {error}")))?;
    let change = &plan.change;
    Ok(Record {
        id: data_encoding::HEXLOWER.encode(&bytes),
        mode: plan.mode,
        until: span.map(|span| SystemClock.now().after(span).seconds()),
        boot: journal::boot(),
        pam_before: change.pam_before.as_ref().map(|version| version.attributes),
        pam_after: change.pam_after.attributes,
        drop_in_before: change.drop_in_before.as_ref().map(|version| version.attributes),
        drop_in_after: change.drop_in_after.attributes,
    })
}
