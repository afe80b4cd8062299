//! A broker that is fed tens of thousands of strange messages, the same in every run: it lives, serves, and changes nothing.

use serde_json::json;
use twinlock_tests::{Random, Raw, STORE, Snapshot, State, credentials_of, frame, state_of};

use crate::messages::{login, request, wish, with_scene};

const ROUNDS: usize = 1_000;
/// Connections of one user in a round: there is a place for each of them.
const AT_ONCE: usize = 8;

/// What is made of it.
struct Messages(Random);

impl Messages {
    fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// One of the seeds, changed in up to three places.
    fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.insert(at, self.byte()),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                4 => bytes.extend(seeds[self.below(seeds.len())].clone()),
                _ => {
                    let end = (at + self.below(12)).min(bytes.len());
                    let copy = bytes[at.min(end)..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes
    }

    /// Sometimes in a frame that fits, sometimes as it is, sometimes something else altogether.
    fn message(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        match self.below(8) {
            0 => (0..self.below(64)).map(|_| self.byte()).collect(),
            1 | 2 => {
                let whole: Vec<_> = seeds.iter().map(|seed| frame('R', seed)).collect();
                self.mutated(&whole)
            }
            3 => frame('A', &self.mutated(&[b"000000".to_vec(), b"phone1".to_vec()])),
            4 => frame(char::from(b"RLEAXQHTIDFV"[self.below(12)]), &self.mutated(seeds)),
            5 => frame('L', &self.mutated(&[login("alice"), login("carol")])),
            _ => frame('R', &self.mutated(seeds)),
        }
    }
}

#[test]
fn tens_of_thousands_of_strange_messages_change_nothing() {
    let status_of = |name| request(Some(name), &json!("status"));
    let unnamed = ["status", "verify", "resync", "remove"].map(|verb| request(None, &json!(verb)));
    let devices = [json!("suspend"), json!("remove"), json!({ "rename": "x" })];
    let devices = devices.map(|change| request(None, &json!({ "device": ["phone1", change] })));
    let wishes = ["beside", "instead"].map(|place| request(None, &wish(place)));
    let names = ["alice", "bob", "carol"].map(status_of);
    let recovery = [request(None, &json!({ "renew-recovery": "ask" }))];
    let seeds = [&unnamed[..], &devices, &wishes, &names, &recovery].concat();
    with_scene(|scene| {
        let callers = [scene.caller(&scene.alice), scene.caller(&scene.carol)];
        let (mark, memory) = (scene.world.log_mark(), scene.broker.resident_kib());
        let (credentials, paths) = (Snapshot::of(format!("{STORE}/credentials")), Snapshot::of(STORE));
        let bob = Snapshot::of(state_of("bob"));
        let mut random = Messages(Random::new(0x2026_1124_0500_0001));
        let (mut messages, mut questions, mut last_words) = (0, 0, 0);
        for number in 0..ROUNDS {
            let caller = &callers[number % callers.len()];
            let mut connections: Vec<Raw> = (0..AT_ONCE).map(|_| caller.connect()).collect();
            for connection in &mut connections {
                for _ in 0..=random.below(6) {
                    connection.send(&random.message(&seeds));
                    messages += 1;
                }
                connection.hang_up();
            }
            for mut connection in connections {
                while let Some(frame) = connection.hear() {
                    questions += usize::from(frame.kind == 'Q');
                    last_words += usize::from("DFV".contains(frame.kind));
                }
            }
        }
        scene.assert_serving();
        // It was not the first byte alone at which all of them failed.
        assert!(messages > 20_000 && questions > 500 && last_words > 2_000);
        assert_eq!(Snapshot::of(format!("{STORE}/credentials")), credentials);
        assert_eq!(Snapshot::of(state_of("bob")), bob);
        assert_eq!(Snapshot::of(STORE).paths(), paths.paths());
        assert!(credentials_of("alice").exists() && State::of("alice").text("user") == "alice");
        let log = scene.world.log_since(mark);
        assert!(log.iter().all(|line| !line.text.contains("bob") && !line.text.contains("change=")), "{log:?}");
        let more = scene.broker.resident_kib().saturating_sub(memory);
        assert!(more < 8192, "{more} KiB");
    });
}
