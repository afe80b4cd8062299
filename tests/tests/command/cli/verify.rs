//! `twinlock verify`: a code counts as in a login, and is used up.

use twinlock_tests::{Output, PamCode, State, Terminal, World};

use crate::cli::alice::{login, with_alice};

/// With the answers piped in, a line each.
fn verify(world: &World, answers: &[&str]) -> Output {
    let input = answers.iter().flat_map(|answer| [answer, "\n"]).collect::<String>();
    world.twinlock_launch(&["verify", "alice"]).run_with_input(input.as_bytes())
}

#[test]
fn a_right_code_exits_0_and_is_used_up_for_logins_too() {
    with_alice(|world, alice| {
        let code = alice.codes().next();
        assert_eq!(
            verify(world, &[&code]).parts(),
            (Some(0), "correct: the code is now used up; the next login needs a new one\n", "")
        );
        assert_eq!(login(world, &code), PamCode::AuthErr);
    });
}

#[test]
fn a_code_used_in_a_login_is_used_here_too() {
    with_alice(|world, alice| {
        let code = alice.codes().next();
        assert_eq!(login(world, &code), PamCode::Success);
        let told = "twinlock: that code has been used already\nhint: wait for the next code\n";
        assert_eq!(verify(world, &[&code]).parts(), (Some(1), "", told));
    });
}

#[test]
fn a_wrong_code_exits_1_and_is_charged_in_the_one_record() {
    with_alice(|world, alice| {
        let told = "twinlock: that code is not valid: it matches neither the app right now nor a recovery code\nhint: check that the phone and this host set their time automatically\n";
        assert_eq!(verify(world, &[&alice.wrong_code()]).parts(), (Some(1), "", told));
        assert_eq!(State::of("alice").charges(), [1, 1, 0, 1]);
    });
}

#[test]
fn a_recovery_code_is_spent_and_what_is_left_is_told() {
    with_alice(|world, alice| {
        let code = alice.recovery_code(0);
        assert_eq!(
            verify(world, &[code]).parts(),
            (Some(0), "correct: this recovery code is now used up; 9 left\n", "")
        );
        assert_eq!(login(world, code), PamCode::AuthErr);
    });
}

#[test]
fn junk_exits_1_and_costs_nothing() {
    with_alice(|world, _| {
        let state = State::of("alice");
        let told = "twinlock: that is not a code: codes have 6 to 8 digits, recovery codes 16 letters and digits\nhint: it was not counted as a failure; enter the code again\n";
        assert_eq!(verify(world, &["hunter2"]).parts(), (Some(1), "", told));
        assert_eq!(State::of("alice"), state);
    });
}

#[test]
fn without_an_answer_it_exits_1() {
    with_alice(|world, _| {
        let told = "twinlock: no code was entered\nhint: enter the code at the prompt, or pipe it into stdin\n";
        assert_eq!(verify(world, &[]).parts(), (Some(1), "", told));
    });
}

#[test]
fn in_step_up_two_lines_are_read() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(3).write(world);
        let mut codes = alice.codes();
        let output = verify(world, &[&codes.next(), &codes.next()]);
        assert_eq!(output.parts(), (Some(0), "correct: the code is now used up; the next login needs a new one\n", ""));
    });
}

#[test]
fn too_soon_is_told_in_seconds() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(3).failed_ago(0).write(world);
        let output = verify(world, &[&alice.codes().next()]);
        assert!(
            output.code == Some(1)
                && output
                    .stderr
                    .starts_with("twinlock: too many incorrect codes: this one was not checked, try again in "),
            "{output:?}"
        );
    });
}

#[test]
fn when_disabled_it_names_the_remedy() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(100).write(world);
        let told = "twinlock: codes of alice are disabled after too many failures; recovery codes still work\nhint: root can enable them again with `twinlock unlock alice`\n";
        assert_eq!(verify(world, &[&alice.codes().next()]).parts(), (Some(1), "", told));
    });
}

#[test]
fn its_line_in_the_log_is_that_of_a_login() {
    with_alice(|world, alice| {
        let mark = world.log_mark();
        verify(world, &[&alice.codes().next()]);
        let entries = world.entries_since(mark);
        let line =
            "result=granted reason=- user=alice method=totp authenticator=phone1 service=twinlock rhost=- failures=0";
        assert_eq!(entries.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), [line]);
    });
}

#[test]
fn on_a_terminal_it_asks() {
    with_alice(|world, alice| {
        let mut terminal = Terminal::start(world.twinlock_launch(&["verify", "alice"]));
        terminal.expect("Verification code: ");
        terminal.send_line(&alice.codes().next());
        terminal.expect("correct: the code is now used up; the next login needs a new one\n");
        assert_eq!(terminal.finish().code, Some(0));
    });
}

#[test]
fn an_endless_line_is_junk_and_not_read_to_its_end() {
    with_alice(|world, _| {
        let launch =
            world.twinlock_launch(&["verify", "alice"]).under(["sh", "-c", "tr '\\0' 7 </dev/zero | \"$@\"", "sh"]);
        let output = launch.run();
        assert!(output.code == Some(1) && output.stderr.starts_with("twinlock: that is not a code"), "{output:?}");
    });
}
