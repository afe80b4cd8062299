//! `twinlock metrics`: what each number is.

use std::{fmt::Display, path::Path};

use crate::failure::Failure;

pub(crate) const BUILD_INFO: &str = "The version of the command.";
pub(crate) const CONFIG_VALID: &str = "1 if the configuration is valid; otherwise every login is denied.";
pub(crate) const EMERGENCY: &str = "1 if no login is asked for a second factor, by twinlock emergency off.";
pub(crate) const GATHER_SUCCESS: &str = "1 if everything could be read; otherwise only the metrics above are there.";
pub(crate) const ACCOUNTS: &str = "Accounts that may log in, by what twinlock report says about their logins.";
pub(crate) const ENROLLED: &str = "Accounts that have a second factor.";
pub(crate) const STEP_UP: &str = "Enrolled accounts of which two consecutive codes are required.";
pub(crate) const DISABLED: &str = "Enrolled accounts whose codes are refused until twinlock unlock.";
pub(crate) const RECOVERY_CODES_LOW: &str = "Enrolled accounts with fewer than 4 recovery codes.";
pub(crate) const UNREADABLE: &str = "Accounts whose files cannot be read; their logins are denied.";
pub(crate) const FINDINGS: &str = "Findings of twinlock doctor.";

/// `--output` cannot be written.
pub(crate) fn not_written(path: &Path, error: &impl Display) -> Failure {
    Failure::refused(format!("cannot write {}: {error}", path.display()))
        .hint("check that its directory exists and has room; the old file, if any, is unchanged")
}
