//! The emergency: for a limited time root lets everybody log in without a second factor, whatever the rules say.
//!
//! Its end is a point of the clock that starts with the host and that nobody can set. A wall clock that is a year off, or
//! that is set right in between, neither prolongs the emergency nor ends it early.

use std::time::Duration;

use super::{Decision, SecondFactor};
use crate::time::UnixTime;

/// The longest emergency that can be ordered.
pub const LONGEST_EMERGENCY: Duration = Duration::from_hours(24);

/// What root has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emergency {
    /// The boot in which it began, by the kernel's random id. It does not outlive it.
    pub boot: String,
    /// When it ends: time since that boot.
    pub until: Duration,
}

/// The evidence that an emergency is in force.
///
/// ```compile_fail,E0451
/// use std::time::Duration;
/// let forged = twinlock_core::policy::EmergencyInForce { left: Duration::from_hours(1) };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmergencyInForce {
    left: Duration,
}

impl Emergency {
    /// Whether it is in force in this boot, at this time since it began: not when it is over, and not when it ends later than
    /// any that can be ordered.
    #[must_use]
    pub fn in_force(&self, boot: &str, since_boot: Duration) -> Option<EmergencyInForce> {
        let left = self.until.checked_sub(since_boot)?;
        let valid = !left.is_zero() && left <= LONGEST_EMERGENCY && self.boot == boot && !boot.is_empty();
        valid.then_some(EmergencyInForce { left })
    }
}

impl EmergencyInForce {
    /// How long it lasts from now on.
    #[must_use]
    pub const fn left(self) -> Duration {
        self.left
    }

    /// When it ends, by a wall clock that shows `now`.
    #[must_use]
    pub const fn end(self, now: UnixTime) -> UnixTime {
        now.after(self.left)
    }

    /// What holds for every login meanwhile.
    pub const fn decision(self) -> Decision<'static> {
        Decision { second_factor: SecondFactor::Skip, remember: None, rule: None, doubt: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emergency_ends_by_itself_and_with_its_boot() {
        const HOUR: u64 = 3600;
        let at = |seconds| Duration::from_secs(seconds);
        let ordered = |until| Emergency { boot: "b1".into(), until: at(until) };
        let left = |until, boot, now| ordered(until).in_force(boot, at(now)).map(EmergencyInForce::left);
        for (until, boot, now, wanted) in [
            (HOUR, "b1", 0, Some(at(HOUR))),
            (HOUR, "b1", HOUR - 1, Some(at(1))),
            (HOUR, "b1", HOUR, None),
            (HOUR, "b1", 2 * HOUR, None),
            // Another boot, whose clock has begun anew.
            (HOUR, "b2", 0, None),
            (HOUR, "", 0, None),
            // Nobody could have ordered it.
            (24 * HOUR, "b1", 0, Some(at(24 * HOUR))),
            (24 * HOUR + 1, "b1", 0, None),
            (u64::MAX, "b1", HOUR, None),
        ] {
            assert_eq!(left(until, boot, now), wanted, "{until} {boot} {now}");
        }
        assert_eq!(Emergency { boot: String::new(), until: at(HOUR) }.in_force("", at(0)), None);
    }
}
