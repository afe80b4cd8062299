//! Points in time as values. Reading a clock is the business of `twinlock_store::host`, never of this file.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Seconds since the Unix epoch, UTC, from 1970 to the end of the year 9999.
///
/// Shown as RFC 3339 (`2026-11-24T04:00:00Z`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

/// The last second that RFC 3339 can write with a year of four digits.
const LAST: u64 = 253_402_300_799;

impl UnixTime {
    /// The time `seconds` after the epoch; a later one than the year 9999 is cut to its last second.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        if seconds > LAST { Self(LAST) } else { Self(seconds) }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// How long `earlier` is past; nothing if it is still to come, so that a clock set back never counts as time passed.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }

    /// The time `span` later.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self::from_seconds(self.0.saturating_add(span.as_secs()))
    }

    /// The day in UTC, as RFC 3339 writes it (`2026-11-24`).
    #[must_use]
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate("2026-11-24".len());
        text
    }

    /// Reads RFC 3339 in UTC, as [`fmt::Display`] writes it.
    ///
    /// # Errors
    /// Anything else, and times outside the range of the type.
    pub fn parse(text: &str) -> Result<Self, humantime::TimestampError> {
        let time = humantime::parse_rfc3339(text)?;
        let since = time.duration_since(UNIX_EPOCH).map_err(|_| humantime::TimestampError::OutOfRange)?;
        Ok(Self::from_seconds(since.as_secs()))
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(self.0)).unwrap_or(UNIX_EPOCH);
        write!(out, "{}", humantime::format_rfc3339_seconds(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_and_read_again_it_is_the_same() {
        for seconds in [0, 59, 1_111_111_109, 1_795_492_800, LAST] {
            let time = UnixTime::from_seconds(seconds);
            assert_eq!(UnixTime::parse(&time.to_string()).unwrap(), time);
        }
    }

    #[test]
    fn the_day_is_that_of_utc() {
        assert_eq!(UnixTime::from_seconds(86_399).day(), "1970-01-01");
        assert_eq!(UnixTime::from_seconds(86_400).day(), "1970-01-02");
    }

    #[test]
    fn the_far_future_is_cut_and_still_shown() {
        assert_eq!(UnixTime::from_seconds(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_clock_set_back_counts_as_no_time_passed() {
        let (early, late) = (UnixTime::from_seconds(10), UnixTime::from_seconds(70));
        assert_eq!(late.since(early), Duration::from_mins(1));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
