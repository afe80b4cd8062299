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
}

impl Change {
    const ALL: [Self; 12] = [
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
        }
    }

    /// The change of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }

    /// As people are told.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Enrolled => "A second factor was set up",
            Self::DeviceAdded => "An app or device was added",
            Self::Replaced => "The second factor was replaced by a new one",
            Self::RecoveryRenewed => "The recovery codes were renewed",
            Self::RecoveryIssued => "A one-time code was issued for the account",
            Self::DeviceRenamed => "An app or device was renamed",
            Self::DeviceSuspended => "An app or device was suspended",
            Self::DeviceResumed => "An app or device was switched on again",
            Self::DeviceRemoved => "An app or device was removed",
            Self::Removed => "The second factor was removed",
            Self::Resynced => "An app or device was set right by two codes",
            Self::Unlocked => "The failed attempts were cleared",
        }
    }

    /// How grave it is, from 1 on; `None` if the next logins do not tell of it, because its owner cannot miss it or because
    /// it lets nobody in.
    ///
    /// The order is by what an intruder has of it: the whole second factor; one more way in, beside which the owner's still
    /// works and raises no question; ten ways in, one login each; one such way; then what takes a way in from the owner, for good or for a
    /// while; last, what gives one back, or more guesses.
    const fn gravity(self) -> Option<u8> {
        match self {
            Self::Replaced => Some(8),
            Self::DeviceAdded => Some(7),
            Self::RecoveryRenewed => Some(6),
            Self::RecoveryIssued => Some(5),
            Self::DeviceRemoved => Some(4),
            Self::DeviceSuspended => Some(3),
            Self::DeviceResumed => Some(2),
            Self::Unlocked => Some(1),
            Self::Enrolled | Self::DeviceRenamed | Self::Removed | Self::Resynced => None,
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

    /// The notice after one more change: of the gravest, and of the later of two that are equally grave.
    #[must_use]
    pub fn after(before: Option<Self>, change: Change, at: UnixTime) -> Option<Self> {
        let (Some(new), Some(before)) = (Self::for_change(change, at), before.filter(|before| before.is_new(at)))
        else {
            return Self::for_change(change, at).or(before);
        };
        let gravest = if new.gravity() >= before.gravity() { new } else { before };
        Some(Self { others: before.others.saturating_add(1), latest: at, ..gravest })
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

    /// What is said at a login.
    #[must_use]
    #[inline(never)]
    pub fn describe(&self) -> String {
        let others = match self.others {
            0 => String::new(),
            1 => format!(" 1 other change was made; the latest of all was on {}.", self.latest),
            others => format!(" {others} other changes were made; the latest of all was on {}.", self.latest),
        };
        format!("{} on {}.{others} Was that not you? Tell your administrator.", self.change.describe(), self.at)
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

    const DAY: u64 = 86_400;

    fn after(changes: &[(u64, Change)]) -> Notice {
        let next =
            |before, (day, change): &(u64, Change)| Notice::after(before, *change, UnixTime::from_seconds(day * DAY));
        changes.iter().fold(None, next).unwrap()
    }

    #[test]
    fn a_lesser_change_does_not_hide_a_graver_one() {
        let told = |changes: &[(u64, Change)]| after(changes).describe();
        let end = "Was that not you? Tell your administrator.";
        assert_eq!(
            told(&[(0, Change::DeviceAdded)]),
            format!("An app or device was added on 1970-01-01T00:00:00Z. {end}")
        );
        assert_eq!(
            told(&[(0, Change::DeviceAdded), (1, Change::DeviceSuspended), (2, Change::DeviceResumed)]),
            format!(
                "An app or device was added on 1970-01-01T00:00:00Z. 2 other changes were made; the latest of all was on \
                 1970-01-03T00:00:00Z. {end}"
            )
        );
        assert_eq!(
            told(&[(0, Change::DeviceAdded), (1, Change::Replaced)]),
            format!(
                "The second factor was replaced by a new one on 1970-01-02T00:00:00Z. 1 other change was made; the latest of \
                 all was on 1970-01-02T00:00:00Z. {end}"
            )
        );
    }

    #[test]
    fn an_enrolment_inside_a_login_is_not_hidden_by_what_follows() {
        let at = |day: u64| UnixTime::from_seconds(day * DAY);
        let enrolled = Some(Notice::of_enrolment_in_login(at(0)));
        for change in [Change::Replaced, Change::DeviceAdded, Change::DeviceResumed] {
            let told = Notice::after(enrolled, change, at(1)).unwrap().describe();
            assert!(told.starts_with("A second factor was set up on 1970-01-01T00:00:00Z. 1 other change"), "{told}");
        }
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
