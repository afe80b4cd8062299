//! `twinlock unlock` and `twinlock remove`.

use twinlock_tests::{ForgedState, PamCode, STORE, Snapshot, State, Terminal};

use crate::cli::alice::{login, with_account, with_alice};

#[test]
fn unlock_forgets_failures_and_not_what_was_used() {
    with_alice(|world, alice| {
        let mut codes = alice.codes();
        let (now, next) = (codes.next_step(), codes.next());
        alice.state().wrong_codes(100).wrong_recovery_codes(100).used(now).spent_codes([1]).write(world);
        let output = world.twinlock(&["unlock", "alice"]);
        assert_eq!(output.parts(), (Some(0), "", "alice: cleared the failures; one code is enough again\n"));
        assert_eq!(State::of("alice").charges(), [0; 4]);
        assert_eq!(login(world, &alice.enrolled.authenticator.code_at(now)), PamCode::AuthErr);
        assert_eq!(login(world, alice.recovery_code(0)), PamCode::AuthErr);
        assert_eq!(login(world, &next), PamCode::Success);
    });
}

#[test]
fn unlock_takes_several_names() {
    with_alice(|world, alice| {
        let bob = world.account("bob");
        world.deploy("bob");
        alice.state().wrong_codes(5).write(world);
        ForgedState::of(&bob).wrong_codes(5).write(world);
        let output = world.twinlock(&["unlock", "alice", "bob"]);
        assert_eq!(
            output.parts(),
            (
                Some(0),
                "",
                "alice: cleared the failures; one code is enough again\nbob: cleared the failures; one code is enough again\n"
            )
        );
        assert_eq!(["alice", "bob"].map(|user| State::of(user).charges()), [[0; 4]; 2]);
    });
}

#[test]
fn unlock_does_nothing_when_one_name_is_wrong() {
    with_alice(|world, alice| {
        world.account("bob");
        alice.state().wrong_codes(5).write(world);
        let store = Snapshot::of(STORE);
        assert_eq!(world.twinlock(&["unlock", "alice", "zoe"]).code, Some(1), "unknown");
        assert_eq!(world.twinlock(&["unlock", "alice", "bob"]).code, Some(4), "not enrolled");
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn unlock_of_who_never_logged_in_after_a_deployment_is_fine() {
    with_account(|world, _| {
        world.deploy("alice");
        assert_eq!(world.twinlock(&["unlock", "alice"]).code, Some(0));
    });
}

#[test]
fn remove_asks_and_only_yes_removes() {
    with_alice(|world, _| {
        let store = Snapshot::of(STORE);
        for answer in ["", "y", "Yes", "no", "yes please"] {
            let mut terminal = Terminal::start_with_error_apart(world.twinlock_launch(&["remove", "alice"]));
            terminal
                .expect("Without a second factor, alice cannot log in until enrolled again.\nRemove the second factor of alice? Type yes: ");
            terminal.send_line(answer);
            let output = terminal.finish();
            let told = "twinlock: not confirmed, so alice keeps the second factor\nhint: type the word yes to confirm, or use --yes\n";
            assert_eq!((output.code, output.stderr.as_str()), (Some(1), told), "{answer:?}");
            assert_eq!(Snapshot::of(STORE), store);
        }
        let mut terminal = Terminal::start_with_error_apart(world.twinlock_launch(&["remove", "alice"]));
        terminal.expect("Type yes: ");
        terminal.send_line("yes");
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(world.twinlock(&["status", "alice"]).code, Some(4));
    });
}

#[test]
fn remove_with_yes_takes_credentials_and_state_away() {
    with_alice(|world, alice| {
        let output = world.twinlock(&["remove", "alice", "--yes"]);
        let told = "alice: second factor removed. Without a second factor, alice cannot log in until enrolled again.\n";
        assert_eq!(output.parts(), (Some(0), "", told));
        assert_eq!(Snapshot::of(STORE).paths().len(), 5, "the folders and the id of the store");
        assert_eq!(login(world, &alice.codes().next()), PamCode::AuthErr);
    });
}

/// After userdel, with or without a state file, `remove` leaves nothing: neither the files nor the entry by uid.
#[test]
fn an_account_that_is_gone_can_be_removed() {
    for is_stateless in [false, true] {
        with_account(|world, _| {
            let empty = Snapshot::of(STORE).paths().len();
            world.enrol("alice");
            world.remove_account("alice");
            let state = twinlock_tests::state_of("alice");
            assert!(state.exists() && std::path::Path::new(STORE).join("uid/1001").exists());
            if is_stateless {
                std::fs::remove_file(state).unwrap();
            }
            assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
            assert_eq!(Snapshot::of(STORE).paths().len(), empty);
            assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(1), "there is no account named alice");
        });
    }
}

#[test]
fn remove_says_what_it_means_under_the_policy_in_force() {
    with_alice(|world, _| {
        world.write(twinlock_tests::CONFIG, "second_factor = \"optional\"\n");
        let output = world.twinlock(&["remove", "alice", "--yes"]);
        assert_eq!(
            output.stderr,
            "alice: second factor removed. Without a second factor, alice logs in with the first factor alone.\n"
        );
    });
}

#[test]
fn remove_without_a_terminal_is_refused_clearly() {
    with_alice(|world, _| {
        let output = world.twinlock(&["remove", "alice"]);
        let told = "twinlock: cannot ask whether to remove the second factor of alice: there is no terminal\nhint: use --yes to remove it without a question\n";
        assert_eq!(output.parts(), (Some(1), "", told));
    });
}

#[test]
fn every_change_is_logged_with_who_made_it_and_nothing_secret() {
    with_account(|world, _| {
        let mark = world.log_mark();
        let enrolled = world.enrol("alice");
        world.enrol_with("alice", &["--replace"]);
        for arguments in
            [&["recovery", "new", "alice", "--no-confirm"][..], &["unlock", "alice"], &["remove", "alice", "--yes"]]
        {
            assert_eq!(world.twinlock(arguments).code, Some(0));
        }
        let lines = world.log_since(mark);
        let texts: Vec<_> = lines.iter().map(|line| (line.facility, line.tag.as_str(), line.text.as_str())).collect();
        let expected = ["enrolled", "replaced", "recovery-codes-renewed", "unlocked", "removed"]
            .map(|what| format!("change={what} user=alice by-uid=0"));
        assert_eq!(texts, expected.iter().map(|text| (10, "twinlock", text.as_str())).collect::<Vec<_>>());
        assert!(enrolled.recovery_codes.iter().all(|code| !texts.iter().any(|(_, _, text)| text.contains(code))));
    });
}
