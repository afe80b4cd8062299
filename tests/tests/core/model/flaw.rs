//! Mistakes that others made, laid between the real code and its store, to see that the explorer finds each.

use twinlock_core::{record::Record, time::UnixTime};

use crate::given::phone;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The lock keeps nobody out.
    NoLock,
    /// The answer is judged, and the end told, before anything is written.
    RevealsEarly,
    /// A right answer takes its charge back twice.
    RefundsTwice,
    /// Failures that lie in the future are forgotten, as `rate_limit` of google-authenticator does.
    TrustsTheClock,
    /// The step of the host's clock is noted as the last one used, whatever was noted before.
    StepGoesBack,
    /// A sync does nothing.
    NoSync,
    /// Credentials that somebody stored who died before the sync are taken for durable.
    ForgetsEarly,
}

impl Flaw {
    /// The record as a process gets it that reads it at `now`.
    pub(super) fn read(self, mut record: Record, now: UnixTime) -> Record {
        if self == Self::TrustsTheClock && record.throttle.otp.last_failure > now {
            record.throttle.failures = 0;
        }
        record
    }

    /// The record that is written at `now` for the end of an attempt.
    pub(super) fn committed(self, mut record: Record, now: UnixTime) -> Record {
        let accepted = record.throttle.failures == 0;
        if self == Self::RefundsTwice && accepted {
            record.throttle.spent = record.throttle.spent.saturating_sub(1);
        }
        if self == Self::StepGoesBack && accepted {
            let step = phone(1).otp.step_at(now, twinlock_core::otp::ReplayState::default());
            record.uses.iter_mut().for_each(|used| used.last_step = step);
        }
        record
    }
}
