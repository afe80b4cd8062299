//! How guessing is slowed down without locking the owner out. Pure: values in, values out.
//!
//! Inside a few free failures and a daily budget one code is enough. Outside, two consecutive codes are asked for, some
//! time apart: a guess then succeeds with 3e-12 instead of 3e-6, while the owner still gets in. How far apart, and how
//! the owner is told from others, is in [`crate::spacing`]. A hundred wrong answers in a row disable (NIST SP 800-63B-4
//! section 3.2.2).

use std::time::Duration;

pub use crate::mode::Mode;
use crate::{
    policy::Network,
    spacing::{LoginPlace, Spacing},
    time::UnixTime,
};

/// What the administrator allows. Ranges are enforced where the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wrong answers in a row for which one code stays enough, 1 to 10.
    pub free_failures: u32,
    /// Wrong answers that one code stays enough for, refilled by one a day and not by success, 1 to 1000.
    pub budget: u32,
    /// The least time between two answers of one method once two codes are asked for, 1 second to 1 hour; see
    /// [`crate::spacing`].
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

/// The memory of one user's failures: one over all services, methods and paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Throttle {
    /// Wrong answers since the last success of any kind.
    pub failures: u32,
    /// Incorrect codes since the last correct one.
    pub otp_failures: u32,
    /// Incorrect recovery codes since the last correct one.
    pub recovery_failures: u32,
    /// Wrong answers that the budget has not got back yet.
    pub spent: u32,
    /// The time up to which the budget was refilled.
    pub refilled: UnixTime,
    /// When codes are looked at.
    pub otp: Spacing,
    /// When recovery codes are looked at.
    pub recovery: Spacing,
    /// The network of the last success that came from a known one.
    pub home: Option<Network>,
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

impl Throttle {
    /// Whether an attempt by `method` with `codes` codes at hand, from a network if it is known, may be verified at `now`.
    pub fn gate(&self, limits: &Limits, method: Method, codes: usize, network: Option<Network>, now: UnixTime) -> Gate {
        if self.is_disabled(limits, method) {
            return Gate::Disabled;
        }
        if !self.step_up(limits, now) {
            return Gate::Open;
        }
        let rest = self.spacing(method).wait(limits.spacing, self.place(network), now);
        if !rest.is_zero() {
            return Gate::Wait(rest);
        }
        match method {
            Method::Otp if codes < 2 => Gate::SecondCode,
            Method::Otp | Method::Recovery => Gate::Open,
        }
    }

    /// Whether no answer of this method is verified any more, until an administrator unlocks.
    #[must_use]
    pub const fn is_disabled(&self, limits: &Limits, method: Method) -> bool {
        self.consecutive_failures(method) >= limits.disable_after
    }

    /// The throttle with one more wrong answer. Written before the answer is looked at, and again if it was wrong.
    #[must_use]
    pub fn with_failure(&self, limits: &Limits, method: Method, network: Option<Network>, now: UnixTime) -> Self {
        let mode = if self.step_up(limits, now) { Mode::StepUp } else { Mode::Normal };
        let spacing = self.spacing(method).failed(limits.spacing, self.place(network), mode, now);
        let mut next = self.refill(now);
        next.failures = next.failures.saturating_add(1);
        match method {
            Method::Otp => {
                next.otp_failures = next.otp_failures.saturating_add(1);
                next.otp = spacing;
            }
            Method::Recovery => {
                next.recovery_failures = next.recovery_failures.saturating_add(1);
                next.recovery = spacing;
            }
        }
        // A bucket is not emptier than empty: guesses beyond the budget cost their maker two codes each, not the owner years.
        next.spent = next.spent.saturating_add(1).min(limits.budget);
        next
    }

    /// The throttle after a right answer, from what it was before the pending failure. What was taken from the budget is not given back.
    #[must_use]
    pub fn accepted(&self, method: Method, network: Option<Network>) -> Self {
        let mut next = self.clone();
        next.otp = next.otp.succeeded(network);
        next.recovery = next.recovery.succeeded(network);
        next.home = network.or(self.home);
        next.failures = 0;
        match method {
            Method::Otp => next.otp_failures = 0,
            Method::Recovery => next.recovery_failures = 0,
        }
        next
    }

    /// The throttle after a new authenticator was bound: nothing is disabled any more, but what was taken from the
    /// budget is not given back.
    #[must_use]
    pub fn after_reenrolment(&self) -> Self {
        Self { failures: 0, otp_failures: 0, recovery_failures: 0, ..self.clone() }
    }

    /// The throttle as an administrator unlocks it: nothing is left but where the owner last came from.
    #[must_use]
    pub fn unlocked(&self) -> Self {
        Self { home: self.home, ..Self::default() }
    }

    /// The throttle with no failure later than `now`, if the clock was set back behind one; the wait then begins now instead
    /// of when the old time comes again, which could be years.
    #[must_use]
    pub fn clamp_to(&self, now: UnixTime) -> Option<Self> {
        let clamped = Self { otp: self.otp.clamp_to(now), recovery: self.recovery.clamp_to(now), ..self.clone() };
        (clamped != *self).then_some(clamped)
    }

    /// How the user stands at `now`.
    #[must_use]
    pub fn mode(&self, limits: &Limits, now: UnixTime) -> Mode {
        if self.is_disabled(limits, Method::Otp) {
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

    /// When answers of every method are looked at again that come from a network without failures, if that is not now.
    #[must_use]
    pub fn next_attempt(&self, limits: &Limits, now: UnixTime) -> Option<UnixTime> {
        let waits = [&self.otp, &self.recovery].map(|spacing| spacing.common_wait(limits.spacing, now));
        let rest = waits.into_iter().max().filter(|rest| !rest.is_zero() && self.step_up(limits, now))?;
        Some(now.after(rest))
    }

    fn step_up(&self, limits: &Limits, now: UnixTime) -> bool {
        self.failures >= limits.free_failures || self.budget_left(limits, now) == 0
    }

    const fn spacing(&self, method: Method) -> &Spacing {
        match method {
            Method::Otp => &self.otp,
            Method::Recovery => &self.recovery,
        }
    }

    const fn place(&self, network: Option<Network>) -> LoginPlace {
        LoginPlace { network, home: self.home }
    }

    const fn consecutive_failures(&self, method: Method) -> u32 {
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
        Self { spent, refilled, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spacing::FailedNetwork;

    const LIMITS: Limits =
        Limits { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: 100 };
    const DAY: u64 = 86_400;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_800_000_000 + seconds)
    }

    /// The throttle after `count` wrong answers of one method at one time.
    fn after(count: u32, method: Method, now: UnixTime) -> Throttle {
        (0..count).fold(Throttle::default(), |throttle, _| throttle.with_failure(&LIMITS, method, None, now))
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
            assert_eq!(
                after(failures, Method::Otp, at(0)).gate(&LIMITS, Method::Otp, 1, None, at(10)),
                gate,
                "{failures}"
            );
        }
    }

    #[test]
    fn with_two_codes_at_hand_the_gate_is_open() {
        assert_eq!(after(3, Method::Otp, at(0)).gate(&LIMITS, Method::Otp, 2, None, at(10)), Gate::Open);
    }

    #[test]
    fn a_recovery_code_is_one_answer_in_every_mode() {
        for failures in [0, 3, 99, 100] {
            assert_eq!(
                after(failures, Method::Otp, at(0)).gate(&LIMITS, Method::Recovery, 0, None, at(10)),
                Gate::Open
            );
        }
    }

    #[test]
    fn recovery_codes_are_disabled_by_their_own_count() {
        let throttle = after(100, Method::Recovery, at(0));
        assert_eq!(throttle.gate(&LIMITS, Method::Recovery, 0, None, at(10)), Gate::Disabled);
        assert_eq!(throttle.gate(&LIMITS, Method::Otp, 1, None, at(10)), Gate::SecondCode);
    }

    #[test]
    fn outside_attempts_are_spaced_and_told_how_long() {
        for method in [Method::Otp, Method::Recovery] {
            let throttle = after(3, method, at(0));
            for (now, left) in [(0, 10), (1, 9), (9, 1)] {
                assert_eq!(throttle.gate(&LIMITS, method, 1, None, at(now)), Gate::Wait(Duration::from_secs(left)));
            }
            assert_eq!(throttle.next_attempt(&LIMITS, at(4)), Some(at(10)));
            assert_eq!(throttle.next_attempt(&LIMITS, at(10)), None);
            assert_eq!(after(2, method, at(0)).next_attempt(&LIMITS, at(4)), None);
        }
    }

    #[test]
    fn codes_and_recovery_codes_do_not_hold_each_other_up() {
        for (failed, other, gate) in
            [(Method::Otp, Method::Recovery, Gate::Open), (Method::Recovery, Method::Otp, Gate::SecondCode)]
        {
            let throttle = after(3, failed, at(0));
            assert_eq!(throttle.gate(&LIMITS, other, 0, None, at(0)), gate, "{failed:?}");
            let next = throttle.with_failure(&LIMITS, other, None, at(4)).with_failure(&LIMITS, failed, None, at(5));
            assert_eq!(next.gate(&LIMITS, other, 0, None, at(5)), Gate::Wait(Duration::from_secs(9)));
            assert_eq!(next.next_attempt(&LIMITS, at(5)), Some(at(15)));
        }
    }

    fn network(last: u32) -> Network {
        Network::parse(&format!("192.0.2.{last}")).unwrap()
    }

    #[test]
    fn home_is_where_the_last_success_came_from_that_came_from_a_network() {
        let throttle = after(3, Method::Otp, at(0));
        assert_eq!(throttle.home, None);
        for method in [Method::Otp, Method::Recovery] {
            let home = throttle.accepted(method, Some(network(1)));
            assert_eq!(home.home, Some(network(1)));
            assert_eq!(home.accepted(method, None).home, Some(network(1)));
            assert_eq!(home.accepted(method, Some(network(2))).home, Some(network(2)));
            assert_eq!(home.after_reenrolment().home, Some(network(1)));
            assert_eq!(home.unlocked(), Throttle { home: Some(network(1)), ..Throttle::default() });
        }
    }

    #[test]
    fn a_success_ends_the_consecutive_failures_of_its_network_for_both_methods() {
        for failed in [Method::Otp, Method::Recovery] {
            for succeeded in [Method::Otp, Method::Recovery] {
                let throttle = (0..5).fold(Throttle::default(), |throttle, _| {
                    throttle.with_failure(&LIMITS, failed, Some(network(2)), at(0))
                });
                assert_eq!(throttle.spacing(failed).networks[0].failures, 2);
                assert_eq!(throttle.accepted(succeeded, Some(network(2))).spacing(failed).networks[0].failures, 0);
                assert_eq!(throttle.accepted(succeeded, Some(network(3))).spacing(failed).networks[0].failures, 2);
            }
        }
    }

    #[test]
    fn home_is_not_held_up_by_failures_elsewhere() {
        let home = Throttle::default().accepted(Method::Otp, Some(network(1)));
        for elsewhere in [None, Some(network(2))] {
            for method in [Method::Otp, Method::Recovery] {
                let throttle =
                    (0..3).fold(home.clone(), |throttle, _| throttle.with_failure(&LIMITS, method, elsewhere, at(0)));
                let gate = |from| throttle.gate(&LIMITS, method, 2, from, at(0));
                assert_eq!(gate(Some(network(1))), Gate::Open);
                for other in [None, Some(network(2)), Some(network(3))] {
                    assert_eq!(gate(other), Gate::Wait(LIMITS.spacing), "{other:?}");
                }
            }
        }
    }

    #[test]
    fn a_network_that_fails_again_waits_longer_than_others() {
        let throttle = (0..3).fold(Throttle::default(), |throttle, _| {
            throttle.with_failure(&LIMITS, Method::Otp, Some(network(2)), at(0))
        });
        let throttle = throttle.with_failure(&LIMITS, Method::Otp, Some(network(2)), at(10));
        assert_eq!(
            throttle.gate(&LIMITS, Method::Otp, 2, Some(network(2)), at(19)),
            Gate::Wait(Duration::from_secs(1))
        );
        let throttle = throttle.with_failure(&LIMITS, Method::Otp, Some(network(2)), at(20));
        assert_eq!(
            throttle.gate(&LIMITS, Method::Otp, 2, Some(network(2)), at(30)),
            Gate::Wait(Duration::from_secs(10))
        );
        assert_eq!(throttle.gate(&LIMITS, Method::Otp, 2, Some(network(3)), at(30)), Gate::Open);
        assert_eq!(throttle.gate(&LIMITS, Method::Recovery, 0, Some(network(2)), at(20)), Gate::Open);
        let throttle = throttle.accepted(Method::Otp, Some(network(2)));
        let throttle = Throttle { spent: LIMITS.budget, refilled: at(0), ..throttle };
        assert_eq!(throttle.gate(&LIMITS, Method::Otp, 2, Some(network(2)), at(30)), Gate::Open, "no more in a row");
    }

    #[test]
    fn success_ends_the_consecutive_failures_and_leaves_the_budget_spent() {
        let throttle = after(3, Method::Otp, at(0)).accepted(Method::Otp, None);
        assert_eq!((throttle.failures, throttle.otp_failures, throttle.spent), (0, 0, 3));
        assert_eq!(throttle.gate(&LIMITS, Method::Otp, 1, None, at(0)), Gate::Open);
    }

    #[test]
    fn a_recovery_code_does_not_lift_what_wrong_codes_disabled() {
        let throttle = after(100, Method::Otp, at(0)).accepted(Method::Recovery, None);
        assert_eq!(throttle.gate(&LIMITS, Method::Otp, 1, None, at(10)), Gate::Disabled);
    }

    #[test]
    fn the_budget_outlasts_success_and_comes_back_one_a_day() {
        let mut throttle = Throttle::default();
        for _ in 0..15 {
            throttle = throttle
                .with_failure(&LIMITS, Method::Otp, None, at(0))
                .with_failure(&LIMITS, Method::Otp, None, at(0))
                .accepted(Method::Otp, None);
        }
        assert_eq!((throttle.failures, throttle.budget_left(&LIMITS, at(0))), (0, 0));
        for (now, left, gate) in [
            (10, 0, Gate::SecondCode),
            (DAY - 1, 0, Gate::SecondCode),
            (DAY, 1, Gate::Open),
            (7 * DAY + 5, 7, Gate::Open),
            (400 * DAY, 30, Gate::Open),
        ] {
            assert_eq!(
                (throttle.budget_left(&LIMITS, at(now)), throttle.gate(&LIMITS, Method::Otp, 1, None, at(now))),
                (left, gate),
                "{now}"
            );
        }
    }

    #[test]
    fn part_of_a_day_is_not_lost_when_more_is_charged() {
        let throttle = after(2, Method::Otp, at(0)).with_failure(&LIMITS, Method::Otp, None, at(DAY / 2));
        assert_eq!(throttle.budget_left(&LIMITS, at(DAY - 1)), 27);
        assert_eq!(throttle.budget_left(&LIMITS, at(DAY)), 28);
    }

    #[test]
    fn a_clock_set_back_gives_nothing() {
        let throttle = after(30, Method::Otp, at(100 * DAY));
        for now in [0, 50 * DAY, 100 * DAY - 1] {
            assert_eq!(throttle.budget_left(&LIMITS, at(now)), 0);
            assert_eq!(throttle.gate(&LIMITS, Method::Otp, 1, None, at(now)), Gate::Wait(LIMITS.spacing));
        }
    }

    #[test]
    fn after_a_clock_set_back_the_wait_is_one_spacing_not_years() {
        for (method, gate) in [(Method::Otp, Gate::SecondCode), (Method::Recovery, Gate::Open)] {
            let throttle = after(3, method, at(1000 * DAY));
            let clamped = throttle.clamp_to(at(0)).unwrap();
            assert_eq!(clamped.gate(&LIMITS, method, 1, None, at(9)), Gate::Wait(Duration::from_secs(1)));
            assert_eq!(clamped.gate(&LIMITS, method, 1, None, at(10)), gate);
            assert_eq!((clamped.clamp_to(at(0)), clamped.clamp_to(at(10))), (None, None));
        }
    }

    #[test]
    fn a_new_authenticator_lifts_the_consecutive_failures_and_not_the_budget() {
        let throttle = after(100, Method::Otp, at(0)).after_reenrolment();
        assert_eq!((throttle.mode(&LIMITS, at(10)), throttle.budget_left(&LIMITS, at(10))), (Mode::StepUp, 0));
        assert_eq!(after(5, Method::Otp, at(0)).after_reenrolment().mode(&LIMITS, at(10)), Mode::Normal);
        let throttle = after(100, Method::Recovery, at(0)).after_reenrolment();
        assert_eq!(throttle.gate(&LIMITS, Method::Recovery, 0, None, at(10)), Gate::Open);
    }

    /// Something that happens to a throttle.
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
            let (mut throttle, mut now, mut highest) = (Throttle::default(), 10_000 * DAY, 10_000 * DAY);
            let (mut cheap, mut row) = (0u64, 0u32);
            for event in events {
                match event {
                    Event::Clock(by) => now = now.saturating_add_signed(by),
                    Event::Wrong(method) => match throttle.gate(&LIMITS, method, 1, None, UnixTime::from_seconds(now)) {
                        Gate::Open => {
                            if method == Method::Otp && throttle.mode(&LIMITS, UnixTime::from_seconds(now)) == Mode::Normal {
                                cheap += 1;
                                row += 1;
                                prop_assert!(row <= LIMITS.free_failures);
                            }
                            throttle = throttle.with_failure(&LIMITS, method, None, UnixTime::from_seconds(now));
                        }
                        Gate::SecondCode => throttle = throttle.with_failure(&LIMITS, method, None, UnixTime::from_seconds(now)),
                        Gate::Wait(rest) => {
                            prop_assert!(!rest.is_zero() && rest <= LIMITS.spacing);
                            throttle = throttle.clamp_to(UnixTime::from_seconds(now)).unwrap_or(throttle);
                        }
                        Gate::Disabled => {}
                    },
                    Event::Right(method) => {
                        throttle = throttle.accepted(method, None);
                        row = 0;
                    }
                }
                highest = highest.max(now);
                prop_assert!(throttle.spent <= LIMITS.budget);
                prop_assert!(cheap <= u64::from(LIMITS.budget) + (highest - 10_000 * DAY) / DAY);
            }
        }

        /// However many networks answer, and whatever the clock does: of each method no more wrong answers are looked at
        /// in step-up than one a spacing of the time by which the clock was moved on, and a few. A success may add one:
        /// it was no guess.
        #[test]
        fn wrong_answers_of_all_networks_together_are_spaced(
            events in proptest::collection::vec((event(), 0..8u32, -15..30i64), 1..400)
        ) {
            let (mut throttle, mut now, mut passed, mut successes) = (Throttle::default(), 10_000 * DAY, 0, 0);
            let mut looked_at = [0, 0];
            for (event, last, seconds) in events {
                let (from, by) = (Some(network(last)).filter(|_| last > 0), match event {
                    Event::Clock(by) => by,
                    Event::Wrong(_) | Event::Right(_) => seconds,
                });
                now = now.saturating_add_signed(by);
                passed += u64::try_from(by).unwrap_or(0);
                let (Event::Wrong(method) | Event::Right(method)) = event else { continue };
                let time = UnixTime::from_seconds(now);
                match (throttle.gate(&LIMITS, method, 2, from, time), &event) {
                    (Gate::Open, Event::Wrong(_)) => {
                        looked_at[usize::from(method == Method::Otp)] += u64::from(throttle.step_up(&LIMITS, time));
                        throttle = throttle.with_failure(&LIMITS, method, from, time);
                    }
                    (Gate::Open, _) => {
                        throttle = throttle.accepted(method, from);
                        successes += 1;
                    }
                    (Gate::Wait(rest), _) => {
                        prop_assert!(!rest.is_zero() && rest <= 32 * LIMITS.spacing);
                        let clamped = throttle.clamp_to(time).unwrap_or_else(|| throttle.clone());
                        prop_assert_eq!(clamped.gate(&LIMITS, method, 2, from, time), Gate::Wait(rest));
                        throttle = clamped;
                    }
                    (Gate::SecondCode | Gate::Disabled, _) => {}
                }
                for looked_at in looked_at {
                    prop_assert!(10 * looked_at <= passed + 10 * (4 + successes), "{} in {} s", looked_at, passed);
                }
            }
        }

        #[test]
        fn no_lane_makes_it_panic(
            numbers in proptest::array::uniform6(any::<u32>()), times in proptest::array::uniform3(any::<u64>())
        ) {
            let [failures, otp_failures, recovery_failures, spent, extra, in_a_row] = numbers;
            let [refilled, last_failure, now] = times.map(UnixTime::from_seconds);
            let failed = FailedNetwork { network: network(1), failures: in_a_row, last_failure };
            let otp = Spacing { last_failure, extra, networks: vec![failed] };
            let (recovery, home) = (otp.clone(), Some(network(1)));
            let throttle = Throttle { failures, otp_failures, recovery_failures, spent, refilled, otp, recovery, home };
            let charged = throttle.with_failure(&LIMITS, Method::Otp, home, now);
            prop_assert!(charged.failures >= throttle.failures && charged.otp.last_failure >= throttle.otp.last_failure);
            let _ = charged.gate(&LIMITS, Method::Otp, 1, home, now);
            let _ = (charged.gate(&LIMITS, Method::Otp, 1, None, now), charged.next_attempt(&LIMITS, now), charged.mode(&LIMITS, now));
        }
    }
}
