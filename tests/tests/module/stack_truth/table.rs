//! Runs a stack with every first factor and every end of ours, and compares each result with what it must be.

use std::io::{Write, stderr};
use std::time::Instant;

use twinlock_tests::{
    Account, Attempt, Operation, Outcome, PamCode, VERIFIED_KEY, World, is_long, one_after_another, sweep_of,
};

use crate::stack_truth::first::CODES;
use crate::stack_truth::ours::{OTHER, Ours};
use crate::stack_truth::rule;
use crate::stack_truth::stack::{Asker, Stack};

/// A real user number that is not root's, as under a setuid program.
const SOMEBODY: [&str; 3] = ["setpriv", "--ruid", "65534"];

/// Counts transactions, and what was wrong with them.
pub(crate) struct Table<'w> {
    world: &'w World,
    /// One for each code of the first factor, so that each run has a state of its own.
    accounts: Vec<Account>,
    begun: Instant,
    runs: usize,
    wrong: Vec<String>,
}

impl<'w> Table<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        world.account(OTHER);
        let accounts = (0..CODES.len()).map(|number| world.account(&format!("user{number}"))).collect();
        Self { world, accounts, begun: Instant::now(), runs: 0, wrong: Vec::new() }
    }

    /// Every first factor with each of these ends of ours, by the rule.
    pub(crate) fn check(&mut self, stack: &Stack, ends: &[Ours]) {
        self.play(stack, ends, |first, ours, outcome| {
            let success = |operation| outcome.code_of(operation) == PamCode::Success;
            let came = [success(Operation::Authenticate), success(Operation::SetCred), success(Operation::AcctMgmt)];
            let expected = [
                rule::authenticates(stack, first, ours),
                rule::sets_credentials(stack, first, ours),
                rule::account_passes(stack, first, ours),
            ];
            (came != expected).then(|| format!("{expected:?}"))
        });
        for &ours in ends {
            ours.prepare(self.world, &self.accounts);
            let outcomes = self.run(stack, ours, &stack.codes()[..1], &[Operation::AcctMgmt]);
            let passed = outcomes[0].code() == PamCode::Success;
            if passed != rule::account_alone_passes(stack, ours) {
                self.wrong.push(format!("{}, {ours:?}: without the auth phase {:?}", stack.name, outcomes[0].codes));
            }
        }
    }

    /// The same, by another statement of who gets in.
    pub(crate) fn check_who_gets_in(&mut self, stack: &Stack, gets_in: impl Fn(PamCode, Ours) -> bool) {
        self.play(stack, &Ours::EACH_CODE, |first, ours, outcome| {
            let must = gets_in(first, ours);
            ((outcome.code() == PamCode::Success) != must).then(|| format!("{must}"))
        });
    }

    /// Every first factor with every return code of ours, asked by root, in a stack that lets root pass.
    pub(crate) fn check_root(&mut self, stack: &Stack) {
        let of_root = Stack { asked_by: Asker::Root, ..stack.clone() };
        self.play(&of_root, &Ours::EACH_CODE, |_, _, outcome| {
            let passed = outcome.code() == PamCode::Success && outcome.prompts().is_empty();
            (!passed).then(|| "and no question".to_owned())
        });
    }

    /// Runs them; `wrong` says what should have come, if something else did.
    fn play(&mut self, stack: &Stack, ends: &[Ours], wrong: impl Fn(PamCode, Ours, &Outcome) -> Option<String>) {
        stack.install(self.world);
        for (turn, &ours) in ends.iter().enumerate() {
            ours.prepare(self.world, &self.accounts);
            let operations = [Operation::Authenticate, Operation::SetCred, Operation::AcctMgmt];
            let codes = codes(stack, turn);
            let outcomes = self.run(stack, ours, &codes, &operations);
            for ((name, code), outcome) in codes.iter().zip(&outcomes) {
                if let Some(expected) = wrong(*code, ours, outcome) {
                    let codes = &outcome.codes;
                    self.wrong.push(format!("{}, first {name}, {ours:?}: {codes:?}, success: {expected}", stack.name));
                }
            }
        }
    }

    /// One transaction for each of these codes of the first factor.
    fn run(&mut self, stack: &Stack, ours: Ours, codes: &[(&str, PamCode)], operations: &[Operation]) -> Vec<Outcome> {
        let attempts = codes.iter().zip(&self.accounts).map(|((name, code), account)| {
            let attempt = Attempt::new(&stack.service_for(name, ours)).operations(operations.iter().copied());
            let by_key = stack.first.is_none() && *code == PamCode::Success;
            let attempt = if by_key { attempt.pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY) } else { attempt };
            let attempt = ours.answer(self.world, attempt, account);
            match stack.asked_by {
                Asker::Root => attempt,
                Asker::Somebody => attempt.under(SOMEBODY),
            }
        });
        let outcomes = one_after_another(self.world, attempts);
        self.runs += outcomes.len();
        outcomes
    }

    /// # Panics
    /// When anything was wrong, or less was run than there must be.
    pub(crate) fn finish(self, at_least: usize) {
        let Self { begun, runs, wrong, .. } = self;
        // Past the capture of the test runner, which hides what a passing test prints.
        let line =
            format!("{}: {runs} transactions in {:.1?}\n", std::thread::current().name().unwrap(), begun.elapsed());
        stderr().write_all(line.as_bytes()).unwrap();
        assert!(wrong.is_empty(), "{} of {runs} are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
        let at_least = sweep_of(at_least);
        assert!(runs >= at_least, "{runs} transactions, not {at_least}");
    }
}

/// The codes of the first factor that are tried with one end of ours: success, and of the others a fourth, which is
/// another one for the next end. All of them in a long run.
fn codes(stack: &Stack, turn: usize) -> Vec<(&'static str, PamCode)> {
    let tried = |at: usize, code: PamCode| is_long() || code == PamCode::Success || (at + turn).is_multiple_of(4);
    let all = stack.codes().iter().enumerate().filter(|(at, (_, code))| tried(*at, *code));
    all.map(|(_, named)| *named).collect()
}
