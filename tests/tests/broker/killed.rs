//! Clients and brokers are killed in the middle. What is stored is then as it was or as it was to be, the next client
//! is served, and nobody was taken for anybody else. Of the places to be killed at, `make test` takes every fifth.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use twinlock_tests::{
    Authenticator, Broker, Enrolled, PASSWORD, PamCode, STORE, Snapshot, Terminal, address_in, credentials_of,
    recovery_code_in, sample_of_sweep, state_of,
};

use crate::injection::{Host, Point, attach, later_code, numbered, points, wait_until, wait_until_idle, with_host};
use crate::person::{Given, Talk, Turn, enroll, renew};

const FREE: &str = "second_factor = \"optional\"\n[self_service]\nallow = [\"enroll\", \"replace\", \"recovery\", \"device\", \"remove\"]\n";
const REPORT: &str = "/run/client-trace";

/// The system calls of a command from its connection to the broker on, which is the last it makes. Where to cannot be
/// seen: the command lets nobody read its memory.
fn after_connecting(trace: &str) -> Vec<Point> {
    let names = trace.lines().filter_map(|line| {
        let (name, _) = line.split_once(' ')?.1.trim_start().split_once('(')?;
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| name.to_owned())
    });
    let all = numbered(names);
    let connected = all.iter().rposition(|(name, _)| name == "connect").unwrap();
    all[connected..].to_vec()
}

/// How a command is seen through on its terminal, until it ends or is killed; the new app, if one was shown.
type Drive = fn(&mut Person<'_>) -> Option<Authenticator>;

struct Person<'a> {
    terminal: Terminal,
    held: Option<&'a Enrolled>,
}

impl Person<'_> {
    /// Waits for the question; `None` if the command was killed before.
    fn is_asked(&mut self, question: &str) -> Option<String> {
        self.terminal.expect_or_end(question)
    }

    fn prove(&mut self) -> Option<()> {
        self.is_asked("To confirm your identity, enter a code from your app or a recovery code: ")?;
        let code = self.held.unwrap().codes().next();
        self.terminal.send_line(&code);
        Some(())
    }

    fn keep_recovery_codes(&mut self) -> Option<()> {
        let shown = self.is_asked("Enter one of these codes to confirm that you saved them: ")?;
        let code = recovery_code_in(&shown);
        self.terminal.send_line(&code);
        Some(())
    }
}

fn enrols(person: &mut Person<'_>) -> Option<Authenticator> {
    person.is_asked("Password: ")?;
    person.terminal.send_line(PASSWORD);
    let shown = person.is_asked("Enter the code that the app shows now: ")?;
    let app = Authenticator::from_uri(address_in(&shown));
    person.terminal.send_line(&app.code_at(app.now_step()));
    // Killed after this, the app is known all the same.
    let _kept = person.keep_recovery_codes();
    Some(app)
}

fn renews(person: &mut Person<'_>) -> Option<Authenticator> {
    person.prove()?;
    person.keep_recovery_codes()?;
    None
}

fn removes(person: &mut Person<'_>) -> Option<Authenticator> {
    person.prove()?;
    None
}

/// Kills the command at each system call after it has connected. `check` is told whether the store was changed, and the
/// new app.
fn killed_everywhere(
    arguments: &[&str],
    enrolled: bool,
    drive: Drive,
    check: impl Fn(&Host<'_>, &str, bool, Option<&Authenticator>) + Sync,
) {
    with_host(FREE, |host| {
        let broker = host.world.broker();
        let held = enrolled.then(|| host.deploy());
        let run = |options: &[&str]| {
            let under = [&["strace", "-f", "-o", REPORT], options].concat();
            let terminal = Terminal::start(host.world.twinlock_as(&host.alice, arguments).under(under));
            let mut person = Person { terminal, held: held.as_ref() };
            let app = drive(&mut person);
            (person.terminal.finish(), app)
        };
        host.world.write(REPORT, "");
        host.world.give(REPORT, &host.alice);
        let again = || {
            host.forget();
            drop(fs::remove_file(state_of("alice")));
            if enrolled {
                host.deploy();
            }
        };
        let (output, _) = run(&[]);
        assert_eq!(output.code, Some(0), "{output:?}");
        let points = after_connecting(&fs::read_to_string(REPORT).unwrap());
        assert!((10..400).contains(&points.len()), "{points:?}");
        let points: Vec<_> = sample_of_sweep(5, points.iter()).collect();
        let (mut hits, mut changes) = (0, 0);
        for (name, number) in &points {
            again();
            let (before, deployed) = (Snapshot::of(STORE), fs::read(credentials_of("alice")).ok());
            let (trace, fault) = (format!("trace={name}"), format!("inject={name}:signal=SIGKILL:when={number}"));
            let (output, app) = run(&["-e", &trace, "-e", &fault]);
            hits += usize::from(output.signal == Some(9));
            wait_until_idle(&broker);
            let when = format!("killed at {name} {number}");
            let store = Snapshot::of(STORE);
            let another = fs::read(credentials_of("alice")).ok() != deployed;
            changes += usize::from(another);
            if !enrolled && !another {
                assert_eq!(store, before, "{when}");
            }
            host.assert_sound(&when);
            check(host, &when, another, app.as_ref());
            assert!(broker.is_running());
        }
        assert!(hits * 10 >= points.len() * 8, "most were killed: {hits} of {}", points.len());
        assert!(changes > 0 && changes < points.len(), "{changes} of {}", points.len());
        assert_eq!(broker.stop().code, Some(0));
    });
}

#[test]
fn a_command_killed_anywhere_in_an_enrolment_enrolled_or_did_not() {
    killed_everywhere(&["enroll"], false, enrols, |host, when, changed, app| {
        assert_eq!(host.is_enrolled(), changed, "{when}");
        if changed {
            assert!(host.verifies(&later_code(app.unwrap())), "{when}: the lock is free, and what was shown works");
        }
    });
}

#[test]
fn a_broker_whose_client_was_killed_before_it_was_looked_at_takes_it_for_nobody_else() {
    with_host(FREE, |host| {
        let held = host.deploy();
        let bob = host.world.account("bob");
        let broker = host.world.broker();
        let before = Snapshot::of(STORE);
        for request in
            [json!("remove"), renew(), enroll("instead"), json!({ "device": [held.id, "suspend"] }), json!("status")]
        {
            // The broker sleeps while bob comes, asks, and dies.
            let pid = Pid::from_raw(broker.pid());
            kill(pid, Signal::SIGSTOP).unwrap();
            let caller = host.world.caller(bob.uid);
            let (mut named, mut own) = (caller.connect(), caller.connect());
            for (raw, user) in [(&mut named, json!("alice")), (&mut own, Value::Null)] {
                raw.say('R', json!({ "version": 1, "user": user, "request": request }).to_string().as_bytes());
            }
            drop(caller);
            kill(pid, Signal::SIGCONT).unwrap();
            let answer = named.hear().map(|frame| frame.text()).unwrap_or_default();
            assert!(answer.contains("not permitted: only root can do this for another account"), "{request}: {answer}");
            let answer = own.hear().map(|frame| frame.text()).unwrap_or_default();
            assert!(answer.contains("bob is not enrolled") || answer.contains("\"bob\""), "{request}: {answer}");
            drop((named, own));
            wait_until_idle(&broker);
            assert_eq!(Snapshot::of(STORE), before, "{request}");
        }
    });
}

#[test]
fn a_broker_that_cannot_tell_who_came_serves_nobody() {
    with_host(FREE, |host| {
        host.deploy();
        let broker = host.world.broker();
        let before = Snapshot::of(STORE);
        for error in ["ENOTCONN", "ENOPROTOOPT", "EBADF", "ENOMEM"] {
            let tracer =
                attach(&broker, &["-e", "trace=getsockopt", "-e", &format!("inject=getsockopt:error={error}")]);
            for request in [json!("status"), json!("remove")] {
                assert_eq!(host.asks(&request, Given::default()), Turn::Gone, "{error}");
                // Not even root.
                assert_eq!(
                    Talk::begin(twinlock_tests::Raw::connect(), &request, Given::default()).finish(),
                    Turn::Gone,
                    "{error}"
                );
            }
            assert!(tracer.injected(), "{error}");
        }
        assert_eq!(Snapshot::of(STORE), before);
        assert!(host.asks(&json!("status"), Given::default()).is_done());
    });
}

/// Kills the broker in one request after another: at the first system call of each name up to the last answer, and from
/// the lock on, where things are stored, at every one.
fn broker_killed_everywhere(
    host: &Host<'_>,
    request: &Value,
    given: impl Fn(&Option<Enrolled>) -> Given + Sync,
    enrolled: bool,
) {
    let again = || {
        drop(fs::remove_file(credentials_of("alice")));
        drop(fs::remove_file(state_of("alice")));
        enrolled.then(|| host.deploy())
    };
    let first = if enrolled { "To confirm your identity" } else { "Password" };
    let last = "Enter one of these codes";
    let talk = |held: &Option<Enrolled>| {
        Talk::begin(host.world.caller(host.alice.uid).connect(), request, given(held)).until(first)
    };

    // Which there are, in both parts.
    let held = again();
    let broker = host.world.broker();
    let early = {
        let mut talk = talk(&held);
        let tracer = attach(&broker, &["-b", "execve"]);
        let answer = talk.answer_to(first).unwrap();
        talk.type_in(&answer);
        let mut names = std::collections::BTreeSet::new();
        let talk = talk.until(last);
        let points: Vec<_> =
            points(&tracer.detach()).into_iter().filter(|(name, _)| names.insert(name.clone())).collect();
        drop(talk);
        points
    };
    wait_until_idle(&broker);
    let held = again();
    let late = {
        let mut talk = talk(&held).until_last(first, last);
        let tracer = attach(&broker, &["-b", "execve"]);
        assert!(talk.finish_with(last).is_done());
        wait_until_idle(&broker);
        let mut points = points(&tracer.detach());
        let lock = points.iter().position(|(name, _)| name == "flock").unwrap();
        points.split_off(lock)
    };
    assert!(early.len() > 5 && late.len() > 20, "{early:?} {late:?}");
    drop(broker);

    let mut outcomes = [0, 0];
    let mut broker: Broker = host.world.broker();
    let all = early.iter().map(|point| (point, false)).chain(late.iter().map(|point| (point, true)));
    for (point, is_late) in sample_of_sweep(5, all) {
        let (name, number) = point;
        let when = format!("killed at {name} {number}, late: {is_late}");
        let held = again();
        let (mut talk, question) =
            if is_late { (talk(&held).until_last(first, last), last) } else { (talk(&held), first) };
        let tracer = attach(
            &broker,
            &[
                "-b",
                "execve",
                "-e",
                &format!("trace={name}"),
                "-e",
                &format!("inject={name}:signal=SIGKILL:when={number}"),
            ],
        );
        let end = talk.finish_with(question);
        tracer_ends(tracer, &broker, &end, &when);
        // A new one, over the socket that the old one left.
        drop(broker);
        broker = host.world.broker();
        host.assert_sound(&when);
        let new = talk.app.clone().map(|app| later_code(&app));
        let new_works = new.is_some_and(|code| host.verifies(&code));
        if let Some(held) = &held {
            let mut codes = held.codes();
            // The first one may have shown whose it is.
            let (now, next) = (codes.next(), codes.next());
            let old_works = [&now, &next].iter().any(|code| host.logs_in(code) == PamCode::Success);
            assert_ne!(old_works, new_works, "the old one or the new one: {when}");
        } else {
            assert_eq!(host.is_enrolled(), new_works, "{when}");
        }
        assert!(!end.is_done() || new_works, "what was said to be done is done: {when}");
        outcomes[usize::from(new_works)] += 1;
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "{outcomes:?}");
}

/// The broker is gone, unless it came to its end without the call.
fn tracer_ends(tracer: crate::injection::Tracer, broker: &Broker, end: &Turn, when: &str) {
    if !matches!(end, Turn::Done(_)) {
        wait_until(when, || !broker.is_running());
    }
    drop(tracer.detach());
}

#[test]
fn a_broker_killed_anywhere_in_a_first_enrolment_leaves_nothing_by_half() {
    with_host("", |host| broker_killed_everywhere(host, &enroll("first"), |_| Given::password(), false));
}

#[test]
fn a_broker_killed_anywhere_in_a_replacement_leaves_the_old_one_or_the_new_one() {
    with_host("", |host| {
        broker_killed_everywhere(
            host,
            &enroll("instead"),
            |held| Given::code(&held.as_ref().unwrap().recovery_codes[0]),
            true,
        );
    });
}

#[test]
fn a_command_killed_anywhere_in_a_renewal_renewed_or_did_not() {
    killed_everywhere(&["recovery", "new", "alice"], true, renews, |host, when, _, _| assert_lane_free(host, when));
}

#[test]
fn a_command_killed_anywhere_in_a_removal_removed_or_did_not() {
    killed_everywhere(&["remove", "alice", "--yes"], true, removes, |host, when, changed, _| {
        assert_eq!(host.is_enrolled(), !changed, "{when}");
        if !changed {
            assert_lane_free(host, when);
        }
    });
}

fn assert_lane_free(host: &Host<'_>, when: &str) {
    let app = host.world.app_of("alice");
    assert_eq!(host.logs_in(&later_code(&app)), PamCode::Success, "{when}: {:#?}", host.world.log());
}
