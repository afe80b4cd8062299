//! Enrolment on a real terminal, as a person does it.

use twinlock_tests::{Authenticator, Enrolled, PamCode, STORE, Snapshot, State, Terminal, World};

use crate::cli::alice::{json, login, with_account, with_alice};

const CODE: &str = "Enter the code that the app shows now: ";
const ONE_OF_THEM: &str = "Enter one of these codes to confirm that you saved them: ";

fn enroll(world: &World, arguments: &[&str]) -> (Terminal, Authenticator, String) {
    let mut terminal = Terminal::start(world.twinlock_launch(&[&["enroll", "alice"], arguments].concat()));
    let shown = terminal.expect(CODE);
    let address = shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap();
    let app = Authenticator::from_uri(address);
    (terminal, app, shown)
}

fn recovery_codes(shown: &str) -> Vec<String> {
    shown
        .split_whitespace()
        .filter(|word| word.len() == 19 && word.matches('-').count() == 3)
        .map(str::to_owned)
        .collect()
}

/// Goes through the whole enrolment with this confirming code.
fn enrol(world: &World, code: impl FnOnce(&Authenticator) -> String) -> Enrolled {
    let (mut terminal, app, _) = enroll(world, &[]);
    terminal.send_line(&code(&app));
    let codes = recovery_codes(&terminal.expect(ONE_OF_THEM));
    terminal.send_line(&codes[0]);
    terminal.expect("Done: alice now has a second factor. Try it with `twinlock verify alice`.\n");
    assert_eq!(terminal.finish().code, Some(0));
    let status = json(&world.twinlock(&["status", "alice", "--json"]));
    let id = status["authenticators"][0]["id"].as_str().unwrap().to_owned();
    Enrolled { user: "alice".into(), id, label: "phone".into(), authenticator: app, recovery_codes: codes }
}

#[test]
fn an_enrolment_confirmed_by_code_and_recovery_code_works() {
    with_account(|world, _| {
        let mut next = 0;
        let alice = enrol(world, |app| {
            let mut codes = app.codes();
            let code = codes.next();
            next = codes.next_step();
            code
        });
        assert_eq!(alice.recovery_codes.len(), 10);
        assert_eq!(login(world, &alice.authenticator.code_at(next)), PamCode::Success);
        assert_eq!(login(world, &alice.recovery_codes[0]), PamCode::Success, "showing it did not spend it");
    });
}

#[test]
fn the_confirming_code_cannot_be_used_in_a_login() {
    with_account(|world, _| {
        let mut confirming = String::new();
        enrol(world, |app| {
            confirming = app.codes().next();
            confirming.clone()
        });
        assert_eq!(login(world, &confirming), PamCode::AuthErr);
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 0]);
    });
}

#[test]
fn the_key_is_shown_in_groups_of_four_with_issuer_and_account() {
    with_account(|world, _| {
        let (_terminal, app, shown) = enroll(world, &["--issuer", "web01"]);
        let line = |start: &str| shown.lines().find_map(|line| line.trim().strip_prefix(start)).unwrap();
        assert_eq!(line("Account  "), "web01: alice");
        let key = line("Key      ");
        let groups: Vec<_> = key.split(' ').collect();
        assert!(groups.len() == 8 && groups.iter().all(|group| group.len() == 4), "{key}");
        assert_eq!(Authenticator::from_base32(&groups.concat()), app);
    });
}

#[test]
fn a_wrong_confirming_code_is_explained_and_asked_again_and_nothing_is_stored() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        let (mut terminal, app, _) = enroll(world, &[]);
        for wrong in [app.wrong_code(), "hunter2".into(), String::new()] {
            terminal.send_line(&wrong);
            let told = terminal.expect(CODE);
            assert!(
                told.contains("That code does not match. Check that your phone sets its time automatically"),
                "{told}"
            );
        }
        assert_eq!(Snapshot::of(STORE), store);
        terminal.send_line(&app.codes().next());
        terminal.expect(ONE_OF_THEM);
        assert_eq!(Snapshot::of(STORE), store, "nothing before the end");
    });
}

#[test]
fn five_wrong_confirming_codes_end_it_and_nothing_is_stored() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        let (mut terminal, app, _) = enroll(world, &[]);
        for _ in 0..4 {
            terminal.send_line(&app.wrong_code());
            terminal.expect(CODE);
        }
        terminal.send_line(&app.wrong_code());
        terminal.expect("twinlock: not confirmed, so nothing was changed\nhint: run the command again when you have the phone and the codes at hand\n");
        assert_eq!(terminal.finish().code, Some(1));
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn five_wrong_recovery_codes_end_it_and_nothing_is_stored() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        let (mut terminal, app, _) = enroll(world, &[]);
        terminal.send_line(&app.codes().next());
        for _ in 0..5 {
            terminal.expect(ONE_OF_THEM);
            terminal.send_line("0000-0000-0000-0000");
        }
        terminal.expect("twinlock: not confirmed, so nothing was changed\n");
        assert_eq!(terminal.finish().code, Some(1));
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn a_confirming_code_may_be_spaced_as_apps_show_it() {
    with_account(|world, _| {
        enrol(world, |app| {
            let code = app.codes().next();
            let (one, two) = code.split_at(3);
            format!("{one} {two}")
        });
    });
}

#[test]
fn json_on_a_terminal_comes_after_the_dialogue_and_alone_on_stdout() {
    with_account(|world, _| {
        let launch = world.twinlock_launch(&["enroll", "alice", "--json"]);
        let mut terminal = Terminal::start(launch.under(["sh", "-c", "exec \"$@\" >/run/out", "sh"]));
        let shown = terminal.expect(CODE);
        let address = shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap().to_owned();
        terminal.send_line(&Authenticator::from_uri(&address).codes().next());
        let codes = recovery_codes(&terminal.expect(ONE_OF_THEM));
        terminal.send_line(&codes[2]);
        assert_eq!(terminal.finish().code, Some(0));
        let printed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string("/run/out").unwrap()).unwrap();
        assert_eq!(
            (printed["uri"].as_str(), printed["recovery_codes"][9].as_str()),
            (Some(address.as_str()), Some(codes[9].as_str()))
        );
    });
}

#[test]
fn replacing_keeps_the_old_one_until_the_new_one_is_confirmed() {
    with_alice(|world, alice| {
        let (mut terminal, app, _) = enroll(world, &["--replace"]);
        let mut old = alice.codes();
        assert_eq!(login(world, &old.next()), PamCode::Success, "still in force");
        terminal.send_line(&app.codes().next());
        let codes = recovery_codes(&terminal.expect(ONE_OF_THEM));
        terminal.send_line(&codes[0]);
        terminal.expect("Done: ");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(login(world, &old.next()), PamCode::AuthErr);
    });
}

#[test]
fn who_is_enrolled_is_told_before_the_phone_is_set_up() {
    with_alice(|world, _| {
        let mut terminal = Terminal::start(world.twinlock_launch(&["enroll", "alice"]));
        terminal.expect("twinlock: alice is already enrolled\n");
        let output = terminal.finish();
        assert!(output.code == Some(1) && !output.stdout.contains("Key "), "{output:?}");
    });
}
