//! `twinlock device`, and the devices in `twinlock status`.

use std::fmt::Write as _;

use twinlock_core::{catalogue::Phrase, devices::DeviceChange};
use twinlock_service::{self_service::SelfServiceText, status::AuthenticatorStatus};

use super::usage;
use crate::{
    failure::Failure,
    language::{say, say_of},
};

/// A word that is no label.
pub(crate) fn invalid_label(label: &str, rule: &str) -> Failure {
    Failure::usage(usage::invalid_value(label, "<TO>", Some(rule))).hint(usage::see_help("twinlock device rename"))
}

/// One device, on a line.
pub(crate) fn line(device: &AuthenticatorStatus) -> String {
    let AuthenticatorStatus { id, label, r#type, algorithm, digits, .. } = device;
    let mut line = format!("  {id}  {label}  {type} {algorithm} {digits} digits");
    // Writing to a String cannot fail.
    let _ = device.period.map_or(Ok(()), |period| write!(line, " {period} s"));
    let _ = write!(
        line,
        "  created {}  last used {}",
        device.created.as_deref().unwrap_or("-"),
        device.last_used.as_deref().unwrap_or("never")
    );
    let _ = device.last_from.as_ref().map_or(Ok(()), |from| write!(line, " from {from}"));
    if device.last_from_claimed {
        line.push_str(" (claimed by the user's program, not verified)");
    }
    line.push_str(if device.suspended { "  SUSPENDED\n" } else { "\n" });
    line
}

/// What was done to which device.
pub(crate) fn changed(user: &str, device: &str, change: &DeviceChange) -> String {
    let text = match change {
        DeviceChange::Rename(_) => SelfServiceText::DoneRenamed,
        DeviceChange::Suspend => SelfServiceText::DoneSuspended,
        DeviceChange::Resume => SelfServiceText::DoneResumed,
        DeviceChange::Remove => SelfServiceText::DoneRemoved,
    };
    say(Phrase::from(text).with("user", user).with("device", device))
}

/// All devices that are left are suspended.
pub(crate) fn none_active(user: &str) -> String {
    say_of(user, SelfServiceText::NoneActive)
}
