//! Every request for memory of an attempt, refused: that one, or that one and all after it.
//!
//! The host lives. What the module asks for is small and comes out of its reserve then; but for the memory of Argon2, which
//! is refused, and denies. What libpam and libc ask for themselves comes back as an error of theirs, and denies or is of no
//! consequence. Three things are not struck here: the memory of the conversation, which is the host's own; the first look at
//! a database (`look_people_up` in `fault-host`); and what libc makes for each thread when the module panics, because no
//! attempt does.

use std::fs;

use twinlock_tests::{CONFIG, End, Faults, PamCode, Shortage, World, is_long, tally};

use crate::scenario::{Scenario, of};
use crate::scene::{Scene, on_a_host, on_a_host_where};

/// What comes out of the reserve, in bytes: as much as the largest file that a login reads has.
const SMALL: u32 = 64 * 1024;

/// How many requests there are, and what became of the attempt when one was refused, or one and all after it.
#[derive(Debug, Default)]
struct Ends {
    requests: usize,
    one: Ended,
    all: Ended,
}

#[derive(Debug, Default)]
struct Ended {
    as_usual: usize,
    denied: usize,
}

/// Strikes every request, or one of so many.
fn sweep(scene: &Scene<'_>, scenario: &Scenario, stride: usize) -> Ends {
    let whole = scene.strike(scenario, &Faults { measured: true, ..Faults::default() });
    assert_eq!(whole.code(), Some(scenario.normal), "{whole:?}");
    let mut ends = Ends { requests: whole.requests, ..Ends::default() };
    let stride = if is_long() { 1 } else { stride };
    for at in (0..whole.requests).step_by(stride) {
        for (shortage, ended) in [(Shortage::At(at), &mut ends.one), (Shortage::From(at), &mut ends.all)] {
            let told = scene.strike(scenario, &Faults { shortage: Some(shortage), ..Faults::default() });
            assert!(told.refused_memory, "{}: {shortage:?} was never asked for", scenario.name);
            match &told.end {
                End::Returned(codes) if codes[0] == scenario.normal => ended.as_usual += 1,
                End::Returned(_) => ended.denied += 1,
                End::Killed(_) | End::Left(_) => panic!("{}: {shortage:?} ended the host: {told:?}", scenario.name),
            }
        }
    }
    scene.assert_silent();
    for (what, count) in [
        ("requests for memory refused, the attempt ended as usual", ends.one.as_usual),
        ("requests for memory refused, denied", ends.one.denied),
        ("requests for memory refused with all after them, as usual", ends.all.as_usual),
        ("requests for memory refused with all after them, denied", ends.all.denied),
    ] {
        tally("faults", what, u64::try_from(count).unwrap());
    }
    ends
}

/// No request of the module's own changes what comes of the attempt: of those that do there are a few, libpam's and libc's.
fn only_others_deny(name: &str, of_others: usize) {
    only_others_deny_where(|_| (), name, of_others);
}

fn only_others_deny_where(prepare: impl FnOnce(&World) + Send, name: &str, of_others: usize) {
    on_a_host_where(prepare, |scene| {
        let ends = sweep(scene, &of(name), 1);
        assert!(ends.requests >= 100, "{ends:?}");
        assert_eq!(ends.one.as_usual + ends.one.denied, ends.requests);
        assert!(ends.one.denied <= of_others, "{ends:?}");
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
    only_others_deny("right code", 6);
}

#[test]
fn a_wrong_code_without_memory_opens_nothing() {
    only_others_deny("wrong code", 6);
}

#[test]
fn a_recovery_code_without_memory_opens_once_at_most() {
    only_others_deny("right recovery code", 7); // Argon2's
}

#[test]
fn a_first_attempt_without_memory_leaves_nothing_in_the_way() {
    only_others_deny("first attempt ever", 6);
}

#[test]
fn who_is_enrolled_is_asked_without_memory_where_it_is_optional() {
    only_others_deny("enrolled where it is optional", 6);
}

#[test]
fn who_is_asked_for_a_group_alone_is_asked_without_memory() {
    only_others_deny("asked for a group alone", 20);
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
    only_others_deny_where(order, "asked for a group alone", 20);
}

#[test]
fn with_fifty_rules_the_reserve_is_large_enough() {
    let rule = |number| {
        format!(
            "[[rule]]\nname = \"rule {number}\"\nservices = [\"sshd\"]\nusers = [\"bob\", \"carol\", \"dan\"]\n\
             second_factor = \"required\"\n"
        )
    };
    let rules: String = (0..50).map(rule).collect();
    let more = |world: &World| world.write(CONFIG, fs::read_to_string(CONFIG).unwrap() + &rules);
    on_a_host_where(more, |scene| {
        for name in ["right code", "right recovery code"] {
            let ends = sweep(scene, &of(name), 11);
            assert!(ends.requests >= 500, "{ends:?}");
        }
    });
}
