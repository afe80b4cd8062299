//! What is changed on trial to enable the second factor for sudo, or for su.

mod plan;
pub(crate) mod safety;

use crate::{
    HostError, Note,
    trial::{self, ChangedService, State},
};

/// Says whether Twinlock is enabled for sudo or su, or what would be changed to enable it. What was interrupted, and a trial that
/// is over, is undone before.
///
/// # Errors
/// Another change is under way, or what is there cannot be read or is not understood.
pub fn propose(service: ChangedService, note: &Note<'_>) -> Result<State, HostError> {
    trial::propose(service, note, || plan::plan(service))
}
