//! Interrupted: what was hidden at a password is shown again afterwards, and a broker that goes away is reported.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use twinlock_tests::{Account, DEADLINE, PASSWORD, STORE, Setup, Snapshot, Terminal, User, World};

use crate::asked::{CONFIRM, PROOF};

/// The command, in a process whose number is said first, between two looks at the settings of the terminal.
const WATCHED: &str = "trap : INT TERM HUP QUIT; stty -g | sed 's/^/before /'\n\
     sh -c 'echo \"process $$\"; exec \"$@\"' sh \"$@\"\n\
     echo \"status $?\"; stty -g | sed 's/^/after /'; echo end";

struct Watched {
    terminal: Terminal,
    process: Pid,
}

fn watched(world: &World, account: &Account, arguments: &[&str]) -> Watched {
    let mut terminal = Terminal::start(world.twinlock_as(account, arguments).under(["sh", "-c", WATCHED, "sh"]));
    terminal.expect("process ");
    let process = Pid::from_raw(terminal.expect("\n").trim().parse().unwrap());
    Watched { terminal, process }
}

/// The end: the terminal is as it was before; the exit status, and all that was shown.
fn end(mut watched: Watched) -> (String, String) {
    watched.terminal.expect("\nend\n");
    let output = watched.terminal.finish();
    let line = |start: &str| output.stdout.lines().find_map(|line| line.strip_prefix(start)).unwrap_or("").to_owned();
    assert!(!line("before ").is_empty(), "{output:?}");
    assert_eq!(line("after "), line("before "), "U07: {output:?}");
    // Behind the echo of a key, where one was pressed.
    let status = output.stdout.lines().find_map(|line| line.split_once("status ").map(|(_, status)| status.to_owned()));
    (status.unwrap_or_default(), output.stdout)
}

/// Waits until the broker is through with so many passwords: a user is asked for one at a time.
fn passwords_asked(world: &World, number: usize) {
    let end = Instant::now() + DEADLINE;
    while world.log().iter().filter(|line| line.text.starts_with("password=")).count() < number {
        assert!(Instant::now() < end, "the broker still asks for a password: {:#?}", world.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn at_the_password(world: &World, alice: &Account) -> Watched {
    let mut watched = watched(world, alice, &["enroll"]);
    watched.terminal.expect("Password: ");
    watched.terminal.send(b"correct horse");
    watched
}

#[test]
fn whatever_ends_the_password_question_the_terminal_shows_again_what_is_typed() {
    Setup::with_broker().unenrolled(|world, alice| {
        let store = Snapshot::of(STORE);
        let mut asked = 0;
        for (signal, status) in [
            (Signal::SIGTERM, "143"),
            (Signal::SIGHUP, "129"),
            (Signal::SIGINT, "130"),
            (Signal::SIGQUIT, "131"),
            (Signal::SIGKILL, ""),
        ] {
            let watched = at_the_password(world, alice);
            kill(watched.process, signal).unwrap();
            if signal == Signal::SIGKILL {
                // Nobody can clean up after that; it must not hold the broker up, that is all.
                drop(watched);
            } else {
                let (ended, shown) = end(watched);
                assert_eq!(ended, status, "{signal}: {shown}");
                // What was typed is not looked at: the kernel may not have come to it before the signal.
            }
            asked += 1;
            passwords_asked(world, asked);
        }
        for (keys, status) in [(&b"\x03"[..], "130"), (b"\x1c", "131"), (b"\x15\x04", "1")] {
            let mut watched = at_the_password(world, alice);
            watched.terminal.send(keys);
            let (ended, shown) = end(watched);
            assert_eq!(ended, status, "{keys:?}: {shown}");
            assert!(!shown.contains("correct"), "{shown}");
            asked += 1;
            passwords_asked(world, asked);
        }
        assert_eq!(Snapshot::of(STORE), store);
        // And the broker is there for the next one.
        let mut watched = watched(world, alice, &["enroll"]);
        watched.terminal.expect("Password: ");
        watched.terminal.send_line(PASSWORD);
        watched.terminal.expect(CONFIRM);
        watched.terminal.send(b"\x04");
        assert_eq!(end(watched).0, "1");
    });
}

#[test]
fn what_is_typed_after_the_password_is_seen() {
    Setup::with_broker().unenrolled(|world, alice| {
        let mut watched = watched(world, alice, &["enroll"]);
        watched.terminal.expect("Password: ");
        watched.terminal.send_line(PASSWORD);
        watched.terminal.expect(CONFIRM);
        watched.terminal.send_line("hello");
        watched.terminal.expect("hello\n");
        watched.terminal.expect(CONFIRM);
        kill(watched.process, Signal::SIGTERM).unwrap();
        let (status, shown) = end(watched);
        assert_eq!(status, "143", "also after the question, signals end it");
        assert!(!shown.contains(PASSWORD), "{shown}");
    });
}

#[test]
fn a_terminal_that_is_lost_at_the_password_ends_it() {
    Setup::with_broker().unenrolled(|world, alice| {
        let store = Snapshot::of(STORE);
        // A terminal of script(1), which takes it along when it is killed.
        let inner = "exec script -qfec \"$*\" /dev/null";
        let launch = world.twinlock_as(alice, &["enroll"]).under(["sh", "-c", inner, "sh"]);
        let mut terminal = Terminal::start(launch);
        terminal.expect("Password: ");
        terminal.process().kill();
        passwords_asked(world, 1);
        drop(terminal);
        assert_eq!(Snapshot::of(STORE), store);
        let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
        terminal.expect("Password: ");
    });
}

fn kill_broker(alice: &User<'_>) {
    alice.broker().kill();
    while alice.broker().is_running() {
        std::thread::yield_now();
    }
}

/// What is said when the broker is gone: before an answer could be sent, or after.
fn told_of(shown: &str) {
    assert!(shown.contains("twinlock: the broker did not finish the request: the connection was closed\n"), "{shown}");
    assert!(shown.contains("hint: see `twinlock status` for whether anything was changed"), "{shown}");
}

#[test]
fn a_broker_that_goes_away_at_any_question_is_told_of_and_changes_nothing() {
    Setup::with_broker().enrolled(|alice| {
        let bob = alice.world.account("bob");
        let store = Snapshot::of(STORE);
        let mut at_password = watched(alice.world, &bob, &["enroll"]);
        at_password.terminal.expect("Password: ");
        let mut at_proof = watched(alice.world, &alice.account, &["device", "rename", "alice", "phone", "x"]);
        at_proof.terminal.expect(PROOF);
        let mut at_verify = watched(alice.world, &alice.account, &["verify"]);
        at_verify.terminal.expect("Verification code: ");
        kill_broker(alice);
        for mut watched in [at_password, at_proof, at_verify] {
            watched.terminal.send_line("123456");
            let (status, shown) = end(watched);
            assert_eq!(status, "1", "{shown}");
            told_of(&shown);
        }
        assert_eq!(Snapshot::of(STORE), store);
        let output = alice.runs(&["status"], &[]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
        assert!(
            output
                .stderr
                .contains("the broker (twinlockd) is not running\nhint: ask your administrator to start the broker"),
            "{output:?}"
        );
    });
}

#[test]
fn a_broker_that_goes_away_before_an_app_is_confirmed_stores_nothing() {
    Setup::with_broker().enrolled(|alice| {
        let mut watched = watched(alice.world, &alice.account, &["enroll", "--add", "--png", "/home/alice/x.png"]);
        watched.terminal.expect(PROOF);
        watched.terminal.send_line(alice.recovery_code(0));
        watched.terminal.expect(CONFIRM);
        let credentials = Snapshot::of(twinlock_tests::credentials_of("alice"));
        kill_broker(alice);
        watched.terminal.send_line("123456");
        let (status, shown) = end(watched);
        assert_eq!(status, "1", "{shown}");
        told_of(&shown);
        assert!(!std::fs::exists("/home/alice/x.png").unwrap(), "nor a picture");
        assert_eq!(Snapshot::of(twinlock_tests::credentials_of("alice")), credentials);
    });
}
