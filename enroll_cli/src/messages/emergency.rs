//! `twinlock emergency`.

use std::fmt::Display;

use twinlock_hostcheck::{emergency::EmergencyStatus, messages::second_factors_off};

use twinlock_store::files::EMERGENCY_PATH;

use crate::failure::Failure;

/// The emergency is in force.
pub(crate) fn switched_off(end: &str) -> String {
    format!(
        "{}: logins by sshd, sudo and every other service need no code\n\
         `twinlock emergency on` ends this earlier. If sshd still denies you, run `twinlock ssh disable`.",
        second_factors_off(end)
    )
}

/// `SELinux` may keep sshd from reading the order.
pub(crate) fn not_labelled(error: &impl Display) -> String {
    format!(
        "warning: sshd may not be able to read {EMERGENCY_PATH}, because it was not labelled for SELinux: {error}\n\
         hint: run `setenforce 0`, or `twinlock ssh disable` instead"
    )
}

/// It was ended.
pub(crate) const SWITCHED_ON: &str = "second factors are on again";

/// There was none.
pub(crate) const ON_ALREADY: &str = "nothing to do: second factors are on";

/// What `status` prints.
pub(crate) fn status(status: &EmergencyStatus) -> String {
    match status {
        EmergencyStatus::NotInForce => "second factors are on\n".into(),
        EmergencyStatus::InForce(end) => format!("{}\n", second_factors_off(end)),
        EmergencyStatus::Unusable(error) => format!("second factors are on: {error}\n"),
    }
}

const INSTEAD: &str = "`twinlock ssh disable` takes Twinlock out of sshd instead";

/// It could not be ordered.
pub(crate) fn not_written(error: &impl Display) -> Failure {
    Failure::refused(error.to_string()).hint(INSTEAD)
}

/// It was ordered, and logins would not find it.
pub(crate) fn not_in_force() -> Failure {
    Failure::refused("second factors are still on: what was written cannot be read back").hint(INSTEAD)
}

/// It could not be ended.
pub(crate) fn not_removed(error: &impl Display) -> Failure {
    Failure::refused(error.to_string()).hint("it ends by itself; `twinlock emergency status` says when")
}
