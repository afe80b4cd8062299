//! Many at once, and slow ones: a user who takes all of their own places takes nobody else's.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use twinlock_tests::{Broker, Caller, DEADLINE, ForgedState, Raw, frame};

use crate::messages::{Said, ask, hear_out, request, with_limit, with_scene};

/// Connections of one user that are served at once.
const OF_ONE: usize = 8;
/// Of everybody.
const OF_ALL: usize = 256;
const CROWD: usize = 1000;
/// Files that a broker may open under systemd.
const SYSTEMD: u32 = 1024;

/// What somebody hears for whom there is no place.
fn busy() -> Said {
    let content = r#"{"cause":"refused","message":"the broker is busy","hint":"try again in a minute"}"#;
    Said { questions: vec![], last: Some('F'), content: content.into() }
}

/// So many connections that the broker has asked something on: they have their places.
fn seated(caller: &Caller, count: usize) -> Vec<Raw> {
    let begun: Vec<Raw> = (0..count)
        .map(|_| {
            let mut connection = caller.connect();
            connection.say('R', &request(None, &json!("verify")));
            connection
        })
        .collect();
    let each = begun.into_iter().map(|mut connection| {
        assert_eq!(connection.hear().map(|frame| frame.kind), Some('Q'));
        connection
    });
    each.collect()
}

/// The descriptors of a thousand connections are this process's too.
fn raise_own_limit() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
}

/// Descriptors and threads; all of them once it has served somebody, because it listens before it has begun all threads.
fn held(broker: &Broker) -> (usize, usize) {
    (broker.descriptors(), broker.threads())
}

/// Waits until the broker holds no more than it did.
fn assert_all_given_back(broker: &Broker, before: (usize, usize)) {
    let end = Instant::now() + DEADLINE;
    let is_more = |now: (usize, usize)| now.0 > before.0 || now.1 > before.1;
    while is_more(held(broker)) {
        assert!(Instant::now() < end, "{:?}, before {before:?}", held(broker));
        thread::sleep(Duration::from_millis(2));
    }
}

fn assert_served(connection: Raw, user: &str) {
    let said = ask(connection, &request(None, &json!("status")));
    assert_eq!((said.last, &said.json()["status"]["user"]), (Some('D'), &json!(user)), "{said:?}");
}

#[test]
fn a_thousand_connections_of_one_user_are_in_nobody_else_s_way() {
    raise_own_limit();
    with_limit(SYSTEMD, |scene| {
        let (alice, bob) = (scene.caller(&scene.alice), scene.caller(&scene.bob));
        assert_served(alice.connect(), "alice");
        let (before, memory) = (held(&scene.broker), scene.broker.resident_kib());
        let seated = seated(&alice, OF_ONE);
        let crowd: Vec<Raw> = (0..CROWD - OF_ONE).map(|_| alice.connect()).collect();
        assert_served(bob.connect(), "bob");
        scene.assert_serving();
        for connection in crowd {
            assert_eq!(hear_out(connection), busy());
        }
        assert_eq!(ask(alice.connect(), &request(None, &json!("status"))), busy());
        assert_served(bob.connect(), "bob");
        drop(seated);
        assert_all_given_back(&scene.broker, before);
        assert_served(alice.connect(), "alice");
        let more = scene.broker.resident_kib().saturating_sub(memory);
        assert!(more < 8192, "{more} KiB");
    });
}

#[test]
fn a_thousand_connections_of_many_users_are_in_nobody_else_s_way() {
    raise_own_limit();
    with_limit(SYSTEMD, |scene| {
        let users: Vec<_> = (0..25).map(|number| scene.world.account(&format!("user{number}"))).collect();
        let callers: Vec<_> = users.iter().map(|user| scene.caller(user)).collect();
        let bob = scene.caller(&scene.bob);
        assert_served(bob.connect(), "bob");
        let before = held(&scene.broker);
        let seats: Vec<_> = callers.iter().map(|caller| seated(caller, OF_ONE)).collect();
        let crowd: Vec<Raw> =
            callers.iter().flat_map(|caller| (0..CROWD / 25 - OF_ONE).map(|_| caller.connect())).collect();
        assert_served(bob.connect(), "bob");
        scene.assert_serving();
        for connection in crowd {
            assert_eq!(hear_out(connection), busy());
        }
        drop(seats);
        assert_all_given_back(&scene.broker, before);
        assert_served(callers[7].connect(), "user7");
    });
}

#[test]
fn where_all_places_are_taken_everybody_is_told_so_and_nothing_breaks() {
    raise_own_limit();
    with_limit(SYSTEMD, |scene| {
        let users: Vec<_> = (0..OF_ALL / OF_ONE).map(|number| scene.world.account(&format!("user{number}"))).collect();
        let callers: Vec<_> = users.iter().map(|user| scene.caller(user)).collect();
        let bob = scene.caller(&scene.bob);
        assert_served(bob.connect(), "bob");
        let before = held(&scene.broker);
        let mut seats: Vec<_> = callers.iter().map(|caller| seated(caller, OF_ONE)).collect();
        assert_eq!(ask(bob.connect(), &request(None, &json!("status"))), busy());
        assert_eq!(ask(Raw::connect(), &request(None, &json!("status"))), busy());
        let command = scene.world.twinlock_as(&scene.bob, &["status"]).run();
        assert_eq!(
            (command.code, command.stdout.as_str(), command.stderr.as_str()),
            (Some(1), "", "twinlock: the broker is busy\nhint: try again in a minute\n")
        );
        // One place that is given back is one that can be taken.
        let mut left = seats.pop().unwrap().pop().unwrap();
        left.say('X', b"");
        hear_out(left);
        assert_served(bob.connect(), "bob");
        drop(seats);
        assert_all_given_back(&scene.broker, before);
        scene.assert_serving();
    });
}

#[test]
fn a_broker_that_runs_out_of_descriptors_serves_again_when_it_has_some() {
    with_limit(32, |scene| {
        let users = [&scene.alice, &scene.bob, &scene.carol].map(|user| scene.caller(user));
        assert_served(users[0].connect(), "alice");
        let before = held(&scene.broker);
        let silent: Vec<Raw> = users.iter().flat_map(|user| (0..30).map(|_| user.connect())).collect();
        drop(silent);
        assert_all_given_back(&scene.broker, before);
        assert_served(users[0].connect(), "alice");
    });
}

/// The one test that waits for the time limit of a first message.
#[test]
fn whoever_is_slow_is_in_nobody_else_s_way_and_is_cut_off() {
    with_scene(|scene| {
        let (alice, bob, carol) = (scene.caller(&scene.alice), scene.caller(&scene.bob), scene.caller(&scene.carol));
        // bob sits at a question: a person may take their time.
        let _asked = seated(&bob, OF_ONE - 1);
        assert_served(carol.connect(), "carol");
        let before = held(&scene.broker);
        let whole = frame('R', &request(None, &json!("status")));
        let begin = Instant::now();
        let mut slow: Vec<Raw> = (0..OF_ONE).map(|_| alice.connect()).collect();
        let mut served = 0;
        for byte in whole.chunks(1) {
            for connection in &mut slow {
                connection.send(byte);
            }
            if slow[0].is_hung_up_within(Duration::from_millis(990)) {
                break;
            }
            let asked = Instant::now();
            assert_served(bob.connect(), "bob");
            assert_served(carol.connect(), "carol");
            assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
            served += 1;
        }
        let cut_off = begin.elapsed();
        assert!((9..15).contains(&cut_off.as_secs()), "{cut_off:?}");
        assert!(served >= 8, "{served}");
        for connection in slow {
            assert!(hear_out(connection).is_nothing());
        }
        assert_all_given_back(&scene.broker, before);
        assert_served(alice.connect(), "alice");
    });
}

#[test]
fn whoever_does_not_listen_is_in_nobody_else_s_way() {
    with_scene(|scene| {
        let carol = scene.caller(&scene.carol);
        assert_served(carol.connect(), "carol");
        let before = held(&scene.broker);
        let deaf: Vec<Raw> = (0..OF_ONE)
            .map(|_| {
                let mut connection = carol.connect();
                connection.say('R', &request(None, &json!("status")));
                connection
            })
            .collect();
        assert_served(scene.caller(&scene.bob).connect(), "bob");
        // What was said to them is kept by the kernel, and their places are free.
        assert_all_given_back(&scene.broker, before);
        assert_served(carol.connect(), "carol");
        drop(deaf);
    });
}

#[test]
fn a_password_is_asked_for_once_at_a_time() {
    with_scene(|scene| {
        let carol = scene.caller(&scene.carol);
        let wish = request(None, &crate::messages::wish("first"));
        let mut first = carol.connect();
        first.say('R', &wish);
        assert_eq!([first.hear(), first.hear()].map(|frame| frame.unwrap().kind), ['T', 'H']);
        let second = ask(carol.connect(), &wish);
        assert_eq!(second.refusal(), "another enrolment of your account is asking for your password at the moment");
        first.say('X', b"");
        assert_eq!(hear_out(first).refusal(), "the password was not accepted");
        assert_eq!(ask(carol.connect(), &wish).questions, ["Password: "]);
    });
}

#[test]
fn guesses_over_many_connections_are_charged_to_one_budget() {
    with_scene(|scene| {
        ForgedState::of(&scene.alice).write(scene.world);
        let caller = scene.caller(&scene.alice);
        let connections = seated(&caller, OF_ONE);
        let threads = connections.into_iter().map(|mut connection| {
            thread::spawn(move || {
                connection.say('A', b"000000");
                hear_out(connection).refusal()
            })
        });
        let refusals: Vec<_> = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
        let looked_at = refusals.iter().filter(|refusal| refusal.starts_with("that code is not valid")).count();
        let failures = twinlock_tests::State::of("alice").number("throttle.failures");
        assert_eq!(u64::try_from(looked_at).unwrap(), failures, "{refusals:?}");
        assert!(refusals.iter().all(|refusal| !refusal.starts_with("right")), "{refusals:?}");
    });
}

#[test]
fn what_modules_write_while_the_password_is_asked_bears_the_broker_s_name() {
    with_scene(|scene| {
        let said = ask(scene.caller(&scene.carol).connect(), &request(None, &crate::messages::wish("first")));
        assert_eq!(said.questions, ["Password: "]);
        let line = scene.world.wait_for_log(|line| line.text.contains("password=wrong user=carol"));
        assert_eq!(line.tag, "twinlockd");
        let mut wrong = scene.caller(&scene.carol).connect();
        wrong.say('R', &request(None, &crate::messages::wish("first")));
        assert_eq!([wrong.hear(), wrong.hear()].map(|frame| frame.unwrap().kind), ['T', 'H']);
        wrong.say('A', b"not it");
        assert_eq!(hear_out(wrong).refusal(), "the password was not accepted");
        let line =
            scene.world.wait_for_log(|line| line.text.starts_with("pam_unix(twinlock:auth): authentication failure"));
        assert_eq!(line.tag, "twinlockd");
    });
}
