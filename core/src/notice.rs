//! What happened to a second factor: the words of the log, of a mail, and of what the next logins are told.

use std::time::Duration;

use crate::{
    document::{Mistake, Table, integer, string},
    time::UnixTime,
};

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
}

impl Change {
    const ALL: [Self; 10] = [
        Self::Enrolled,
        Self::DeviceAdded,
        Self::Replaced,
        Self::RecoveryRenewed,
        Self::DeviceRenamed,
        Self::DeviceSuspended,
        Self::DeviceResumed,
        Self::DeviceRemoved,
        Self::Removed,
        Self::Resynced,
    ];

    /// As the log and the record spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::DeviceAdded => "device-added",
            Self::Replaced => "replaced",
            Self::RecoveryRenewed => "recovery-codes-renewed",
            Self::DeviceRenamed => "device-renamed",
            Self::DeviceSuspended => "device-suspended",
            Self::DeviceResumed => "device-resumed",
            Self::DeviceRemoved => "device-removed",
            Self::Removed => "removed",
            Self::Resynced => "resynced",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }

    /// As people are told.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Enrolled => "A second factor was set up",
            Self::DeviceAdded => "An app or device was added",
            Self::Replaced => "The second factor was replaced by a new one",
            Self::RecoveryRenewed => "The recovery codes were renewed",
            Self::DeviceRenamed => "An app or device was renamed",
            Self::DeviceSuspended => "An app or device was suspended",
            Self::DeviceResumed => "An app or device was switched on again",
            Self::DeviceRemoved => "An app or device was removed",
            Self::Removed => "The second factor was removed",
            Self::Resynced => "An app or device was set right by two codes",
        }
    }

    /// Whether the next logins tell of it. Not what its owner cannot miss, and not what lets nobody in.
    const fn is_noticed(self) -> bool {
        match self {
            Self::DeviceAdded
            | Self::Replaced
            | Self::RecoveryRenewed
            | Self::DeviceSuspended
            | Self::DeviceResumed
            | Self::DeviceRemoved => true,
            Self::Enrolled | Self::DeviceRenamed | Self::Removed | Self::Resynced => false,
        }
    }
}

/// The last change of a second factor, which every login tells of for a week: an intruder who changed it cannot use the
/// notice up by logging in first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    change: Change,
    at: UnixTime,
}

impl Notice {
    /// For so long.
    pub const SPAN: Duration = Duration::from_hours(7 * 24);

    /// A notice of a change, if it is worth one.
    #[must_use]
    pub fn of(change: Change, at: UnixTime) -> Option<Self> {
        change.is_noticed().then_some(Self { change, at })
    }

    /// Whether it is still told of.
    #[must_use]
    pub fn is_new(&self, now: UnixTime) -> bool {
        now.since(self.at) < Self::SPAN
    }

    /// What is said at a login.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} on {}. Was that not you? Tell your administrator.", self.change.told(), self.at)
    }

    /// As the broker sends it: change and seconds.
    pub(crate) fn words(&self) -> String {
        format!("{} {}", self.change.name(), self.at.seconds())
    }

    /// The same as it came.
    pub(crate) fn of_words(words: &str) -> Option<Self> {
        let (name, at) = words.split_once(' ')?;
        Some(Self { change: Change::named(name)?, at: UnixTime::from_seconds(at.parse().ok()?) })
    }

    pub(crate) fn take(mut table: Table<'_>) -> Result<Self, Mistake> {
        let change =
            table.required("change", |value| Change::named(string(value)?).ok_or_else(|| "no change".into()))?;
        let notice = Self { change, at: UnixTime::from_seconds(table.required("at", integer)?) };
        table.end()?;
        Ok(notice)
    }

    pub(crate) fn write(&self, out: &mut String) -> std::fmt::Result {
        use std::fmt::Write as _;
        writeln!(out, "[notice]\nchange = \"{}\"\nat = {}", self.change.name(), self.at.seconds())
    }
}
