//! What is changed on trial to enable the second factor for sshd.
//!
//! `stack` and `plan` compute the change, `candidate` tries it, `safety` says what speaks against it, `server` has the running sshd
//! read it.

mod candidate;
pub(crate) mod mode;
mod plan;
pub(crate) mod safety;
pub(crate) mod server;
pub(crate) mod stack;

pub use mode::{EnableMode, Family};
pub use server::ServerState;

use crate::{
    HostError, Note,
    trial::{self, ChangedService, State},
};

/// Says whether Twinlock is enabled for sshd, or what would be changed to enable it. What was interrupted, and a trial that is
/// over, is undone before.
///
/// # Errors
/// Another change is under way, or what is there cannot be read or is not understood.
pub fn propose(mode: EnableMode, note: &Note<'_>) -> Result<State, HostError> {
    trial::propose(ChangedService::Ssh, note, || plan::plan(mode))
}
