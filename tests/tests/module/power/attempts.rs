//! alice, what she did before the power fails, and what is on the disk of it.

use std::fs;

use twinlock_tests::{
    Account, Attempt, Authenticator, Enrolled, ForgedState, PamCode, Runners, SLOT, State, World, credentials_of,
    in_world, state_of,
};

use crate::power::disk::Image;
use crate::power::trace::{self, Event};

/// After so many consecutive incorrect codes two are asked for.
pub(crate) const FREE: u32 = 10;

/// A host with alice, at one step of the clock. Attempts may use this step and the one before; the next one is for who
/// reads the images.
pub(crate) struct Scene<'w> {
    world: &'w World,
    account: Account,
    pub(crate) alice: Enrolled,
    runner: Runners,
    pub(crate) step: u64,
}

/// What was there when the attempt began.
#[derive(Clone, Default)]
pub(crate) struct Before {
    /// The state that surely is on the disk.
    pub(crate) durable: Option<Vec<u8>>,
    /// What a process that was killed had done since.
    pub(crate) left: Vec<Event>,
}

/// An attempt that was made to its end.
pub(crate) struct Made {
    pub(crate) code: PamCode,
    /// Whether a refusal counts: not that of a used code, but that of a used recovery code.
    pub(crate) charged: bool,
    pub(crate) events: Vec<Event>,
}

pub(crate) fn on_a_host(test: impl FnOnce(&mut Scene<'_>) + Send) {
    in_world(|world| {
        world.set_up(&format!("[throttle]\nfree_failures = {FREE}"));
        world.service("svc", "auth required pam_twinlock.so\n");
        let account = world.account("alice");
        let alice = world.deploy("alice");
        let step = alice.authenticator.now_step();
        test(&mut Scene { world, account, alice, runner: Runners::start(world, 1), step });
    });
}

/// The state as it stands, if there is one.
pub(crate) fn state() -> Option<Vec<u8>> {
    fs::read(state_of("alice")).ok()
}

/// The credentials as they stand.
pub(crate) fn credentials() -> Vec<u8> {
    fs::read(credentials_of("alice")).unwrap()
}

impl Scene<'_> {
    /// Whether an attempt with this step or the one before would still be in time.
    pub(crate) fn is_in_time(&self) -> bool {
        self.alice.authenticator.now_step() == self.step
    }

    /// Whether the step after this one is still good.
    pub(crate) fn can_be_read(&self) -> bool {
        self.alice.authenticator.now_step() <= self.step + 2
    }

    pub(crate) fn forged(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }

    /// This state and nothing else.
    pub(crate) fn with(&self, forged: &ForgedState) -> Before {
        forged.write(self.world);
        Before { durable: state(), left: Vec::new() }
    }

    /// The credentials she began with.
    pub(crate) fn enrol_anew(&mut self) {
        self.alice = self.world.deploy("alice");
        self.step = self.alice.authenticator.now_step();
    }

    /// Puts what the processes before see.
    pub(crate) fn put(&self, state: Option<&[u8]>) {
        match state {
            Some(bytes) => self.world.write_secret(state_of("alice"), bytes),
            None => drop(fs::remove_file(state_of("alice"))),
        }
    }

    pub(crate) fn put_credentials(&self, credentials: &[u8]) {
        self.world.write_secret(credentials_of("alice"), credentials);
    }

    /// An attempt on what was before, traced.
    pub(crate) fn make(&self, before: &Before, answers: &[String]) -> Made {
        self.put(before.seen().as_deref());
        let mark = self.world.log_mark();
        let outcome = attempt(answers).under(trace::strace()).run(self.world);
        let entries = self.world.entries_since(mark);
        let used = entries.iter().any(|entry| entry.value("reason") == "replayed" && entry.value("method") == "totp");
        Made { code: outcome.code(), charged: !used, events: trace::events() }
    }

    /// A replacement of alice's phone by root on what was before, traced.
    pub(crate) fn replace(&self, before: &Before) -> (Authenticator, Vec<Event>) {
        self.put(before.seen().as_deref());
        let command = ["enroll", "alice", "--replace", "--no-confirm", "--json"];
        let output = self.world.twinlock_launch(&command).under(trace::strace()).run();
        assert_eq!(output.code, Some(0), "{output:?}");
        let made: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        (Authenticator::from_uri(made["uri"].as_str().unwrap()), trace::events())
    }

    /// The slot in force of a state, read by other code than the module's.
    pub(crate) fn slot(&self, state: Option<&[u8]>) -> Option<State> {
        self.put(state);
        state.map(|_| State::of("alice"))
    }

    /// What the built module says to these answers with that image.
    pub(crate) fn read(&mut self, image: &Image, answers: &[String]) -> PamCode {
        self.put(image.state.as_deref());
        self.runner.race([attempt(answers)])[0].code()
    }
}

fn attempt(answers: &[String]) -> Attempt {
    answers.iter().fold(Attempt::new("svc").user("alice"), Attempt::answer)
}

impl Before {
    /// What processes see: all that was written, synced or not.
    pub(crate) fn seen(&self) -> Option<Vec<u8>> {
        let mut seen = self.durable.clone();
        for event in &self.left {
            if let (Event::Write { offset, bytes }, Some(seen)) = (event, &mut seen) {
                seen[*offset..offset + bytes.len()].copy_from_slice(bytes);
            }
        }
        seen
    }
}

/// One half damaged.
pub(crate) fn damaged(mut state: Vec<u8>, half: usize) -> Vec<u8> {
    state[half * SLOT + 40] ^= 1;
    state
}
