//! Several logins at once, and logins that break off.

use twinlock_tests::{Session, Sshd, Terminal, World, in_sshd_world};

use crate::login_sshd::shipped_host::{
    PROMPT, before_the_drop_in, failures, key_and_code, mode, on_a_host, ours, texts, with_alice,
};

/// Brings `clients` logins to the prompt, gives them all the same answer at once, and looks who got in.
fn race(world: &World, clients: usize, answer: &str) {
    let sshd = Sshd::from_file(world, "/etc/ssh/sshd_config");
    let mark = world.log_mark();
    let mut sessions: Vec<_> = (0..clients).map(|_| sshd.login("alice").terminal()).collect();
    for session in &mut sessions {
        session.expect(PROMPT);
    }
    for session in &mut sessions {
        session.send_line(answer);
    }
    let logins: Vec<_> = sessions.into_iter().map(Session::finish).collect();
    let inside = logins.iter().filter(|login| login.granted).count();
    let lines = texts(&world.log_since(mark));
    assert_eq!((inside, lines.len()), (1, clients), "{lines:#?}\n{logins:#?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("result=granted ")).count(), 1, "{lines:#?}");
}

#[test]
fn of_logins_with_one_code_exactly_one_gets_in() {
    in_sshd_world(|world| {
        let _sshd = key_and_code(world);
        let alice = world.enrol("alice");
        race(world, 8, &alice.codes().next());
        assert_eq!((failures(world, "alice"), mode(world, "alice")), (0, "normal".into()));
    });
}

#[test]
fn a_used_code_is_refused_with_a_word_and_the_owner_gets_in_with_the_next_one() {
    with_alice(key_and_code, |_, sshd, alice| {
        let mut codes = alice.codes();
        let (used, next) = (codes.next(), codes.next());
        assert!(sshd.login("alice").answer(&used).run().granted);
        let login = sshd.login("alice").option("NumberOfPasswordPrompts=2").answer(&used).answer(&next).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT, PROMPT]);
        assert!(login.stderr.contains("That code has already been used. Enter the next one."), "{login:#?}");
        assert!(ours(&login)[0].starts_with("result=refused reason=replayed"), "{login:#?}");
    });
}

#[test]
fn of_logins_with_one_recovery_code_exactly_one_gets_in() {
    in_sshd_world(|world| {
        let _sshd = key_and_code(world);
        let alice = world.enrol("alice");
        race(world, 4, &alice.recovery_codes[0]);
    });
}

#[test]
fn of_logins_with_one_issued_code_exactly_one_gets_in() {
    in_sshd_world(|world| {
        let _sshd = key_and_code(world);
        world.enrol("alice");
        let issued = world.twinlock(&["recovery", "issue", "alice"]);
        race(world, 4, issued.stdout.trim_end());
        assert!(world.log().iter().any(|line| line.text.contains("method=issued")));
    });
}

#[test]
fn logins_of_different_users_do_not_disturb_each_other() {
    on_a_host(key_and_code, |world, sshd| {
        world.account("bob");
        let (alice, bob) = (world.enrol("alice"), world.enrol("bob"));
        let mut sessions = [("alice", alice.codes().next()), ("bob", bob.codes().next())]
            .map(|(user, code)| (sshd.login(user).terminal(), code));
        for (session, _) in &mut sessions {
            session.expect(PROMPT);
        }
        for (session, code) in &mut sessions {
            session.send_line(code);
        }
        for (session, _) in sessions {
            let login = session.finish();
            assert!(login.granted, "{login:#?}");
        }
    });
}

#[test]
fn a_login_that_waits_at_the_prompt_holds_up_nobody() {
    with_alice(key_and_code, |_, sshd, alice| {
        let mut waiting = sshd.login("alice").terminal();
        waiting.expect(PROMPT);
        let mut codes = alice.codes();
        assert!(sshd.login("alice").answer(codes.next()).run().granted);
        waiting.send_line(&codes.next());
        assert!(waiting.finish().granted);
    });
}

#[test]
fn who_leaves_at_the_prompt_is_charged_nothing() {
    with_alice(key_and_code, |world, sshd, alice| {
        for leave in [Terminal::interrupt, |terminal: &mut Terminal| terminal.process().kill()] {
            let mut session = sshd.login("alice").terminal();
            session.expect(PROMPT);
            leave(&mut session.terminal);
            let login = session.finish();
            assert!(!login.granted, "{login:#?}");
            // sshd ends the child in which the module waits; nobody is left to write a line.
            assert_eq!(texts(&login.server_log), [""; 0]);
        }
        assert_eq!(failures(world, "alice"), 0);
        assert!(sshd.login("alice").answer(alice.codes().next()).run().granted);
    });
}

#[test]
fn who_is_cut_off_by_the_grace_time_is_charged_nothing() {
    on_a_host(key_and_code, |world, sshd| {
        world.enrol("alice");
        before_the_drop_in(world, "LoginGraceTime 1\n");
        let mut session = sshd.login("alice").terminal();
        session.expect(PROMPT);
        session.wait_for_server();
        // The client notices when something is typed.
        session.send_line("123456");
        let login = session.finish();
        assert!(!login.granted && texts(&login.server_log).is_empty(), "{login:#?}");
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn guesses_at_once_are_counted_like_guesses_one_after_the_other() {
    with_alice(key_and_code, |world, sshd, alice| {
        let wrong = alice.authenticator.wrong_code();
        let mark = world.log_mark();
        let mut sessions: Vec<_> = (0..8).map(|_| sshd.login("alice").terminal()).collect();
        for session in &mut sessions {
            session.expect(PROMPT);
        }
        for session in &mut sessions {
            session.send_line(&wrong);
        }
        for session in sessions {
            assert!(!session.finish().granted);
        }
        let lines = texts(&world.log_since(mark));
        let of = |reason: &str| lines.iter().filter(|line| line.contains(&format!("reason={reason} "))).count();
        assert_eq!((of("wrong-code"), of("throttled"), lines.len()), (3, 5, 8), "{lines:#?}");
        assert_eq!(failures(world, "alice"), 3);
    });
}
