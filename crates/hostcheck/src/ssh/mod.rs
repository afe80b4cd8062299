//! What is changed on trial to enable the second factor for sshd.
//!
//! `stack`, `match_blocks`, `roll_out` and `plan` compute the change, `candidate` tries it, `safety` says what speaks against it, `server` has the running sshd
//! read it.

mod candidate;
pub(crate) mod match_blocks;
pub(crate) mod mode;
mod plan;
mod roll_out;
pub(crate) mod safety;
pub(crate) mod server;
pub(crate) mod stack;

pub use mode::{EnableMode, Family};
pub use roll_out::enrolls_until;
pub use server::ServerState;
use twinlock_core::time::UnixTime;
use twinlock_store::config::Config;

use crate::{
    HostError, Note,
    host_files::Host,
    messages,
    sshd::Files,
    trial::{self, ChangedService, State},
};

/// Says whether Twinlock is enabled for sshd, or what would be changed to enable it, with a rule by which users enrol until the
/// day that begins then, if one is given. What was interrupted, and a trial that is over, is undone before. Where it is
/// enabled, the note says whether the `Match` blocks in place are those of the rules.
///
/// # Errors
/// Another change is under way, or what is there cannot be read or is not understood.
pub fn propose(
    mode: EnableMode,
    enroll_until: Option<UnixTime>,
    config: &Config,
    note: &Note<'_>,
) -> Result<State, HostError> {
    let state = trial::propose(ChangedService::Ssh, note, || plan::plan(mode, enroll_until, config))?;
    let files = Files::read(&Host::default());
    if matches!(state, State::Enabled(_))
        && match_blocks::in_place()?.is_some_and(|blocks| blocks != match_blocks::generate(&config.policy, &files))
    {
        note(&messages::rules_changed_while_enabled());
    }
    let wanted =
        mode == EnableMode::KeyAndCode && !match_blocks::generate(&config.policy, &Files::default()).is_empty();
    if let Some(place) = match_blocks::methods_for_some(&files).filter(|_| wanted) {
        note(&messages::no_match_blocks(place));
    }
    Ok(state)
}
