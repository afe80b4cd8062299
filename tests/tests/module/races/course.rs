//! Where races are run: alice, as many processes as are wanted, and her state put back before each round.

use std::path::Path;

use nix::unistd::geteuid;
use twinlock_tests::{
    Account, Attempt, Disk, Enrolled, ForgedState, Outcome, Runners, World, in_world, is_long, tally,
};

use crate::races::contender;

/// A host for races.
pub(crate) struct Course<'w> {
    pub(crate) world: &'w World,
    pub(crate) account: Account,
    pub(crate) alice: Enrolled,
    runners: Runners,
}

/// A fiftieth of the rounds of a long run, which are so many. Without the lock on the state each race was lost within 25
/// rounds, most of them at once.
pub(crate) fn rounds(whole: usize) -> usize {
    if is_long() { whole } else { whole / 50 }
}

/// A real disk for the store: on a tmpfs a sync takes no time, and one login is done before the next one begins. A user who
/// may not mount gets none, and no world either.
pub(crate) fn disk() -> Option<Disk> {
    geteuid().is_root().then(|| Disk::claim(Path::new(env!("CARGO_TARGET_TMPDIR"))))
}

/// Runs the races of up to so many at once under this configuration.
pub(crate) fn on_a_course(config: &str, together: usize, races: impl FnOnce(&mut Course<'_>) + Send) {
    let disk = disk();
    in_world(|world| {
        disk.iter().for_each(Disk::lay_over_var_lib);
        world.set_up(config);
        world.service("svc", "auth required pam_twinlock.so\n");
        let account = world.account("alice");
        let alice = world.deploy("alice");
        races(&mut Course { world, account, alice, runners: Runners::start(world, together) });
    });
}

/// An attempt of alice with these answers.
pub(crate) fn attempt(answers: &[&str]) -> Attempt {
    answers.iter().fold(Attempt::new("svc").user("alice"), Attempt::answer)
}

impl Course<'_> {
    /// A state of alice's, to be forged: she never failed and never used anything.
    pub(crate) fn state(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }

    /// One round.
    pub(crate) fn race(&mut self, attempts: impl IntoIterator<Item = Attempt>) -> Vec<Outcome> {
        tally("races", "rounds", 1);
        let outcomes = self.runners.race(attempts);
        tally("races", "logins", outcomes.len() as u64);
        outcomes
    }

    /// One round, of which exactly one is granted.
    pub(crate) fn one_wins(&mut self, attempts: Vec<Attempt>, round: usize) {
        let mark = self.world.log_mark();
        let granted = contender::granted(&self.race(attempts));
        assert_eq!(granted, 1, "round {round}: {:#?}", self.world.log_since(mark));
    }
}
