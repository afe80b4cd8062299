//! Every request for memory of an attempt, refused: that one, or that one and all after it.
//!
//! The standard library ends the host where a small piece is refused, which the module cannot help; a large one must be
//! asked for in a way that can be refused, and denies. The host that ends lets nobody in, and leaves what a kill leaves.

use nix::libc::SIGABRT;
use twinlock_tests::{End, Faults, PamCode, Shortage, is_long, tally};

use crate::scenario::of;
use crate::scene::on_a_host;

/// What a host may end of, in bytes: as much as the largest file that a login reads has.
const SMALL: u32 = 64 * 1024;
/// Steps between the requests that are struck, but for the long run.
const STRIDE: usize = 3;

fn sweep(name: &str, floor: usize) {
    let scenario = of(name);
    on_a_host(|scene| {
        let whole = scene.strike(&scenario, &Faults { measured: true, ..Faults::default() });
        assert_eq!(whole.sizes.len(), whole.requests);
        assert!(whole.requests >= floor, "only {} requests", whole.requests);
        let (mut ended, mut denied, mut went_on) = (Vec::new(), 0, 0);
        let stride = if is_long() { 1 } else { STRIDE };
        for at in (0..whole.requests).step_by(stride) {
            for shortage in [Shortage::At(at), Shortage::From(at)] {
                let told = scene.strike(&scenario, &Faults { shortage: Some(shortage), ..Faults::default() });
                assert!(told.refused_memory, "{name}: {shortage:?} was never asked for");
                match told.end {
                    End::Killed(SIGABRT) => ended.push(whole.sizes[at]),
                    End::Returned(codes) if codes[0] == scenario.normal => went_on += 1,
                    End::Returned(_) | End::Killed(_) | End::Left(_) => denied += 1,
                }
            }
        }
        let largest = ended.iter().max().copied().unwrap_or(0);
        assert!(largest <= SMALL, "a request for {largest} bytes ended the host");
        for (what, count) in [
            ("requests for memory refused, the host ended", ended.len()),
            ("requests for memory refused, denied", denied),
            ("requests for memory refused, of no consequence", went_on),
        ] {
            tally("faults", what, u64::try_from(count).unwrap());
        }
    });
}

#[test]
fn the_memory_of_argon2_is_asked_for_in_a_way_that_can_be_refused() {
    let scenario = of("right recovery code");
    on_a_host(|scene| {
        let whole = scene.strike(&scenario, &Faults { measured: true, ..Faults::default() });
        let large: Vec<_> = (0..whole.requests).filter(|at| whole.sizes[*at] > SMALL).collect();
        assert_eq!(large.len(), 1, "{:?}", whole.sizes);
        let faults = Faults { shortage: Some(Shortage::At(large[0])), ..Faults::default() };
        let told = scene.strike(&scenario, &faults);
        assert_eq!(told.code(), Some(PamCode::AuthinfoUnavail), "{told:?}");
        assert!(told.log[0].contains("reason=store"), "{told:?}");
        scene.assert_silent();
    });
}

#[test]
fn a_right_code_without_memory_opens_once_at_most() {
    sweep("right code", 100);
}

#[test]
fn a_wrong_code_without_memory_opens_nothing() {
    sweep("wrong code", 100);
}

#[test]
fn a_recovery_code_without_memory_opens_once_at_most() {
    sweep("right recovery code", 100);
}

#[test]
fn a_first_attempt_without_memory_leaves_nothing_in_the_way() {
    sweep("first attempt ever", 100);
}

#[test]
fn who_is_enrolled_is_asked_without_memory_where_it_is_optional() {
    sweep("enrolled where it is optional", 100);
}
