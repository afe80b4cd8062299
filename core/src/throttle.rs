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
const REFILL: Duration = Duration::from_hours(24);

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
    /// Not before this much time has passed; more than nothing.
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
        let refilled =
            if spent == 0 { self.refilled.max(now) } else { self.refilled.after(REFILL.saturating_mul(given)) };
        Self { spent, refilled, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits =
        Limits { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 };
    const DAY: u64 = 86_400;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_800_000_000 + seconds)
    }

    /// The lane after `count` wrong answers of one method at one time.
    fn after(count: u32, method: Method, now: UnixTime) -> Throttle {
        (0..count).fold(Throttle::default(), |lane, _| lane.charged(&LIMITS, method, now))
    }

    #[test]
    fn inside_the_free_failures_one_code_is_enough_and_then_two() {
        for (failures, gate) in [
            (0, Gate::Open),
            (2, Gate::Open),
            (3, Gate::SecondCode),
            (50, Gate::SecondCode),
            (99, Gate::SecondCode),
            (100, Gate::Disabled),
        ] {
            assert_eq!(after(failures, Method::Otp, at(0)).gate(&LIMITS, Method::Otp, 1, at(10)), gate, "{failures}");
        }
    }

    #[test]
    fn with_two_codes_at_hand_the_gate_is_open() {
        assert_eq!(after(3, Method::Otp, at(0)).gate(&LIMITS, Method::Otp, 2, at(10)), Gate::Open);
    }

    #[test]
    fn a_recovery_code_is_one_answer_in_every_mode() {
        for failures in [0, 3, 99, 100] {
            assert_eq!(after(failures, Method::Otp, at(0)).gate(&LIMITS, Method::Recovery, 0, at(10)), Gate::Open);
        }
    }

    #[test]
    fn recovery_codes_are_disabled_by_their_own_count() {
        let lane = after(100, Method::Recovery, at(0));
        assert_eq!(lane.gate(&LIMITS, Method::Recovery, 0, at(10)), Gate::Disabled);
        assert_eq!(lane.gate(&LIMITS, Method::Otp, 1, at(10)), Gate::SecondCode);
    }

    #[test]
    fn outside_attempts_are_spaced_and_told_how_long() {
        let lane = after(3, Method::Otp, at(0));
        for (now, left) in [(0, 10), (1, 9), (9, 1)] {
            for method in [Method::Otp, Method::Recovery] {
                assert_eq!(lane.gate(&LIMITS, method, 1, at(now)), Gate::Wait(Duration::from_secs(left)));
            }
        }
        assert_eq!(lane.next_attempt(&LIMITS, at(4)), Some(at(10)));
        assert_eq!(lane.next_attempt(&LIMITS, at(10)), None);
    }

    #[test]
    fn success_ends_the_row_and_leaves_the_budget_spent() {
        let lane = after(3, Method::Otp, at(0)).accepted(Method::Otp);
        assert_eq!((lane.failures, lane.otp_failures, lane.spent), (0, 0, 3));
        assert_eq!(lane.gate(&LIMITS, Method::Otp, 1, at(0)), Gate::Open);
    }

    #[test]
    fn a_recovery_code_does_not_lift_what_wrong_codes_disabled() {
        let lane = after(100, Method::Otp, at(0)).accepted(Method::Recovery);
        assert_eq!(lane.gate(&LIMITS, Method::Otp, 1, at(10)), Gate::Disabled);
    }

    #[test]
    fn the_budget_outlasts_success_and_comes_back_one_a_day() {
        let mut lane = Throttle::default();
        for _ in 0..15 {
            lane = lane.charged(&LIMITS, Method::Otp, at(0)).charged(&LIMITS, Method::Otp, at(0)).accepted(Method::Otp);
        }
        assert_eq!((lane.failures, lane.budget_left(&LIMITS, at(0))), (0, 0));
        for (now, left, gate) in [
            (10, 0, Gate::SecondCode),
            (DAY - 1, 0, Gate::SecondCode),
            (DAY, 1, Gate::Open),
            (7 * DAY + 5, 7, Gate::Open),
            (400 * DAY, 30, Gate::Open),
        ] {
            assert_eq!(
                (lane.budget_left(&LIMITS, at(now)), lane.gate(&LIMITS, Method::Otp, 1, at(now))),
                (left, gate),
                "{now}"
            );
        }
    }

    #[test]
    fn part_of_a_day_is_not_lost_when_more_is_charged() {
        let lane = after(2, Method::Otp, at(0)).charged(&LIMITS, Method::Otp, at(DAY / 2));
        assert_eq!(lane.budget_left(&LIMITS, at(DAY - 1)), 27);
        assert_eq!(lane.budget_left(&LIMITS, at(DAY)), 28);
    }

    #[test]
    fn a_clock_set_back_gives_nothing() {
        let lane = after(30, Method::Otp, at(100 * DAY));
        for now in [0, 50 * DAY, 100 * DAY - 1] {
            assert_eq!(lane.budget_left(&LIMITS, at(now)), 0);
            assert_eq!(lane.gate(&LIMITS, Method::Otp, 1, at(now)), Gate::Wait(LIMITS.spacing));
        }
    }

    #[test]
    fn after_a_clock_set_back_the_wait_is_one_spacing_not_years() {
        let lane = after(3, Method::Otp, at(1000 * DAY));
        let anchored = lane.anchored(at(0)).unwrap();
        assert_eq!(anchored.gate(&LIMITS, Method::Otp, 1, at(9)), Gate::Wait(Duration::from_secs(1)));
        assert_eq!(anchored.gate(&LIMITS, Method::Otp, 1, at(10)), Gate::SecondCode);
        assert_eq!((anchored.anchored(at(0)), anchored.anchored(at(10))), (None, None));
    }

    #[test]
    fn a_new_authenticator_lifts_the_row_and_not_the_budget() {
        let lane = after(100, Method::Otp, at(0)).rebound();
        assert_eq!((lane.mode(&LIMITS, at(10)), lane.budget_left(&LIMITS, at(10))), (Mode::StepUp, 0));
        assert_eq!(after(5, Method::Otp, at(0)).rebound().mode(&LIMITS, at(10)), Mode::Normal);
        let lane = after(100, Method::Recovery, at(0)).rebound();
        assert_eq!(lane.gate(&LIMITS, Method::Recovery, 0, at(10)), Gate::Open);
    }

    /// Something that happens to a lane.
    #[derive(Debug, Clone)]
    enum Event {
        Wrong(Method),
        Right(Method),
        Clock(i64),
    }

    fn event() -> impl Strategy<Value = Event> {
        let method = prop_oneof![Just(Method::Otp), Just(Method::Recovery)];
        prop_oneof![
            4 => method.clone().prop_map(Event::Wrong),
            1 => method.prop_map(Event::Right),
            3 => (-2 * DAY as i64..3 * DAY as i64).prop_map(Event::Clock),
        ]
    }

    proptest! {
        /// Whatever happens, and however the clock jumps: single codes that are looked at are bounded by what the row
        /// and the budget allow, with one more a day of the highest time that was ever seen.
        #[test]
        fn cheap_guesses_are_bounded(events in proptest::collection::vec(event(), 1..400)) {
            let (mut lane, mut now, mut highest) = (Throttle::default(), 10_000 * DAY, 10_000 * DAY);
            let (mut cheap, mut row) = (0u64, 0u32);
            for event in events {
                match event {
                    Event::Clock(by) => now = now.saturating_add_signed(by),
                    Event::Wrong(method) => match lane.gate(&LIMITS, method, 1, UnixTime::from_seconds(now)) {
                        Gate::Open => {
                            if method == Method::Otp && lane.mode(&LIMITS, UnixTime::from_seconds(now)) == Mode::Normal {
                                cheap += 1;
                                row += 1;
                                prop_assert!(row <= LIMITS.free_failures);
                            }
                            lane = lane.charged(&LIMITS, method, UnixTime::from_seconds(now));
                        }
                        Gate::SecondCode => lane = lane.charged(&LIMITS, method, UnixTime::from_seconds(now)),
                        Gate::Wait(rest) => {
                            prop_assert!(!rest.is_zero() && rest <= LIMITS.spacing);
                            lane = lane.anchored(UnixTime::from_seconds(now)).unwrap_or(lane);
                        }
                        Gate::Disabled => {}
                    },
                    Event::Right(method) => {
                        lane = lane.accepted(method);
                        row = 0;
                    }
                }
                highest = highest.max(now);
                prop_assert!(lane.spent <= LIMITS.budget);
                prop_assert!(cheap <= u64::from(LIMITS.budget) + (highest - 10_000 * DAY) / DAY);
            }
        }

        #[test]
        fn no_lane_makes_it_panic(
            numbers in proptest::array::uniform4(any::<u32>()), times in proptest::array::uniform3(any::<u64>())
        ) {
            let [failures, otp_failures, recovery_failures, spent] = numbers;
            let [refilled, last_failure, now] = times.map(UnixTime::from_seconds);
            let lane = Throttle { failures, otp_failures, recovery_failures, spent, refilled, last_failure };
            let charged = lane.charged(&LIMITS, Method::Otp, now);
            prop_assert!(charged.failures >= lane.failures && charged.last_failure >= lane.last_failure);
            let _ = (charged.gate(&LIMITS, Method::Otp, 1, now), charged.next_attempt(&LIMITS, now), charged.mode(&LIMITS, now));
        }
    }
}
