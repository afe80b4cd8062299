//! What is changed on trial to enable the second factor for sshd.
//!
//! `stack`, `roll_out` and `plan` compute the change, `candidate` tries it, `safety` says what speaks against it, `server` has the running sshd
//! read it.

mod candidate;
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

use crate::{
    HostError, Note,
    trial::{self, ChangedService, State},
};

/// Says whether Twinlock is enabled for sshd, or what would be changed to enable it, with a rule by which users enrol until the
/// day that begins then, if one is given. What was interrupted, and a trial that is over, is undone before.
///
/// # Errors
/// Another change is under way, or what is there cannot be read or is not understood.
pub fn propose(mode: EnableMode, enroll_until: Option<UnixTime>, note: &Note<'_>) -> Result<State, HostError> {
    trial::propose(ChangedService::Ssh, note, || plan::plan(mode, enroll_until))
}
