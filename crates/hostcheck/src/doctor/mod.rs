//! The doctor: everything that is known to lock people out or to let them in without a code, looked for on a host before it
//! happens. What `twinlock check` is to Twinlock's own files, this is to sshd, PAM and the accounts. Changes nothing.

mod checks;
mod clock;
mod conditions;
pub(crate) mod finding;
mod host;
mod module_file;
mod questions;

pub use checks::{NO_FIRST_FACTOR, NOT_ENROLLED, described};
pub use finding::{Finding, Severity};
pub use host::{OUTSIDE, Scope};

use crate::{HostError, Installation};

/// What is wrong on this host, the worst first.
///
/// # Errors
/// The accounts of the host cannot be listed.
pub fn findings(installation: &Installation<'_>, scope: &Scope) -> Result<Vec<Finding>, HostError> {
    let facts = host::HostFacts::of_host(installation, scope)?;
    Ok(checks::all(&facts))
}
