//! How far apart answers are looked at while two codes are asked for: the memory of one method, codes or recovery codes.
//! Pure.
//!
//! Two waits apply to an answer, and the longer one decides.
//!
//! - The **common** wait is one spacing after each wrong answer, whatever network it came from.
//! - The wait of the **network** that the answer comes from is one spacing after its first wrong answer in a row, and
//!   doubles with each further one, up to 32 spacings. Somebody who guesses without a pause from one network soon has
//!   one answer in 32 spacings looked at, and leaves the rest of the time to the owner.
//!
//! The **home** network, from which the last success came, has no common wait: failures elsewhere do not hold it up. Each
//! failure at home makes the common wait one spacing longer instead of starting it anew. So over time no more than one
//! wrong answer a spacing is looked at, from however many networks.
//!
//! A login without a usable address has the common wait alone.

use std::time::Duration;

use crate::{mode::Mode, policy::Network, time::UnixTime};

/// What is known of the wrong answers of one method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spacing {
    /// When the last wrong answer came.
    pub last_failure: UnixTime,
    /// Seconds that the common wait lasts beyond one spacing after the last wrong answer.
    pub extra: u32,
    /// The networks that failed lately, at most [`Spacing::MOST_NETWORKS`].
    pub networks: Vec<FailedNetwork>,
}

/// A network that wrong answers came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedNetwork {
    pub network: Network,
    /// Wrong answers in a row while two codes were asked for.
    pub failures: u32,
    /// When the last wrong answer came.
    pub last_failure: UnixTime,
}

/// Where an answer comes from, as far as waiting is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginPlace {
    /// The network; `None` if the application named no usable address.
    pub network: Option<Network>,
    /// The network of the last success.
    pub home: Option<Network>,
}

/// The longest wait of a network is the spacing doubled so many times.
const MOST_DOUBLINGS: u32 = 5;
/// A network's failures are forgotten when its wait has been over for so long.
const MEMORY: Duration = Duration::from_hours(1);
/// The common wait goes on for at most so many spacings beyond the first. It stays below that unless the configured
/// spacing is made shorter.
const MOST_EXTRA: u32 = 3;

impl Spacing {
    /// The most networks that are kept; the one that failed the longest time ago gives way, the home network never.
    pub const MOST_NETWORKS: usize = 4;

    /// How long an answer from `place` must still wait at `now`.
    #[must_use]
    pub fn wait(&self, spacing: Duration, place: LoginPlace, now: UnixTime) -> Duration {
        let own = self.entry(place.network).map_or(Duration::ZERO, |entry| entry.wait(spacing, now));
        if place.is_home() { own } else { own.max(self.common_wait(spacing, now)) }
    }

    /// How long an answer from a network without failures of its own must still wait at `now`.
    #[must_use]
    pub fn common_wait(&self, spacing: Duration, now: UnixTime) -> Duration {
        let extra = Duration::from_secs(self.extra.into()).min(spacing.saturating_mul(MOST_EXTRA));
        spacing.saturating_add(extra).saturating_sub(now.since(self.last_failure))
    }

    /// With one more wrong answer from `place`, given in this mode.
    #[must_use]
    pub fn failed(&self, spacing: Duration, place: LoginPlace, mode: Mode, now: UnixTime) -> Self {
        let left = self.common_wait(spacing, now);
        let extra = match mode {
            Mode::StepUp | Mode::Disabled if place.is_home() => left,
            Mode::Normal | Mode::StepUp | Mode::Disabled => left.saturating_sub(spacing),
        };
        let extra = u32::try_from(extra.as_secs()).unwrap_or(u32::MAX);
        let mut next = Self { last_failure: self.last_failure.max(now), extra, networks: self.networks.clone() };
        next.networks.retain(|entry| !entry.is_forgotten(spacing, now));
        if let Some(network) = place.network {
            next.record_failed_network(network, place.home, mode, now);
        }
        next
    }

    /// After a success from `network`: its failures are no longer in a row. When it last failed is kept, so that a
    /// success does not shorten a wait.
    #[must_use]
    pub fn succeeded(&self, network: Option<Network>) -> Self {
        let mut next = self.clone();
        for entry in next.networks.iter_mut().filter(|entry| Some(entry.network) == network) {
            entry.failures = 0;
        }
        next
    }

    /// With no time later than `now`.
    #[must_use]
    pub fn clamp_to(&self, now: UnixTime) -> Self {
        let mut next = self.clone();
        next.last_failure = next.last_failure.min(now);
        for entry in &mut next.networks {
            entry.last_failure = entry.last_failure.min(now);
        }
        next
    }

    fn entry(&self, network: Option<Network>) -> Option<&FailedNetwork> {
        self.networks.iter().find(|entry| Some(entry.network) == network)
    }

    fn record_failed_network(&mut self, network: Network, home: Option<Network>, mode: Mode, now: UnixTime) {
        let counted = match mode {
            Mode::Normal => 0,
            Mode::StepUp | Mode::Disabled => 1,
        };
        if let Some(entry) = self.networks.iter_mut().find(|entry| entry.network == network) {
            entry.failures = entry.failures.saturating_add(counted);
            entry.last_failure = entry.last_failure.max(now);
            return;
        }
        if self.networks.len() >= Self::MOST_NETWORKS {
            let others = self.networks.iter().enumerate().filter(|(_, entry)| Some(entry.network) != home);
            if let Some((oldest, _)) = others.min_by_key(|(_, entry)| entry.last_failure) {
                self.networks.remove(oldest);
            }
        }
        self.networks.push(FailedNetwork { network, failures: counted, last_failure: now });
    }
}

impl FailedNetwork {
    fn whole_wait(&self, spacing: Duration) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(MOST_DOUBLINGS);
        spacing.saturating_mul(1u32.checked_shl(doublings).unwrap_or(1))
    }

    fn wait(&self, spacing: Duration, now: UnixTime) -> Duration {
        self.whole_wait(spacing).saturating_sub(now.since(self.last_failure))
    }

    fn is_forgotten(&self, spacing: Duration, now: UnixTime) -> bool {
        now.since(self.last_failure) >= self.whole_wait(spacing).saturating_add(MEMORY)
    }
}

impl LoginPlace {
    fn is_home(self) -> bool {
        self.network.is_some() && self.network == self.home
    }
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Duration = Duration::from_secs(10);
    const HOUR: u64 = 3_600;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(1_800_000_000 + seconds)
    }

    fn network(last: u8) -> Network {
        Network::parse(&format!("192.0.2.{last}")).unwrap()
    }

    fn from(last: u8) -> LoginPlace {
        LoginPlace { network: Some(network(last)), home: Some(network(1)) }
    }

    const NOWHERE: LoginPlace = LoginPlace { network: None, home: None };

    /// Seconds to wait from this place.
    fn wait(spacing: &Spacing, place: LoginPlace, now: u64) -> u64 {
        spacing.wait(S, place, at(now)).as_secs()
    }

    /// After wrong answers in step-up from these networks at these seconds.
    fn after(failures: &[(u8, u64)]) -> Spacing {
        failures.iter().fold(Spacing::default(), |all, (last, now)| all.failed(S, from(*last), Mode::StepUp, at(*now)))
    }

    #[test]
    fn a_network_waits_twice_as_long_after_each_failure_up_to_32_spacings() {
        let mut spacing = Spacing::default();
        for (failures, seconds) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 320), (7, 320), (8, 320)] {
            spacing = spacing.failed(S, from(7), Mode::StepUp, at(failures * 1_000));
            assert_eq!(wait(&spacing, from(7), failures * 1_000), seconds, "{failures}");
            assert_eq!(wait(&spacing, from(7), failures * 1_000 + seconds - 1), 1, "{failures}");
            assert_eq!(wait(&spacing, from(7), failures * 1_000 + seconds), 0, "{failures}");
            assert_eq!(wait(&spacing, from(8), failures * 1_000), 10, "another network");
            assert_eq!(wait(&spacing, NOWHERE, failures * 1_000), 10, "no network");
        }
    }

    #[test]
    fn without_a_network_the_wait_is_the_common_one_and_does_not_grow() {
        let failed = |spacing: Spacing, now| spacing.failed(S, NOWHERE, Mode::StepUp, at(now));
        let spacing = (0..8).fold(Spacing::default(), |spacing, number| failed(spacing, number * 10));
        assert_eq!((wait(&spacing, NOWHERE, 70), wait(&spacing, from(7), 79), wait(&spacing, from(7), 80)), (10, 1, 0));
        assert_eq!(spacing.networks, []);
    }

    #[test]
    fn free_failures_make_everybody_wait_one_spacing_and_are_not_counted() {
        let free = |spacing: Spacing, last| spacing.failed(S, from(last), Mode::Normal, at(0));
        let spacing = [7, 7, 1, 1, 7].into_iter().fold(Spacing::default(), free);
        for last in [1, 7, 8] {
            assert_eq!((wait(&spacing, from(last), 0), wait(&spacing, from(last), 9)), (10, 1), "{last}");
            assert_eq!(wait(&spacing, from(last), 10), 0, "{last}");
        }
        let spacing = spacing.failed(S, from(7), Mode::StepUp, at(10));
        assert_eq!(wait(&spacing, from(7), 10), 10, "the first that is counted");
    }

    #[test]
    fn home_waits_for_its_own_failures_alone_and_others_wait_for_them_too() {
        let spacing = after(&[(7, 0)]);
        assert_eq!(wait(&spacing, from(1), 0), 0);
        let spacing = spacing.failed(S, from(1), Mode::StepUp, at(4));
        assert_eq!(
            (wait(&spacing, from(1), 4), wait(&spacing, from(8), 4)),
            (10, 16),
            "6 s were left and 10 are added"
        );
        let spacing = spacing.failed(S, from(1), Mode::StepUp, at(14));
        assert_eq!((wait(&spacing, from(1), 14), wait(&spacing, from(8), 14)), (20, 16));
        assert_eq!(wait(&spacing, LoginPlace { network: None, home: None }, 14), 16, "no network is not home");
    }

    #[test]
    fn the_network_that_failed_longest_ago_gives_way_and_home_does_not() {
        let spacing = after(&[(1, 0), (2, 1), (3, 2), (4, 3), (2, 4), (5, 5)]);
        let kept: Vec<_> = spacing.networks.iter().map(|entry| (entry.network, entry.failures)).collect();
        assert_eq!(kept, [(network(1), 1), (network(2), 2), (network(4), 1), (network(5), 1)]);
        let spacing = spacing.failed(S, LoginPlace { home: None, ..from(6) }, Mode::StepUp, at(6));
        let kept: Vec<_> = spacing.networks.iter().map(|entry| entry.network).collect();
        assert_eq!(kept, [2, 4, 5, 6].map(network), "there is no home any more");
    }

    #[test]
    fn failures_are_forgotten_an_hour_after_their_wait() {
        let twice = after(&[(7, 0), (7, 100)]);
        let later = |now| twice.failed(S, from(8), Mode::StepUp, at(now)).networks.len();
        assert_eq!((later(100 + 20 + HOUR - 1), later(100 + 20 + HOUR)), (2, 1));
    }

    #[test]
    fn a_success_ends_the_row_of_its_network_and_shortens_no_wait_below_one_spacing() {
        let spacing = after(&[(7, 0), (7, 10), (7, 30), (8, 70)]);
        assert_eq!((wait(&spacing, from(7), 71), wait(&spacing, from(8), 71)), (9, 9));
        assert_eq!(spacing.networks[0].failures, 3);
        let succeeded = spacing.succeeded(Some(network(7)));
        assert_eq!(succeeded.networks.iter().map(|entry| entry.failures).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(wait(&succeeded, LoginPlace { home: Some(network(7)), ..from(7) }, 35), 5);
        assert_eq!(spacing.succeeded(None), spacing);
    }

    #[test]
    fn a_clock_set_back_makes_a_wait_begin_anew_and_no_longer() {
        let spacing = after(&[(8, 1_000_000), (7, 2_000_000), (7, 2_000_010)]);
        assert_eq!((wait(&spacing, from(7), 0), wait(&spacing, from(9), 0)), (20, 10));
        let clamped = spacing.clamp_to(at(0));
        assert_eq!((wait(&clamped, from(7), 5), wait(&clamped, from(8), 5), wait(&clamped, from(9), 5)), (15, 5, 5));
        assert_eq!((clamped.clamp_to(at(0)), spacing.clamp_to(at(2_000_010))), (clamped.clone(), spacing));
    }

    #[test]
    fn a_failure_under_a_clock_set_back_ends_no_wait() {
        let spacing = after(&[(7, 0), (7, 100), (7, 50)]);
        assert_eq!((wait(&spacing, from(7), 105), wait(&spacing, from(8), 105)), (35, 5));
    }

    #[test]
    fn what_a_longer_spacing_put_off_is_cut_when_it_is_made_shorter() {
        let spacing = Spacing { extra: u32::MAX, last_failure: at(0), networks: Vec::new() };
        assert_eq!(wait(&spacing, NOWHERE, 0), 40);
    }

    proptest! {
        /// Whatever happens elsewhere, home waits as if nothing did.
        #[test]
        fn home_never_waits_for_failures_elsewhere(
            failures in proptest::collection::vec((0u8..9, 0u64..2_000), 1..100)
        ) {
            let (mut all, mut at_home, mut now) = (Spacing::default(), Spacing::default(), 0);
            for (last, passed) in failures {
                now += passed;
                prop_assert_eq!(wait(&all, from(1), now), wait(&at_home, from(1), now));
                let place = if last == 0 { LoginPlace { network: None, ..from(1) } } else { from(last) };
                all = all.failed(S, place, Mode::StepUp, at(now));
                if last == 1 {
                    at_home = at_home.failed(S, place, Mode::StepUp, at(now));
                }
                prop_assert!(all.networks.len() <= Spacing::MOST_NETWORKS);
            }
        }
    }
}
