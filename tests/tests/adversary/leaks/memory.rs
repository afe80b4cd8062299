//! The memory of the host, which a core dump would show: nothing secret is left in it by an attempt.
//!
//! The host here keeps nothing of what passes through it, so there is nothing to subtract. That the search finds what is
//! there is shown on a host that does keep its answers.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use twinlock_tests::{
    Attempt, Authenticator, Canaries, Memory, Operation, PASSWORD, Relay, Said, Setup, User, credentials_of, in_world,
    tally,
};

use crate::leaks::owner::{EXACT, with_alice};

/// Nothing of the canaries is in the memory of the host now.
fn is_clean(relay: &Relay, canaries: &Canaries, when: &str) {
    let memory = relay.memory();
    let found = memory.found(canaries);
    assert!(found.is_empty(), "T-LEAK: {when}: {found:#?}");
    tally("leaks", "bytes of memory searched", memory.size());
}

/// Answers prompt after prompt until the operation returns, and looks at what is left then and after `pam_end`.
fn leaves_nothing(alice: &User<'_>, canaries: &Canaries, attempt: Attempt, answers: &[&str]) -> String {
    let mut relay = attempt.relay(alice.world);
    let mut answers = answers.iter();
    let code = loop {
        match relay.listen() {
            Said::Prompt(_) => relay.answer(answers.next().unwrap()),
            Said::Notice(_) => {}
            Said::Done(code) => break code,
            Said::Ended => unreachable!("it returns first"),
        }
    };
    is_clean(&relay, canaries, &format!("after {code}"));
    relay.answer("");
    assert_eq!(relay.listen(), Said::Ended);
    is_clean(&relay, canaries, &format!("after pam_end, and {code}"));
    code
}

#[test]
fn an_attempt_leaves_no_secret_and_no_answer_in_the_host() {
    with_alice(|alice, canaries| {
        let mut codes = alice.codes();
        let (right, next, wrong) = (codes.next(), codes.next(), alice.wrong_code());
        for code in [&right, &next, &wrong] {
            canaries.code(code);
        }
        let strange = "JKMN-PQRS-TVWX-0000";
        canaries.recovery_code(strange);
        let recovery = alice.recovery_code(0).to_owned();
        let state = || alice.state();
        let (success, refused) = ("Authenticate Success", "Authenticate AuthErr");
        for (state, answers, end) in [
            (Some(state()), &[right.as_str()][..], success),
            (None, &[right.as_str()], refused),
            (None, &[wrong.as_str()], refused),
            (None, &[recovery.as_str()], success),
            (None, &[recovery.as_str()], refused),
            (None, &[strange], refused),
            (None, &[PASSWORD], refused),
            (Some(state().wrong_codes(3)), &[right.as_str(), &next], success),
            (Some(state().wrong_codes(3)), &[wrong.as_str(), &next], refused),
            (Some(state().wrong_codes(3).failed_ago(0)), &[right.as_str(), &next], refused),
            (Some(state().wrong_codes(100)), &[right.as_str()], refused),
        ] {
            if let Some(state) = state {
                state.write(alice.world);
            }
            assert_eq!(leaves_nothing(alice, canaries, alice.attempt(), answers), end, "{answers:?}");
        }
        let stack = "auth required pam_twinlock.so forward_pass\nauth required pam_unix.so use_first_pass\n";
        alice.world.service("forward", stack);
        state().write(alice.world);
        // Until pam_end the password is PAM_AUTHTOK, which is libpam's.
        let mut relay = Attempt::new("forward").user("alice").relay(alice.world);
        assert_eq!(relay.listen(), Said::Prompt("Password & verification code: ".into()));
        relay.answer(&format!("{PASSWORD}{right}"));
        assert_eq!(relay.listen(), Said::Done(success.into()));
        relay.answer("");
        assert_eq!(relay.listen(), Said::Ended);
        is_clean(&relay, canaries, "after pam_end, and a password with a code behind");
    });
}

#[test]
fn credentials_that_cannot_be_read_leave_nothing_in_the_host() {
    with_alice(|alice, canaries| {
        let path = credentials_of("alice");
        let text = fs::read_to_string(&path).unwrap();
        for (whole, broken) in [
            ("digits = 8", "digits = x"),
            ("digits = 8", "digits = 9"),
            ("version = 1", "version = 2"),
            ("[recovery]", "[recovery"),
            ("algorithm", "algorythm"),
        ] {
            alice.world.write_secret(&path, text.replace(whole, broken));
            let wrong = alice.wrong_code();
            assert_eq!(
                leaves_nothing(alice, canaries, alice.attempt(), &[&wrong]),
                "Authenticate AuthinfoUnavail",
                "{broken}"
            );
        }
    });
}

#[test]
fn sealed_credentials_leave_neither_their_key_nor_their_secret_in_the_host() {
    let key: [u8; 32] = std::array::from_fn(|at| 0x5a ^ u8::try_from(at * 7).unwrap());
    Setup::new().config("[store]\nkey_file = \"/etc/twinlock-key\"\n").enrolled(|alice| {
        alice.world.write_secret("/etc/twinlock-key", key);
        assert_eq!(alice.world.twinlock(&["seal", "enable", "--escrow", "/root/phrase"]).code, Some(0));
        let mut canaries = Canaries::default();
        canaries.secret(&key);
        canaries.secret(&alice.enrolled.authenticator.secret);
        let (code, recovery) = (alice.codes().next(), alice.recovery_code(0).to_owned());
        for (answer, end) in [
            (code.as_str(), "Authenticate Success"),
            (code.as_str(), "Authenticate AuthErr"),
            (recovery.as_str(), "Authenticate Success"),
        ] {
            assert_eq!(leaves_nothing(alice, &canaries, alice.attempt(), &[answer]), end, "{answer}");
        }
    });
}

#[test]
fn enrolling_inside_a_login_leaves_nothing_in_the_host() {
    in_world(|world| {
        world.set_up("second_factor = \"enroll\"\n");
        world.service("svc", EXACT);
        world.account("alice");
        for is_finished in [false, true] {
            let attempt = Attempt::new("svc").user("alice").pam_environment("SSH_AUTH_INFO_0", "password");
            let operations = [Operation::Authenticate, Operation::AcctMgmt, Operation::SetCred];
            let mut relay = attempt.operations(operations).relay(world);
            let mut canaries = Canaries::default();
            let Said::Prompt(shown) = relay.listen() else { panic!("it is offered") };
            let (_, key) = shown.split_once("by hand:\n  ").unwrap();
            let app = Authenticator::from_base32(&key.split("  ").next().unwrap().replace(' ', ""));
            canaries.secret(&app.secret);
            assert_ne!(relay.memory().found(&canaries), Vec::<String>::new(), "it is what is being shown");
            if is_finished {
                relay.answer(&app.codes().next());
                let Said::Prompt(shown) = relay.listen() else { panic!("recovery codes are shown") };
                let codes: Vec<_> = shown.split_whitespace().filter(|word| word.len() == 19).collect();
                for code in &codes {
                    canaries.recovery_code(code);
                }
                relay.answer(codes[2]);
                assert_eq!(relay.listen(), Said::Done("Authenticate Success".into()));
            } else {
                for _ in 0..4 {
                    relay.answer(&app.wrong_code());
                    assert!(matches!(relay.listen(), Said::Prompt(_)));
                }
                relay.answer(&app.wrong_code());
                assert!(matches!(relay.listen(), Said::Notice(_)));
                assert_eq!(relay.listen(), Said::Done("Authenticate AuthErr".into()));
                is_clean(&relay, &canaries, "after an enrolment that was given up");
            }
            for _ in 0..2 {
                relay.answer("");
                while !matches!(relay.listen(), Said::Done(_)) {}
            }
            relay.answer("");
            assert_eq!(relay.listen(), Said::Ended);
            is_clean(&relay, &canaries, "after an enrolment and pam_end");
        }
        assert!(credentials_of("alice").exists(), "the last one was stored");
    });
}

#[test]
fn the_search_finds_what_a_host_keeps() {
    with_alice(|alice, canaries| {
        let wrong = alice.wrong_code();
        canaries.code(&wrong);
        let held = alice.attempt().held().answer(&wrong).start(alice.world);
        assert_ne!(Memory::of(held.process()).found(canaries), Vec::<String>::new());
        held.kill();
    });
}

/// The core that the kernel writes of a host that aborts here. `None` where it hands cores to a program.
fn core_of(relay: Relay) -> Option<Vec<u8>> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.starts_with(['|', '/', '@']) || pattern.contains('%') {
        println!("no core to look at, but the memory: core_pattern is {pattern}");
        return None;
    }
    kill(Pid::from_raw(relay.process().pid()), Signal::SIGABRT).unwrap();
    assert_eq!(relay.finish().signal, Some(Signal::SIGABRT as i32));
    let cores = fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.path());
    let core = cores.into_iter().find(|path| path.to_string_lossy().starts_with("/tmp/core")).expect("a core");
    let bytes = fs::read(&core).unwrap();
    fs::remove_file(core).unwrap();
    assert!(bytes.starts_with(b"\x7fELF"));
    Some(bytes)
}

#[test]
fn a_core_dump_at_the_prompt_or_behind_it_has_no_secret() {
    with_alice(|alice, canaries| {
        let wrong = alice.wrong_code();
        let dumping = ["sh", "-c", "ulimit -c unlimited && cd /tmp && exec \"$@\"", "sh"];
        for answers in 0..=1 {
            let mut relay = alice.attempt().under(dumping).relay(alice.world);
            assert!(matches!(relay.listen(), Said::Prompt(_)));
            if answers == 1 {
                relay.answer(&wrong);
                assert!(matches!(relay.listen(), Said::Done(_)));
            }
            is_clean(&relay, canaries, "before the abort");
            if let Some(core) = core_of(relay) {
                assert_eq!(canaries.found_in(&core), None, "after {answers} answers");
                tally("leaks", "bytes of core dumps searched", core.len() as u64);
            }
        }
    });
}
