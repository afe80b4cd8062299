//! How guessing is slowed down without locking the owner out (DESIGN section 3). Pure: values in, values out.
//!
//! Inside a few free failures and a daily budget one code is enough. Outside, two consecutive codes are asked for, some
//! time apart: a guess then succeeds with 3e-12 instead of 3e-6, while the owner still gets in. A hundred wrong answers
//! in a row disable (NIST SP 800-63B-4 section 3.2.2).

use std::time::Duration;

use crate::time::UnixTime;

/// What the administrator allows. Ranges are enforced where the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong answers in a row for which one code stays enough, 1 to 10.
    pub free_failures: u32,
    /// Wrong answers that one code stays enough for, refilled by one a day and not by success, 1 to 1000.
    pub budget: u32,
    /// The least time between two attempts once two codes are asked for, 1 second to 1 hour.
    pub spacing: Duration,
    /// Wrong answers in a row that disable, up to 100. Never unlimited.
    pub disable_after: u32,
}

/// How long one wrong answer weighs on the budget.
const REFILL: Duration = Duration::from_secs(86_400);

/// What an answer is checked against; each has its own count of failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The code of an authenticator.
    Otp,
    /// A recovery code.
    Recovery,
}

/// The memory of one user's failures: one lane over all services, methods and paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// Wrong answers since the last success of any kind.
    pub failures: u32,
    /// Wrong codes since the last right code.
    pub otp_failures: u32,
    /// Wrong recovery codes since the last right one.
    pub recovery_failures: u32,
    /// Wrong answers that the budget has not got back yet.
    pub spent: u32,
    /// The time up to which the budget was refilled.
    pub refilled: UnixTime,
    /// When the last wrong answer came.
    pub last_failure: UnixTime,
}

/// Whether an attempt may be verified now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Gate {
    /// Yes, with the answers at hand.
    Open,
    /// Yes, once the next code is there too.
    SecondCode,
    /// Not before this much time has passed, 1 second at least.
    Wait(Duration),
    /// Not until an administrator unlocks.
    Disabled,
}

/// How a user stands, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One code is enough.
    Normal,
    /// Two consecutive codes are asked for.
    StepUp,
    /// Codes are refused; recovery codes are not.
    Disabled,
}

impl Throttle {
    /// Whether an attempt by `method` with `codes` codes at hand may be verified at `now`.
    pub fn gate(&self, limits: &Limits, method: Method, codes: usize, now: UnixTime) -> Gate {
        if self.row(method) >= limits.disable_after {
            return Gate::Disabled;
        }
        if !self.step_up(limits, now) {
            return Gate::Open;
        }
        let rest = limits.spacing.saturating_sub(now.since(self.last_failure));
        if !rest.is_zero() {
            return Gate::Wait(rest);
        }
        match method {
            Method::Otp if codes < 2 => Gate::SecondCode,
            Method::Otp | Method::Recovery => Gate::Open,
        }
    }

    /// The lane with one more wrong answer. Written before the answer is looked at, and again if it was wrong.
    #[must_use]
    pub fn charged(&self, limits: &Limits, method: Method, now: UnixTime) -> Self {
        let mut next = self.refill(now);
        next.failures = next.failures.saturating_add(1);
        match method {
            Method::Otp => next.otp_failures = next.otp_failures.saturating_add(1),
            Method::Recovery => next.recovery_failures = next.recovery_failures.saturating_add(1),
        }
        // A bucket is not emptier than empty: guesses beyond the budget cost their maker two codes each, not the owner years.
        next.spent = next.spent.saturating_add(1).min(limits.budget);
        next.last_failure = next.last_failure.max(now);
        next
    }

    /// The lane after a right answer, from what it was before the charge. The budget stays spent.
    #[must_use]
    pub const fn accepted(&self, method: Method) -> Self {
        let mut next = *self;
        next.failures = 0;
        match method {
            Method::Otp => next.otp_failures = 0,
            Method::Recovery => next.recovery_failures = 0,
        }
        next
    }

    /// The lane after a new authenticator was bound: nothing is disabled any more, but the budget stays spent.
    #[must_use]
    pub const fn rebound(&self) -> Self {
        Self { failures: 0, otp_failures: 0, recovery_failures: 0, ..*self }
    }

    /// The lane with its last failure no later than `now`, if the clock was set back behind it; the wait then ends one
    /// spacing from now instead of when the old time comes again, which could be years.
    #[must_use]
    pub fn anchored(&self, now: UnixTime) -> Option<Self> {
        (self.last_failure > now).then_some(Self { last_failure: now, ..*self })
    }

    /// How the user stands at `now`.
    #[must_use]
    pub fn mode(&self, limits: &Limits, now: UnixTime) -> Mode {
        if self.otp_failures >= limits.disable_after {
            Mode::Disabled
        } else if self.step_up(limits, now) {
            Mode::StepUp
        } else {
            Mode::Normal
        }
    }

    /// Wrong answers left in the budget at `now`.
    #[must_use]
    pub fn budget_left(&self, limits: &Limits, now: UnixTime) -> u32 {
        limits.budget.saturating_sub(self.refill(now).spent)
    }

    /// When the next attempt will be looked at, if that is not now.
    #[must_use]
    pub fn next_attempt(&self, limits: &Limits, now: UnixTime) -> Option<UnixTime> {
        match self.gate(limits, Method::Recovery, 0, now) {
            Gate::Wait(rest) => Some(now.after(rest)),
            Gate::Open | Gate::SecondCode | Gate::Disabled => None,
        }
    }

    fn step_up(&self, limits: &Limits, now: UnixTime) -> bool {
        self.failures >= limits.free_failures || self.budget_left(limits, now) == 0
    }

    const fn row(&self, method: Method) -> u32 {
        match method {
            Method::Otp => self.otp_failures,
            Method::Recovery => self.recovery_failures,
        }
    }

    /// The budget with the days up to `now` given back; a clock set back gives nothing and takes nothing.
    fn refill(&self, now: UnixTime) -> Self {
        let days = now.since(self.refilled).as_secs().checked_div(REFILL.as_secs()).unwrap_or(0);
        let given = u32::try_from(days).unwrap_or(u32::MAX).min(self.spent);
        let spent = self.spent.saturating_sub(given);
        let refilled = if spent == 0 { self.refilled.max(now) } else { self.refilled.after(REFILL.saturating_mul(given)) };
        Self { spent, refilled, ..*self }
    }
}
