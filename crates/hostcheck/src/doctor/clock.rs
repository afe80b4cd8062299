//! Whether the clock is kept right: a code is worth half a minute.

use std::path::Path;

use crate::programs::output_of;

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockState {
    /// Something keeps it right.
    Synchronised,
    /// chrony knows it to be off by so many seconds.
    Off(u64),
    /// Nothing keeps it right now.
    Unsynchronised,
    /// It is the clock of the host, which this container cannot set and does not know more of.
    OfContainersHost,
    /// Nobody here can tell.
    Unknown,
}

impl ClockState {
    /// Asks those who know: systemd-timesyncd's mark, chrony, systemd's timedated.
    pub(crate) fn of_host() -> Self {
        if Path::new("/run/systemd/timesync/synchronized").exists() {
            return Self::Synchronised;
        }
        let by_chrony = output_of("chronyc", &["-c", "tracking"]).and_then(|line| of_chrony(&line));
        by_chrony.unwrap_or_else(Self::of_systemd)
    }

    /// systemd's timedated, where the clock is ours to keep.
    fn of_systemd() -> Self {
        if output_of("systemd-detect-virt", &["--container"]).is_some_and(|found| found.trim() != "none") {
            return Self::OfContainersHost;
        }
        match output_of("timedatectl", &["show", "-p", "NTPSynchronized", "--value"]) {
            Some(answer) if answer.trim() == "yes" => Self::Synchronised,
            Some(answer) if answer.trim() == "no" => Self::Unsynchronised,
            Some(_) | None => Self::Unknown,
        }
    }
}

/// `chronyc -c tracking`: the fifth field is the offset in seconds, the last whether there is a source.
fn of_chrony(line: &str) -> Option<ClockState> {
    let fields: Vec<&str> = line.trim().split(',').collect();
    let offset: f64 = fields.get(4)?.parse().ok()?;
    let status = fields.last()?.trim();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds, without a sign")]
    let seconds = offset.abs() as u64;
    Some(match (status, seconds) {
        ("Not synchronised", _) => ClockState::Unsynchronised,
        (_, 0..10) => ClockState::Synchronised,
        (_, seconds) => ClockState::Off(seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chrony_tells_the_offset_and_whether_it_has_a_source() {
        let line = |offset: &str, status: &str| {
            format!(
                "C0000201,192.0.2.1,3,1764000000.1,{offset},0.0001,0.00005,-1.5,0.0,0.02,0.03,0.001,64.5,{status}\n"
            )
        };
        assert_eq!(of_chrony(&line("-0.000012", "Normal")), Some(ClockState::Synchronised));
        assert_eq!(of_chrony(&line("-61.5", "Normal")), Some(ClockState::Off(61)));
        assert_eq!(of_chrony(&line("0.0", "Not synchronised")), Some(ClockState::Unsynchronised));
        assert_eq!(of_chrony("506 Cannot talk to daemon\n"), None);
    }
}
