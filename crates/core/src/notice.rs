//! What happened to a second factor: the words of the log, of a mail, and of what the next logins are told.

use std::time::Duration;

use crate::time::UnixTime;

/// A change of somebody's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was none before.
    Enrolled,
    /// One more app or device.
    DeviceAdded,
    /// A new one in the place of all there was.
    Replaced,
    /// New recovery codes; the old ones are worth nothing.
    RecoveryRenewed,
    /// One more code, for one login, beside the recovery codes.
    RecoveryIssued,
    /// A device has another label.
    DeviceRenamed,
    /// A device was switched off.
    DeviceSuspended,
    /// A device was switched on.
    DeviceResumed,
    /// A device is gone.
    DeviceRemoved,
    /// There is no second factor any more.
    Removed,
    /// A clock or a counter was set right.
    Resynced,
    /// Failures were cleared, so that one code is enough again.
    Unlocked,
    /// The notices of changes and of failed attempts were ended.
    Acknowledged,
}

impl Change {
    const ALL: [Self; 13] = [
        Self::Enrolled,
        Self::DeviceAdded,
        Self::Replaced,
        Self::RecoveryRenewed,
        Self::RecoveryIssued,
        Self::DeviceRenamed,
        Self::DeviceSuspended,
        Self::DeviceResumed,
        Self::DeviceRemoved,
        Self::Removed,
        Self::Resynced,
        Self::Unlocked,
        Self::Acknowledged,
    ];

    /// As the log and the record spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::DeviceAdded => "device-added",
            Self::Replaced => "replaced",
            Self::RecoveryRenewed => "recovery-codes-renewed",
            Self::RecoveryIssued => "recovery-code-issued",
            Self::DeviceRenamed => "device-renamed",
            Self::DeviceSuspended => "device-suspended",
            Self::DeviceResumed => "device-resumed",
            Self::DeviceRemoved => "device-removed",
            Self::Removed => "removed",
            Self::Resynced => "resynced",
            Self::Unlocked => "unlocked",
            Self::Acknowledged => "acknowledged",
        }
    }

    /// The change of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }

    /// How grave it is, from 1 on; `None` if the next logins do not tell of it, because its owner cannot miss it or because
    /// it lets nobody in.
    ///
    /// The order is by what an intruder has of it: the whole second factor; one more way in, beside which the owner's still
    /// works and raises no question; ten ways in, one login each; one such way; then what takes a way in from the owner, for good or for a
    /// while; last, what gives one back, or more guesses.
    pub(crate) const fn gravity(self) -> Option<u8> {
        match self {
            Self::Replaced => Some(8),
            Self::DeviceAdded => Some(7),
            Self::RecoveryRenewed => Some(6),
            Self::RecoveryIssued => Some(5),
            Self::DeviceRemoved => Some(4),
            Self::DeviceSuspended => Some(3),
            Self::DeviceResumed => Some(2),
            Self::Unlocked => Some(1),
            Self::Enrolled | Self::DeviceRenamed | Self::Removed | Self::Resynced | Self::Acknowledged => None,
        }
    }
}

/// The gravest of the latest changes of a second factor, which every login tells of until a week has passed without another
/// one: an intruder who changed it can neither use the notice up by logging in first, nor hide it behind a lesser change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The gravest change.
    pub change: Change,
    /// When it was made.
    pub at: UnixTime,
    /// How many other changes were made.
    pub others: u32,
    /// When the latest of all was made.
    pub latest: UnixTime,
}

impl Notice {
    /// How long a change is reported to its owner.
    pub const SPAN: Duration = Duration::from_hours(7 * 24);

    /// The notice of a change alone; `None` if it is not told of.
    #[must_use]
    pub fn for_change(change: Change, at: UnixTime) -> Option<Self> {
        change.gravity().map(|_| Self { change, at, others: 0, latest: at })
    }

    /// The notice after one more: of the gravest, and of the later of two that are equally grave.
    pub(crate) fn joined(before: Option<Self>, new: Self) -> Self {
        let Some(before) = before else { return new };
        let gravest = if new.gravity() >= before.gravity() { new } else { before };
        Self { others: before.others.saturating_add(1), latest: new.at, ..gravest }
    }

    /// A notice of an enrolment inside a login. Unlike other enrolments it takes the first factor alone.
    #[must_use]
    pub const fn of_enrolment_in_login(at: UnixTime) -> Self {
        Self { change: Change::Enrolled, at, others: 0, latest: at }
    }

    /// An enrolment inside a login has no gravity of its own: it is reported as the gravest of all.
    fn gravity(&self) -> u8 {
        self.change.gravity().unwrap_or(u8::MAX)
    }

    /// Whether it is still told of.
    #[must_use]
    pub fn is_new(&self, now: UnixTime) -> bool {
        now.since(self.latest) < Self::SPAN
    }

    /// As the broker sends it: change and seconds, and if there were others, how many, and the seconds of the latest.
    #[must_use]
    pub fn words(&self) -> String {
        let words = format!("{} {}", self.change.name(), self.at.seconds());
        match self.others {
            0 => words,
            others => format!("{words} {others} {}", self.latest.seconds()),
        }
    }

    /// The same as it came.
    #[must_use]
    pub fn of_words(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        let change = Change::named(words.next()?)?;
        let at = UnixTime::from_seconds(words.next()?.parse().ok()?);
        let (others, latest) = match words.next() {
            None => (0, at),
            Some(others) => (others.parse().ok()?, UnixTime::from_seconds(words.next()?.parse().ok()?)),
        };
        words.next().is_none().then_some(Self { change, at, others, latest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{Subject, UserName},
        record::Record,
    };

    const DAY: u64 = 86_400;

    fn after(changes: &[(u64, Change)]) -> Notice {
        let mut record = Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 });
        for (day, change) in changes {
            record.note_change(*change, UnixTime::from_seconds(day * DAY));
        }
        record.notice.unwrap()
    }

    #[test]
    fn a_lesser_change_does_not_hide_a_graver_one() {
        let notice = after(&[(0, Change::DeviceAdded), (1, Change::DeviceSuspended), (2, Change::DeviceResumed)]);
        let at = |day: u64| UnixTime::from_seconds(day * DAY);
        assert_eq!(notice, Notice { change: Change::DeviceAdded, at: at(0), others: 2, latest: at(2) });
        let notice = after(&[(0, Change::DeviceAdded), (1, Change::Replaced)]);
        assert_eq!(notice, Notice { change: Change::Replaced, at: at(1), others: 1, latest: at(1) });
    }

    #[test]
    fn of_two_equal_changes_the_later_is_told_of() {
        let notice = after(&[(0, Change::DeviceAdded), (3, Change::DeviceAdded)]);
        assert_eq!((notice.at.seconds(), notice.others), (3 * DAY, 1));
    }

    #[test]
    fn a_change_that_is_not_told_of_leaves_the_notice_as_it_is() {
        let added = [(0, Change::DeviceAdded)];
        assert_eq!(after(&[added[0], (1, Change::DeviceRenamed), (2, Change::Resynced)]), after(&added));
    }

    #[test]
    fn a_notice_ends_a_week_after_the_latest_change() {
        let notice = after(&[(0, Change::DeviceAdded), (6, Change::DeviceResumed)]);
        assert!(notice.is_new(UnixTime::from_seconds(13 * DAY - 1)));
        assert!(!notice.is_new(UnixTime::from_seconds(13 * DAY)));
        let much_later = after(&[(0, Change::Replaced), (7, Change::DeviceResumed)]);
        assert_eq!(much_later, after(&[(7, Change::DeviceResumed)]));
    }

    #[test]
    fn a_notice_is_sent_and_read_back_and_one_without_a_count_is_read_too() {
        let many = after(&[(0, Change::DeviceAdded), (1, Change::DeviceResumed)]);
        for notice in [many, after(&[(0, Change::DeviceAdded)])] {
            assert_eq!(Notice::of_words(&notice.words()), Some(notice));
        }
        assert_eq!(many.words(), "device-added 0 1 86400");
        assert_eq!(
            Notice::of_words("device-added 5"),
            Notice::for_change(Change::DeviceAdded, UnixTime::from_seconds(5))
        );
        for bad in ["", "device-added", "device-added x", "device-added 5 1", "device-added 5 1 6 7", "device-added 5 "]
        {
            assert_eq!(Notice::of_words(bad), None, "{bad:?}");
        }
    }
}
