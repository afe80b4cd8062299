//! The owner while somebody else guesses, as found by an attack on Twinlock itself on 2026-11-30 (A).

use twinlock_tests::{Attempt, PamCode, tally};

use crate::contender::{Contender, Scene};
use crate::row::{Row, Trial};
use crate::tools::middle_of_a_step;

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A21",
        flaw: "A guess every second locked out the owner",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(the_owner_gets_in_while_one_network_guesses),
    },
    Row {
        id: "A22",
        flaw: "Guesses from many networks locked out the owner's home network",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(the_owner_gets_in_from_home_while_many_networks_guess),
    },
    Row {
        id: "A23",
        flaw: "One user's failures delayed another's recovery codes",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a_recovery_code_is_not_held_up_by_wrong_codes),
    },
];

const OWNER: &str = "203.0.113.9";
const ATTACKER: &str = "198.51.100.7";
/// The file from which the hosts take their clock.
const CLOCK: &str = "/run/clock";
/// Tries after which the owner gives up.
const PATIENCE: usize = 5;
/// The reasons for which an answer is refused that was looked at.
const LOOKED_AT: [&str; 3] = ["wrong-code", "replayed", "step-up"];

/// A host whose clock goes on only when it is told to, and somebody who guesses there each second.
struct Attack<'s> {
    scene: &'s Scene<'s>,
    begun: u64,
    now: u64,
    /// How many networks the guesses come from, one after the other.
    networks: u64,
    mark: usize,
}

impl<'s> Attack<'s> {
    fn from_networks(scene: &'s Scene<'s>, networks: u64) -> Self {
        let begun = middle_of_a_step();
        let attack = Self { scene, begun, now: begun, networks, mark: scene.world.log_mark() };
        attack.set_clock();
        attack
    }

    fn set_clock(&self) {
        self.scene.world.write(CLOCK, self.now.to_string());
    }

    fn step(&self) -> u64 {
        self.now / self.scene.app.period
    }

    /// A login of alice's from this address, by the clock of the file.
    fn login(&self, from: &str) -> Attempt {
        // faketime(1) finds its library, and must not say what time it is.
        let host = ["faketime", "-f", "+0s", "env", "-u", "FAKETIME"];
        let login = self.scene.attempt().rhost(from).under(host).environment("FAKETIME_TIMESTAMP_FILE", CLOCK);
        login.environment("FAKETIME_FMT", "%s").environment("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// Guesses each second, for so many seconds.
    fn goes_on(&mut self, seconds: u64) {
        let app = &self.scene.app;
        for _ in 0..seconds {
            self.now += 1;
            self.set_clock();
            let near: Vec<_> = (self.step() - 3..=self.step() + 3).map(|step| app.code_at(step)).collect();
            let wrong = (0..20).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap();
            let from = match self.networks {
                1 => ATTACKER.to_owned(),
                networks => format!("198.51.100.{}", self.now % networks),
            };
            assert_ne!(self.login(&from).answer(&wrong).answer(&wrong).run(self.scene.world).code(), PamCode::Success);
        }
    }

    /// The owner gives a code, waits for the next one and gives that, until let in: the number of tries.
    fn tries_of_the_owner(&mut self, from: &str) -> Option<usize> {
        (1..=PATIENCE).find(|_| {
            let codes = [0, 1].map(|ahead| self.scene.app.code_at(self.step() + ahead));
            let login = self.login(from).answer(&codes[0]).held().answer(&codes[1]).start(self.scene.world);
            self.goes_on(self.scene.app.period);
            let granted = login.release().code() == PamCode::Success;
            if !granted {
                // Later than what the next try begins with.
                self.goes_on(self.scene.app.period / 3);
            }
            granted
        })
    }

    /// Guesses that were looked at so far, and what one spacing for all of them would have allowed.
    fn guesses(&self) -> (usize, u64) {
        let entries = self.scene.world.entries_since(self.mark);
        let looked_at = entries.iter().filter(|entry| LOOKED_AT.contains(&entry.value("reason"))).count();
        tally("security", "guesses", looked_at as u64);
        (looked_at, 3 + (self.now - self.begun).div_ceil(10))
    }
}

/// Sees that no more was looked at than by one spacing for everybody.
fn report(attack: &Attack<'_>, owner: &str) -> String {
    let (looked_at, allowed) = attack.guesses();
    assert!(looked_at as u64 <= allowed, "{looked_at} guesses were looked at, {allowed} are allowed");
    format!("{owner}; {looked_at} guesses checked in {} s", attack.now - attack.begun)
}

fn the_owner_gets_in_while_one_network_guesses() -> String {
    Contender::Twinlock.scene(|scene| {
        let mut attack = Attack::from_networks(scene, 1);
        let mut tries = Vec::new();
        attack.goes_on(90);
        for _ in 0..2 {
            let needed = attack.tries_of_the_owner(OWNER);
            assert!(needed.is_some_and(|needed| needed <= 2), "the owner needed {needed:?} tries, after {tries:?}");
            tries.extend(needed);
            // The owner's success begins a new row; soon two codes are asked for again.
            attack.goes_on(25);
        }
        report(&attack, &format!("granted at try {tries:?}"))
    })
}

fn the_owner_gets_in_from_home_while_many_networks_guess() -> String {
    Contender::Twinlock.scene(|scene| {
        let mut attack = Attack::from_networks(scene, 100);
        let code = scene.app.code_at(attack.step() - 1);
        assert_eq!(attack.login(OWNER).answer(code).run(scene.world).code(), PamCode::Success);
        attack.goes_on(25);
        let needed = attack.tries_of_the_owner(OWNER);
        assert_eq!(needed, Some(1), "tries of the owner at home");
        report(&attack, "granted at the first try")
    })
}

fn a_recovery_code_is_not_held_up_by_wrong_codes() -> String {
    Contender::Twinlock.scene(|scene| {
        let mut attack = Attack::from_networks(scene, 100);
        attack.goes_on(15);
        let code = scene.recovery_code.as_ref().unwrap();
        let owner = attack.login(OWNER).answer(code).run(scene.world);
        assert_eq!(owner.code(), PamCode::Success, "{:?}", owner.notices());
        report(&attack, "granted at the first try")
    })
}
