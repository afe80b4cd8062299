//! What can be learned about others by asking: nothing, neither from the words nor from how long they take.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::messages::{ask, login, request, say, store, with_scene};

/// Enrolled, not enrolled, deleted, never there, and nobody's name.
const OTHERS: [&str; 5] = ["bob", "dave", "erin", "mallory", "a:b\n/"];

#[test]
fn the_command_says_the_same_of_everybody_else() {
    with_scene(|scene| {
        let before = store();
        let mark = scene.world.log_mark();
        let said = "twinlock: not permitted: only root can do this for another account\n\
                    hint: run the command without a user name, or as root\n";
        for account in [&scene.alice, &scene.carol] {
            for name in OTHERS {
                for arguments in [
                    &["status", name][..],
                    &["status", name, "--json"],
                    &["verify", name],
                    &["resync", name],
                    &["enroll", name],
                    &["enroll", name, "--replace"],
                    &["recovery", "count", name],
                    &["device", "list", name],
                    &["device", "suspend", name, "phone1"],
                    &["remove", name, "--yes"],
                ] {
                    let output = scene.world.twinlock_as(account, arguments).run_with_input(b"123456\n");
                    assert_eq!(
                        (output.code, output.stdout.as_str(), output.stderr.as_str()),
                        (Some(3), "", said),
                        "{arguments:?}"
                    );
                }
            }
        }
        assert_eq!(store(), before);
        assert_eq!(scene.world.log_since(mark), []);
    });
}

/// How long what is done takes for each: the time that a quarter of the turns stayed below, which other work on the host
/// changes least. In turns, each time in another order, so that a busy host is busy for all.
fn times(mut one: impl FnMut(&str)) -> [Duration; OTHERS.len()] {
    const ROUNDS: usize = 200;
    let mut times: [Vec<Duration>; OTHERS.len()] = Default::default();
    for round in 0..ROUNDS {
        for turn in 0..OTHERS.len() {
            let which = (round + turn) % OTHERS.len();
            let begin = Instant::now();
            one(OTHERS[which]);
            times[which].push(begin.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[ROUNDS / 4]
    })
}

/// Only a gross difference is one: a password asked for, a code hashed, a lock waited for.
fn assert_alike(times: [Duration; OTHERS.len()]) {
    let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*most < *least * 3 + Duration::from_millis(1), "{OTHERS:?}: {times:?}");
}

#[test]
fn the_broker_takes_the_same_time_for_everybody_else() {
    with_scene(|scene| {
        let (alice, carol) = (scene.caller(&scene.alice), scene.caller(&scene.carol));
        assert_alike(times(|name| {
            assert_eq!(ask(alice.connect(), &request(Some(name), &json!("status"))).last, Some('F'));
        }));
        assert_alike(times(|name| {
            assert_eq!(say(carol.connect(), 'L', &login(name)).text(), "refused unknown-user");
        }));
    });
}
