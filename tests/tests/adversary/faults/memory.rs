//! Every request for memory of an attempt, refused: that one, or that one and all after it.
//!
//! Where the module gets no memory, Rust ends the process, which denies; the memory of Argon2 alone is asked for in a way
//! that can be refused. What libpam and libc ask for themselves comes back as an error of theirs, and denies or is of no
//! consequence. Whatever comes, no attempt is granted that would not be granted otherwise, and the user can log in
//! afterwards. Three things are not struck here: the memory of the conversation, which is the host's own; the first look at
//! a database (`look_people_up` in `fault-host`); and what libc makes for each thread when the module panics, because no
//! attempt does.

use std::fs;

use twinlock_tests::{End, Faults, PamCode, Shortage, World, sample_of_sweep, tally};

use crate::faults::attempts::{on_a_host, on_a_host_where};
use crate::faults::scenario::of;

/// The size in bytes of the largest file that a login reads. Only Argon2 asks for more.
const SMALL: u32 = 64 * 1024;

/// What became of the attempt for each request that was refused.
#[derive(Debug, Default)]
struct Ends {
    as_usual: u64,
    denied: u64,
    host_ended: u64,
}

/// Refuses each request for memory of the scenario, alone and with all after it. `strike` checks the invariants, among them
/// that the only other ends are denials and the end of the host by SIGABRT.
fn each_request_refused(name: &str) {
    // The last request is always among them: by then the attempt is decided, and it ends as usual.
    refuse(
        |_| (),
        name,
        |all| {
            let last = all.last().copied();
            sample_of_sweep(11, all.into_iter()).chain(last).collect()
        },
    );
}

/// Refuses the requests that `choose` leaves, on a host that is prepared so.
fn refuse(prepare: impl FnOnce(&World) + Send, name: &str, choose: fn(Vec<Shortage>) -> Vec<Shortage>) {
    on_a_host_where(prepare, |scene| {
        let scenario = of(name);
        let whole = scene.strike(&scenario, &Faults { measured: true, ..Faults::default() });
        assert_eq!(whole.code(), Some(scenario.normal), "{whole:?}");
        assert!(whole.requests >= 100, "{whole:?}");
        let mut ends = Ends::default();
        let all = (0..whole.requests).flat_map(|at| [Shortage::At(at), Shortage::From(at)]).collect();
        for shortage in choose(all) {
            let told = scene.strike(&scenario, &Faults { shortage: Some(shortage), ..Faults::default() });
            assert!(told.refused_memory, "{name}: {shortage:?} was never asked for");
            match &told.end {
                End::Returned(codes) if codes[0] == scenario.normal => ends.as_usual += 1,
                End::Returned(_) => ends.denied += 1,
                End::Killed(_) => ends.host_ended += 1,
                End::Left(_) => panic!("{name}: {shortage:?}: {told:?}"),
            }
        }
        assert!(ends.host_ended > 0 && ends.as_usual > 0, "{ends:?}");
        scene.assert_only_out_of_memory();
        tally("faults", "requests for memory refused, the attempt ended as usual", ends.as_usual);
        tally("faults", "requests for memory refused, denied", ends.denied);
        tally("faults", "requests for memory refused, the process ended", ends.host_ended);
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
    each_request_refused("right code");
}

#[test]
fn a_wrong_code_without_memory_opens_nothing() {
    each_request_refused("wrong code");
}

#[test]
fn a_recovery_code_without_memory_opens_once_at_most() {
    each_request_refused("right recovery code");
}

#[test]
fn a_first_attempt_without_memory_leaves_nothing_in_the_way() {
    each_request_refused("first attempt ever");
}

#[test]
fn who_is_enrolled_is_asked_without_memory_where_it_is_optional() {
    each_request_refused("enrolled where it is optional");
}

#[test]
fn who_is_asked_for_a_group_alone_is_asked_without_memory() {
    each_request_refused("asked for a group alone");
}

/// Debian's order. Where the files cannot be read, systemd says for itself alone that there is no such account.
#[test]
fn an_account_that_could_not_be_looked_up_is_not_taken_for_unknown() {
    const FOLDERS: [&str; 4] = ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    if !FOLDERS.iter().any(|folder| fs::exists(format!("{folder}/libnss_systemd.so.2")).unwrap()) {
        println!("skipped: libnss_systemd.so.2 is not here");
        return;
    }
    let order = |world: &World| world.write("/etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n");
    // Every request in every run: few of an attempt's belong to the look-up, and a sample could pass them by.
    refuse(order, "asked for a group alone", |all| all);
}
