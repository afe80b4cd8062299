//! Interrupted: at every question the store and the terminal stay as they were; and readers that went away.

use twinlock_tests::{Authenticator, Launch, STORE, Snapshot, Terminal, World};

use crate::cli::alice::{with_account, with_alice};

/// The command on a terminal whose settings are printed before and after it.
fn watched(world: &World, arguments: &[&str]) -> Terminal {
    let script =
        "trap : INT; stty -g | sed 's/^/before /'; \"$@\"; echo \"status $?\"; stty -g | sed 's/^/after /'; echo end";
    Terminal::start(world.twinlock_launch(arguments).under(["sh", "-c", script, "sh"]))
}

/// Sends this key, waits for the end, and claims that terminal and store are as before; the exit status of the command.
fn interrupted_by(mut terminal: Terminal, key: &[u8], store: &Snapshot) -> String {
    terminal.send(key);
    terminal.expect("\nend\n");
    let output = terminal.finish();
    let line = |start: &str| output.stdout.lines().find_map(|line| line.strip_prefix(start)).unwrap_or("").to_owned();
    assert!(!line("before ").is_empty(), "{output:?}");
    assert_eq!(line("after "), line("before "), "U07");
    assert_eq!(&Snapshot::of(STORE), store);
    // Behind the echo of the key.
    output
        .stdout
        .lines()
        .find_map(|line| line.split_once("status ").map(|(_, status)| status.to_owned()))
        .unwrap_or_default()
}

const CTRL_C: &[u8] = b"\x03";
const CTRL_D: &[u8] = b"\x04";
/// 128 and the number of SIGINT, as shells say it.
const BY_SIGINT: &str = "130";

fn at_the_first_question(world: &World) -> (Terminal, Authenticator) {
    let mut terminal = watched(world, &["enroll", "alice"]);
    let shown = terminal.expect("Enter the code that the app shows now: ");
    let address = shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap();
    let app = Authenticator::from_uri(address);
    (terminal, app)
}

#[test]
fn ctrl_c_and_ctrl_d_at_the_confirming_code_change_nothing() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        assert_eq!(interrupted_by(at_the_first_question(world).0, CTRL_C, &store), BY_SIGINT);
        assert_eq!(interrupted_by(at_the_first_question(world).0, CTRL_D, &store), "1");
    });
}

#[test]
fn ctrl_c_and_ctrl_d_at_the_recovery_code_change_nothing() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        for (key, status) in [(CTRL_C, BY_SIGINT), (CTRL_D, "1")] {
            let (mut terminal, app) = at_the_first_question(world);
            terminal.send_line(&app.codes().next());
            terminal.expect("Enter one of these codes to confirm that you saved them: ");
            assert_eq!(interrupted_by(terminal, key, &store), status);
        }
    });
}

#[test]
fn ctrl_c_at_every_other_question_changes_nothing() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        for (arguments, question) in [
            (&["enroll", "alice", "--replace"][..], "Enter the code that the app shows now: "),
            (&["recovery", "new", "alice"], "Enter one of these codes to confirm that you saved them: "),
            (&["remove", "alice"], "Type yes: "),
            (&["verify", "alice"], "Verification code: "),
        ] {
            let mut terminal = watched(world, arguments);
            terminal.expect(question);
            assert_eq!(interrupted_by(terminal, CTRL_C, &store), BY_SIGINT, "{arguments:?}");
            let mut terminal = watched(world, arguments);
            terminal.expect(question);
            assert_eq!(interrupted_by(terminal, CTRL_D, &store), "1", "{arguments:?}");
        }
    });
}

#[test]
fn a_terminal_that_goes_away_changes_nothing() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        let (terminal, _) = at_the_first_question(world);
        terminal.process().kill();
        terminal.finish();
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn a_reader_that_went_away_is_no_news_to_anybody() {
    with_alice(|world, _| {
        for arguments in [&["status", "alice"][..], &["status", "alice", "--json"], &["check"], &["--help"]] {
            let script = "\"$@\" 2>/run/err | :; cat /run/err";
            let output = world.twinlock_launch(arguments).under(["sh", "-c", script, "sh"]).run();
            assert_eq!(output.parts(), (Some(0), "", ""), "{arguments:?}");
        }
    });
}

#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    with_alice(|world, _| {
        let output = world.twinlock_launch(&["status", "alice"]).under(["sh", "-c", "\"$@\" >/dev/full", "sh"]).run();
        let told = "twinlock: cannot write the output: No space left on device (os error 28)\n";
        assert_eq!(output.parts(), (Some(1), "", told));
    });
}

#[test]
fn closed_streams_do_not_stop_what_needs_none() {
    with_alice(|world, _| {
        for closed in ["<&-", "2>&-", "<&- 2>&-"] {
            let script = format!("\"$@\" {closed}");
            let output = world.twinlock_launch(&["check"]).under(["sh", "-c", &script, "sh"]).run();
            assert_eq!(output.code, Some(0), "{closed}: {output:?}");
        }
        assert_eq!(
            Launch::new(["twinlock", "unlock", "alice"]).under(["sh", "-c", "\"$@\" <&- >&- 2>&-", "sh"]).run().code,
            Some(0)
        );
    });
}
