//! The owner while somebody guesses, second by second: who gets in, and how many guesses are looked at.

use std::time::Duration;

use super::Spacing;
use crate::{
    policy::Network,
    throttle::{Gate, Limits, Method, Throttle},
    time::UnixTime,
};

/// Never disabled, so that an attack goes on for as long as is wanted.
const LIMITS: Limits =
    Limits { free_failures: 3, budget: 30, spacing: Duration::from_secs(10), disable_after: u32::MAX };
const HOUR: u64 = 3_600;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(1_800_000_000 + seconds)
}

/// Network 0 is the owner's.
fn network(number: u64) -> Network {
    Network::parse(&format!("10.0.0.{number}")).unwrap()
}

/// A user of whom others guess the codes, each second, from these networks; before anybody else in that second.
#[derive(Clone)]
struct Attack {
    throttle: Throttle,
    networks: Vec<u64>,
    now: u64,
    looked_at: u64,
}

impl Attack {
    fn from_networks(networks: impl IntoIterator<Item = u64>) -> Self {
        Self { throttle: Throttle::default(), networks: networks.into_iter().collect(), now: 0, looked_at: 0 }
    }

    /// The same on a user who logged in from network 0 before.
    fn with_home_at_0(self) -> Self {
        Self { throttle: self.throttle.accepted(Method::Otp, Some(network(0))), ..self }
    }

    fn goes_on_until(&mut self, end: u64) {
        while self.now < end {
            for guessing in self.networks.iter().map(|number| Some(network(*number))) {
                if self.throttle.gate(&LIMITS, Method::Otp, 2, guessing, at(self.now)) == Gate::Open {
                    self.throttle = self.throttle.with_failure(&LIMITS, Method::Otp, guessing, at(self.now));
                    self.looked_at += 1;
                }
            }
            self.now += 1;
        }
    }

    /// The owner comes now, from network 0, and tries until let in: the number of tries, at most `patience`. A try is a
    /// code, the time until the next code, and that one; refused, the owner waits as long as told and a little more.
    fn tries_of_the_owner(mut self, patience: usize, random: &mut Random) -> Option<usize> {
        (1..=patience).find(|_| {
            let mut rest = self.gate(1);
            if rest.is_none() {
                self.goes_on_until(self.now + random.within(1, 35));
                rest = self.gate(2);
            }
            let told = rest.map_or(0, |rest| rest.as_secs() + random.within(1, 15));
            self.goes_on_until(self.now + told);
            rest.is_none()
        })
    }

    fn gate(&self, codes: usize) -> Option<Duration> {
        // Somebody guesses in this second, too, before the owner's answer comes.
        let mut this = self.clone();
        this.goes_on_until(self.now + 1);
        match this.throttle.gate(&LIMITS, Method::Otp, codes, Some(network(0)), at(self.now)) {
            Gate::Wait(rest) => Some(rest),
            Gate::Open | Gate::SecondCode => None,
            Gate::Disabled => panic!("nobody is disabled here"),
        }
    }
}

/// Numbers that are the same in every run (splitmix64).
struct Random(u64);

impl Random {
    fn within(&mut self, least: u64, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        least + (mixed ^ (mixed >> 31)) % (most - least + 1)
    }
}

/// How many of a thousand owners needed 1, 2, ... tries, who came at any time from `earliest` to `latest`.
fn tries(attack: Attack, earliest: u64, latest: u64) -> Vec<usize> {
    let mut random = Random(14);
    let mut arrivals: Vec<_> = (0..1_000).map(|_| random.within(earliest, latest)).collect();
    arrivals.sort_unstable();
    let mut attack = attack;
    let mut tries = Vec::new();
    for (seed, arrival) in (0..).zip(arrivals) {
        attack.goes_on_until(arrival);
        let needed = attack.clone().tries_of_the_owner(20, &mut Random(seed)).unwrap_or(21);
        tries.resize(tries.len().max(needed), 0);
        tries[needed - 1] += 1;
    }
    tries
}

#[test]
fn the_owner_gets_in_at_the_first_or_second_try_while_one_network_guesses() {
    let one = || Attack::from_networks([1]);
    assert_eq!(tries(one(), 70, 8 * HOUR), [933, 67]);
    // The first minute of an attack, while the waits of its network are short.
    assert_eq!(tries(one(), 0, 69), [295, 290, 222, 119, 66, 8]);
}

#[test]
fn the_owner_gets_in_while_up_to_four_networks_guess() {
    let attack = |networks| tries(Attack::from_networks(1..=networks), 10 * 60, 4 * HOUR);
    assert_eq!([2, 3, 4].map(attack), [[890, 98, 12], [822, 167, 11], [766, 206, 28]]);
}

#[test]
fn the_owner_at_home_gets_in_at_the_first_try_however_many_networks_guess() {
    for networks in [1, 5, 100] {
        let attack = Attack::from_networks(1..=networks).with_home_at_0();
        assert_eq!(tries(attack, 0, HOUR / 2), [1_000], "{networks}");
    }
}

/// What the page SECURITY.md says of R1: from more networks than are kept, the guesses have each slot that is not home's.
#[test]
fn many_networks_keep_the_owner_out_of_any_network_but_home() {
    let attack = Attack::from_networks(1..=Spacing::MOST_NETWORKS as u64 + 1);
    let kept_out = tries(attack, HOUR, 2 * HOUR);
    assert_eq!(kept_out.len(), 21, "{kept_out:?}");
}

/// And in one network with the owner, they have each slot of that network; recovery codes and other networks are open.
#[test]
fn somebody_in_the_network_of_the_owner_keeps_the_owner_out_of_it() {
    let mut attack = Attack::from_networks([0]).with_home_at_0();
    attack.goes_on_until(HOUR);
    assert_eq!(attack.clone().tries_of_the_owner(20, &mut Random(1)), None);
    let gate = |method, from| attack.throttle.gate(&LIMITS, method, 2, Some(network(from)), at(attack.now));
    assert_eq!((gate(Method::Recovery, 0), gate(Method::Otp, 9)), (Gate::Open, Gate::Open));
}

/// What was looked at when there was one spacing for all.
fn looked_at_before(seconds: u64) -> u64 {
    let mut last = None;
    let open = |last: Option<u64>, now| last.is_none_or(|last| now - last >= 10);
    let spaced = (0..seconds).filter(|now| open(last, *now).then(|| last = Some(*now)).is_some()).count();
    // At once, and the last of them begins the spacing.
    u64::from(LIMITS.free_failures) - 1 + spaced as u64
}

#[test]
fn no_more_is_looked_at_than_with_one_spacing_for_all() {
    let looked_at = |networks: std::ops::RangeInclusive<u64>| {
        let mut attack = Attack::from_networks(networks).with_home_at_0();
        attack.goes_on_until(2 * HOUR);
        attack.looked_at
    };
    let before = looked_at_before(2 * HOUR);
    assert_eq!(before, 722);
    // One network, four, five and a hundred; then with somebody who guesses in the owner's home network as well.
    let mut all = Vec::new();
    for networks in [1..=1, 1..=4, 1..=5, 1..=100, 0..=0, 0..=100] {
        let seen = looked_at(networks.clone());
        assert!(seen <= before + 1, "{networks:?}: {seen}");
        all.push(seen);
    }
    assert_eq!(all, [30, 111, 722, 722, 30, 722]);
}

/// How long it takes until the hundredth wrong answer disables.
#[test]
fn a_hundred_wrong_answers_take_hours_from_one_network() {
    let hundred = |networks: u64| {
        let mut attack = Attack::from_networks(1..=networks);
        while attack.looked_at < 100 {
            attack.goes_on_until(attack.now + 1);
        }
        attack.now
    };
    assert_eq!((hundred(1), hundred(100)), (29_443, 971));
}
