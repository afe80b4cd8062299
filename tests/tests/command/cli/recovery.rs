//! `twinlock recovery new`.

use serde_json::json;
use twinlock_tests::{PamCode, STORE, Snapshot, State, Terminal};

use crate::cli::alice::{fields, json, login, with_alice};

#[test]
fn old_codes_are_dead_and_new_ones_work() {
    with_alice(|world, alice| {
        let output = world.twinlock(&["recovery", "new", "alice", "--no-confirm", "--json"]);
        let value = json(&output);
        assert!(
            fields(&output.stdout, &["user", "recovery_codes"]) && value.as_object().unwrap().len() == 2,
            "{output:?}"
        );
        assert_eq!(value["user"], json!("alice"));
        assert_eq!(value["recovery_codes"].as_array().unwrap().len(), 10);
        assert_eq!(login(world, alice.recovery_code(0)), PamCode::AuthErr);
        assert_eq!(login(world, value["recovery_codes"][9].as_str().unwrap()), PamCode::Success);
    });
}

#[test]
fn the_authenticator_and_what_it_used_stay() {
    with_alice(|world, alice| {
        let mut codes = alice.codes();
        let now = codes.next();
        assert_eq!(login(world, &now), PamCode::Success);
        assert_eq!(world.twinlock(&["recovery", "new", "alice", "--no-confirm"]).code, Some(0));
        assert_eq!(login(world, &now), PamCode::AuthErr);
        assert_eq!(login(world, &codes.next()), PamCode::Success);
    });
}

#[test]
fn all_are_left_again_and_their_own_row_of_failures_ends() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(1).wrong_recovery_codes(100).spent_codes(1..=9).write(world);
        assert_eq!(world.twinlock(&["recovery", "new", "alice", "--no-confirm"]).code, Some(0));
        let status = json(&world.twinlock(&["status", "alice", "--json"]));
        assert_eq!(status["recovery_codes_left"], 10);
        assert_eq!(State::of("alice").charges()[1..3], [1, 0]);
    });
}

#[test]
fn how_many_are_left_is_a_number_for_scripts_and_of_how_many_for_people() {
    with_alice(|world, alice| {
        let shown = || Terminal::start(world.twinlock_launch(&["recovery", "count", "alice"])).finish().stdout;
        assert_eq!(shown().trim_end(), "10 of 10 left");
        alice.state().spent_codes([1, 4]).write(world);
        assert_eq!(shown().trim_end(), "8 of 10 left");
        assert_eq!(world.twinlock(&["recovery", "count", "alice"]).stdout, "8\n");
        assert_eq!(json(&world.twinlock(&["status", "alice", "--json"]))["recovery_codes"], 10);
    });
}

#[test]
fn without_json_the_codes_are_printed_a_line_each() {
    with_alice(|world, _| {
        let output = world.twinlock(&["recovery", "new", "alice", "--no-confirm"]);
        assert_eq!((output.code, output.stdout.lines().count(), output.stderr.as_str()), (Some(0), 10, ""));
        assert_eq!(login(world, output.stdout.lines().next().unwrap()), PamCode::Success);
    });
}

#[test]
fn without_a_terminal_it_is_refused_clearly() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        let told = "twinlock: cannot show new recovery codes of alice: there is no terminal\n\
                    hint: connect with `ssh -t`; in scripts, use --no-confirm --json\n";
        assert_eq!(world.twinlock(&["recovery", "new", "alice"]).parts(), (Some(1), "", told));
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn on_a_terminal_one_is_asked_back_before_anything_changes() {
    with_alice(|world, alice| {
        let store = Snapshot::of(STORE);
        let mut terminal = Terminal::start(world.twinlock_launch(&["recovery", "new", "alice"]));
        let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
        let codes: Vec<_> =
            shown.split_whitespace().filter(|word| word.len() == 19 && word.matches('-').count() == 3).collect();
        assert_eq!(codes.len(), 10, "{shown}");
        terminal.send_line(alice.recovery_code(0));
        terminal
            .expect("That is not one of the codes above.\nEnter one of these codes to confirm that you saved them: ");
        assert_eq!(Snapshot::of(STORE), store);
        terminal.send_line(&codes[4].to_lowercase());
        terminal.expect("Done: the new recovery codes of alice are valid, and the old ones no longer work.\n");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(login(world, codes[4]), PamCode::Success, "showing it does not spend it");
    });
}
