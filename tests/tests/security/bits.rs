//! Bits of a login that flip in memory (U04).

use nix::libc;
use twinlock_core::{grant::Grant, journal::Reason};
use twinlock_login::attempt::{Attempt as Ended, Outcome};
use twinlock_tests::{Attempt, Blow, Faults, Flip, ForgedState, Injector, PamCode, World, in_world, state_of, tally};

/// Places of the stack where the word stands: the one that counts, older ones, and registers that were put aside.
const PLACES: usize = 8;

pub(crate) fn u04_no_flipped_bit_lets_anybody_in() -> String {
    an_outcome_alone_lets_nobody_in();
    if !cfg!(target_arch = "x86_64") {
        return "who passes is told by a word of 64 bits; on this processor its bits are flipped in core's tests alone"
            .into();
    }
    in_world(each_bit_of_a_grant_counts);
    "each of the 64 bits that let a login in, flipped in its host before libpam is told: refused".into()
}

/// As if the outcome of a refusal had flipped into another: the word beside it is sixteen bits away.
fn an_outcome_alone_lets_nobody_in() {
    for flipped in [Outcome::Granted { recovery_codes_left: None }, Outcome::NotAsked] {
        let attempt = Ended { outcome: flipped, ..Ended::ended(Outcome::Refused(Reason::WrongCode)) };
        assert_eq!(attempt.end(), Outcome::Refused(Reason::Internal));
        let differing = Ended::passed(flipped).grant.word() ^ attempt.grant.word();
        assert!(differing.count_ones() >= 16, "{differing:x}");
    }
}

/// In the stack of the host, while the module sends the line of the log: all that is left to do then is to tell libpam.
fn each_bit_of_a_grant_counts(world: &World) {
    world.set_up("fail_delay = \"0s\"\n");
    world.service("svc", "auth required pam_twinlock.so\n");
    let alice = world.account("alice");
    let app = world.deploy("alice").authenticator;
    let mut injector = Injector::start(world, &["svc"]);
    let mut log_in = |faults: Faults| {
        world.write_secret(state_of("alice"), ForgedState::of(&alice).bytes());
        let code = app.code_at(app.now_step());
        injector.run(&[Attempt::new("svc").user("alice").answer(&code)], faults)
    };
    let whole = log_in(Faults { traced: true, ..Faults::default() });
    assert_eq!(whole.code(), Some(PamCode::Success), "{whole:?}");
    let log = whole.calls.iter().position(|call| call.number == libc::SYS_sendto).unwrap();
    for bit in 0..64 {
        let flipped = |place| Blow::Flip(Flip { word: Grant::VERIFIED.word(), place, bit });
        let ends = (0..PLACES).map(|place| {
            let told = log_in(Faults { blows: vec![(log, flipped(place))], ..Faults::default() });
            told.code().unwrap_or_else(|| panic!("{told:?}"))
        });
        let (refused, granted): (Vec<_>, Vec<_>) = ends.partition(|end| *end == PamCode::SystemErr);
        assert!(!refused.is_empty(), "bit {bit} does not count");
        assert!(granted.iter().all(|end| *end == PamCode::Success), "{granted:?}");
    }
    tally("security", "flipped bits of a login", 64 * PLACES as u64);
}
