//! Every kind of input, each from its corpus, changed in ways that are the same in every run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics"
)]

mod corpus;

use corpus::{corpus, folder};
use twinlock_fuzz::{INPUTS, random::Random};
use twinlock_tests::{sweep_of, tally};

/// Inputs of one kind in the whole sweep.
const RUNS: usize = 50_000;

/// Tries changed inputs of one kind, and claims that some are taken and some are not, or it all proves nothing.
fn try_all(name: &str) {
    let input = INPUTS.iter().find(|input| input.name == name).unwrap();
    let seeds = corpus(name);
    let good = seeds.iter().filter(|seed| (input.check)(seed)).count();
    assert!(good * 2 >= seeds.len() && good > 0, "{name}: {good} of {} seeds are taken", seeds.len());
    let runs = sweep_of(RUNS);
    let mut random = Random(0x2026_1124_0700_0001);
    let taken = (0..runs).filter(|_| (input.check)(&random.mutated(&seeds))).count();
    assert!((runs / 50..runs - runs / 50).contains(&taken), "{name}: {taken} of {runs} are taken");
    tally("fuzz", &format!("inputs: {name}"), runs as u64);
}

macro_rules! kinds {
    ($($name:ident)*) => {
        $(#[test] fn $name() { try_all(stringify!($name)); })*

        #[test]
        fn every_kind_is_tried_and_has_a_target() {
            let tried = [$(stringify!($name)),*];
            assert_eq!(tried.to_vec(), INPUTS.iter().map(|input| input.name).collect::<Vec<_>>());
            for name in tried {
                assert!(folder("libfuzzer/fuzz_targets").join(format!("{name}.rs")).exists(), "{name}");
            }
        }
    };
}

kinds! {
    answer auth_info broker config credentials frame google_authenticator login login_request otpauth record request slot
    user_name users_oath
}
