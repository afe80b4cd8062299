//! A host that may not do much (T-RLIM), and one without standard streams (T-FD): a correct code is granted or refused, an
//! incorrect one is counted or not looked at, and the host lives.

use twinlock_tests::Resource::{
    self, AddressSpace, Cpu, Data, Descriptors, FileSize, LockedMemory, PendingSignals, Processes, Stack,
};
use twinlock_tests::{Faults, tally};

use crate::faults::attempts::on_a_host;
use crate::faults::scenario::of;

const ATTEMPTS: [&str; 4] = ["right code", "wrong code", "right recovery code", "first attempt ever"];
const KIB: u64 = 1024;
/// What may be taken beside what the host has already. The last is plenty.
const SIZES_IN_KIB: [u64; 11] = [0, 4, 16, 64, 128, 256, 512, 1024, 4096, 8192, 1 << 20];

/// Each attempt under each limit; of those whose answer is right, how many were granted and how many were not.
fn under(resource: Resource, limits: &[u64]) -> [usize; 2] {
    let mut ends = [0; 2];
    on_a_host(|scene| {
        for name in ATTEMPTS {
            let scenario = of(name);
            for limit in limits {
                let faults = Faults { limits: vec![(resource, *limit)], ..Faults::default() };
                let told = scene.strike(&scenario, &faults);
                ends[usize::from(told.code() != Some(scenario.normal))] += 1;
                tally("faults", "attempts under a limit", 1);
            }
        }
        scene.assert_silent();
    });
    ends
}

#[test]
fn a_host_that_may_not_write_much_is_denied_and_lives() {
    let [granted, denied] = under(FileSize, &[0, 1, 512, 4096, 8191, 8192, 1 << 20]);
    assert_eq!([granted, denied], [8, 20], "G07");
}

#[test]
fn a_host_with_few_descriptors_is_denied_and_lives() {
    let [granted, denied] = under(Descriptors, &(0..32).collect::<Vec<_>>());
    assert!(granted > 40 && denied > 20, "{granted} {denied}");
}

#[test]
fn a_host_with_little_memory_is_denied() {
    for resource in [AddressSpace, Data] {
        let [granted, denied] = under(resource, &SIZES_IN_KIB.map(|kib| kib * KIB));
        assert!(granted > 8 && denied > 0, "{resource:?}: {granted} {denied}");
    }
}

#[test]
fn limits_that_are_of_no_consequence_have_none() {
    for (resource, limits) in [
        (Processes, vec![0, 1]),
        (Stack, vec![64 * KIB, 128 * KIB]),
        (Cpu, vec![1]),
        (LockedMemory, vec![0]),
        (PendingSignals, vec![0]),
    ] {
        let count = limits.len() * ATTEMPTS.len();
        assert_eq!(under(resource, &limits), [count, 0], "{resource:?}");
    }
}

#[test]
fn closed_standard_streams_in_every_combination_are_left_closed_and_nothing_is_written_through_them() {
    on_a_host(|scene| {
        for bits in 0..8 {
            for name in ATTEMPTS {
                let closed = (0..3).filter(|number| bits >> number & 1 == 1);
                let told = scene.strike_as(&of(name), &Faults::default(), |attempt| attempt.closed(closed.clone()));
                assert_eq!(told.code(), Some(of(name).normal), "T-FD: {bits:03b}, {name}");
            }
        }
        scene.assert_silent();
    });
}
