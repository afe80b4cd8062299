//! What is shown, and that it is the same for everybody.

use twinlock_tests::{Attempt, ForgedState, Message, PamCode, Setup, Style, World};

use crate::module::end::{granted, run};

/// Everything an attempt of `user` with this answer showed.
fn shown(world: &World, user: &str, answer: &str) -> Vec<Message> {
    run(world, Attempt::new("svc").user(user).answer(answer)).0.messages.clone()
}

#[test]
fn one_prompt_is_all_there_is_and_it_is_equal_for_everybody() {
    Setup::new().host(|world| {
        let users = ["enrolled", "not-enrolled", "disabled", "damaged", "root", "unknown"];
        for user in ["enrolled", "not-enrolled", "disabled", "damaged"] {
            let account = world.account(user);
            if user != "not-enrolled" {
                world.deploy(user);
                ForgedState::of(&account).wrong_codes(if user == "disabled" { 100 } else { 0 }).write(world);
            }
        }
        world.write_secret(twinlock_tests::state_of("damaged"), "torn");
        let prompt = Message { style: Style::EchoOn, text: "Verification code: ".into() };
        for answer in ["000000", "hunter2", "", "0000-0000-0000-0000"] {
            for user in users {
                assert_eq!(shown(world, user, answer), std::slice::from_ref(&prompt), "{user} {answer:?}");
            }
        }
    });
}

#[test]
fn nothing_is_shown_after_a_right_code() {
    Setup::new().enrolled(|alice| {
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!((end, outcome.messages.len()), (granted(), 1), "H02");
    });
}

#[test]
fn nothing_is_written_to_the_hosts_output() {
    Setup::new().enrolled(|alice| {
        for answer in [alice.codes().next(), alice.wrong_code(), "junk".into()] {
            let (outcome, _) = run(alice.world, alice.attempt().answer(answer));
            assert_eq!((outcome.output.stdout.as_str(), outcome.output.stderr.as_str()), ("", ""));
        }
    });
}

#[test]
fn a_right_code_is_refused_to_who_became_another_while_answering() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        for other in ["bob", "zoe", "root"] {
            alice.state().write(alice.world);
            let attempt = alice.attempt().change_user(other).answer(alice.codes().next());
            let (outcome, end) = run(alice.world, attempt);
            assert_eq!((end.code, outcome.user.as_deref()), (PamCode::SystemErr, Some(other)), "S02");
            assert!(end.log.contains("detail=\"PAM_USER changed while the user was asked for a code\""), "{end:?}");
        }
    });
}
