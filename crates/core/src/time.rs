//! Points in time as values. Reading a clock is the business of `twinlock_store::host`, never of this file.

use std::{
    error::Error,
    fmt,
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::messages;

/// Seconds since the Unix epoch, UTC, from 1970 to the end of the year 9999.
///
/// Shown as RFC 3339 (`2026-11-24T04:00:00Z`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

/// The last second that RFC 3339 can write with a year of four digits.
const LAST: u64 = 253_402_300_799;
const SECONDS_A_DAY: u64 = 86_400;

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

    /// Reads RFC 3339 in UTC, as [`fmt::Display`] writes it. A fraction of a second is passed over, and a leap second counts as
    /// the one before it.
    ///
    /// # Errors
    /// [`TimeError`]: anything else, days that no calendar has, and years before 1970.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let (fields, rest) = text.split_at_checked("2026-11-24T04:00:00".len()).ok_or(TimeError)?;
        let fraction = rest.strip_suffix('Z').ok_or(TimeError)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let separators: Vec<u8> = fields.bytes().filter(|byte| !byte.is_ascii_digit()).collect();
        if separators != *b"--T::" || !fraction.is_empty() && !fraction.strip_prefix('.').is_some_and(digits) {
            return Err(TimeError);
        }
        let field = |range: Range<usize>| fields.get(range).and_then(|field| field.parse().ok()).ok_or(TimeError);
        let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
        let (hour, minute, second): (u64, u64, u64) = (field(11..13)?, field(14..16)?, field(17..19)?);
        if hour > 23 || minute > 59 || second > 60 {
            return Err(TimeError);
        }
        let days = days_before(year, month, day).ok_or(TimeError)?;
        #[expect(clippy::arithmetic_side_effects, reason = "the fields have two and four digits")]
        Ok(Self(days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second.min(59)))
    }
}

/// The days from the epoch to a day of the Gregorian calendar; `None` if it has no such day. By arithmetic, as a `SystemTime`
/// ends in 2038 where it has 32 bits.
#[expect(clippy::arithmetic_side_effects, reason = "a year has four digits, and the first is 1970")]
fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let leap_years_to = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_years_to(year - 1) - leap_years_to(1969);
    let months: u64 = (1..month).map(|month| days_of(year, month)).sum();
    Some(years + months + day - 1)
}

/// The day of the Gregorian calendar so many days after the epoch.
#[expect(clippy::arithmetic_side_effects, reason = "no month has more days than were left before it")]
fn date_after(days: u64) -> (u64, u64, u64) {
    // No year has more than 366 days, so this is not too late, and a few years too early at most.
    let mut year = 1970 + days / 366;
    while days_before(year + 1, 1, 1).is_some_and(|next| next <= days) {
        year += 1;
    }
    let (mut month, mut left) = (1, days - days_before(year, 1, 1).unwrap_or(days));
    while left >= days_of(year, month) {
        left -= days_of(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

const fn days_of(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(400) || year.is_multiple_of(4) && !year.is_multiple_of(100) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The text is no time that [`UnixTime::parse`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeError;

impl Error for TimeError {}

impl fmt::Display for TimeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(messages::NOT_A_TIME)
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_after(self.0 / SECONDS_A_DAY);
        let second = self.0 % SECONDS_A_DAY;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
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
    fn days_are_those_of_the_calendar() {
        // As `date --utc --date=... +%s` says.
        for (text, seconds) in [
            ("1972-02-29T00:00:00Z", 68_169_600),
            ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2038-01-19T03:14:08Z", 2_147_483_648),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("2400-12-31T00:00:00Z", 13_601_001_600),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            let time = UnixTime::from_seconds(seconds);
            assert_eq!((UnixTime::parse(text), time.to_string().as_str()), (Ok(time), text));
        }
    }

    #[test]
    fn each_day_of_the_range_follows_the_one_before() {
        let mut day = (1970, 1, 1);
        for days in 0..=LAST / SECONDS_A_DAY {
            assert_eq!((date_after(days), days_before(day.0, day.1, day.2)), (day, Some(days)));
            day = match day {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, last) if last == days_of(year, month) => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
        }
        assert_eq!(day, (10_000, 1, 1));
    }

    #[test]
    fn other_texts_and_days_of_no_calendar_are_no_time() {
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T04:00:00",
            "2026-11-24 04:00:00Z",
            "2026-11-24T04:00:00+01:00",
            "2026-11-24T04:00:00.Z",
            "2026-11-24T04:00:00.5x1Z",
            "2026-11-24T04:00:00ZZ",
            "+026-11-24T04:00:00Z",
            "2026-1--24T04:00:00Z",
            "2026-1124-T04:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-00-24T04:00:00Z",
            "2026-13-24T04:00:00Z",
            "2026-11-00T04:00:00Z",
            "2026-11-31T04:00:00Z",
            "2026-02-29T04:00:00Z",
            "2100-02-29T04:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T04:60:00Z",
            "2026-11-24T04:00:61Z",
            "\u{666}026-11-24T04:00:0Z",
        ] {
            assert_eq!(UnixTime::parse(text), Err(TimeError), "{text}");
        }
        for text in ["2026-11-24T04:00:59.999Z", "2026-11-24T04:00:60Z"] {
            assert_eq!(UnixTime::parse(text).unwrap().to_string(), "2026-11-24T04:00:59Z");
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
