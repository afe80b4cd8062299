//! Key and code, the recommended way: what gets in and what does not.

use crate::login_sshd::shipped_host::{
    PROMPT, failures, granted, key_and_code, on_a_host, ours, refused, unseen, with_alice,
};

#[test]
fn key_and_right_code_get_in() {
    with_alice(key_and_code, |_, sshd, alice| {
        let login = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT]);
        assert_eq!(ours(&login), [granted("alice", &alice.id)]);
        let accepted = "Accepted keyboard-interactive/pam for alice from 127.0.0.1";
        assert!(login.server_log.iter().any(|line| line.text.starts_with(accepted)), "{login:#?}");
        assert_eq!(login.stderr, "");
    });
}

#[test]
fn a_code_may_be_typed_in_groups() {
    on_a_host(key_and_code, |world, sshd| {
        let mut code = world.enrol("alice").codes().next();
        code.insert(3, ' ');
        assert!(sshd.login("alice").answer(code).run().granted);
    });
}

#[test]
fn a_wrong_code_is_refused_and_charged() {
    with_alice(key_and_code, |world, sshd, alice| {
        let login = sshd.login("alice").answer(alice.authenticator.wrong_code()).run();
        assert!(!login.granted && login.code == Some(255), "{login:#?}");
        assert_eq!(login.prompts, [PROMPT]);
        assert_eq!(ours(&login), [refused("wrong-code", "alice", "totp", 1)]);
        assert_eq!(failures(world, "alice"), 1);
    });
}

#[test]
fn a_used_code_and_an_older_one_are_refused() {
    with_alice(key_and_code, |_, sshd, alice| {
        let step = alice.codes().next_step();
        let code = |step| alice.authenticator.code_at(step);
        assert!(sshd.login("alice").answer(code(step)).run().granted);
        let again = sshd.login("alice").answer(code(step)).run();
        let older = sshd.login("alice").answer(code(step - 1)).run();
        assert!(!again.granted && !older.granted, "{again:#?} {older:#?}");
        assert_eq!(ours(&again), [refused("replayed", "alice", "totp", 0)]);
        let reason = ours(&older);
        // Of the step before, it may have fallen out of the window since.
        let possible = [("replayed", 0), ("wrong-code", 1)]
            .map(|(reason, failures)| vec![refused(reason, "alice", "totp", failures)]);
        assert!(possible.contains(&reason), "{reason:?}");
    });
}

#[test]
fn the_code_without_the_key_is_not_even_asked_for() {
    with_alice(key_and_code, |world, sshd, alice| {
        for client in [sshd.login("alice").without_key(), sshd.login("alice").with_strange_key()] {
            let login = client.answer(alice.codes().next()).run();
            assert!(!login.granted && login.prompts.is_empty(), "{login:#?}");
            assert_eq!(ours(&login), [""; 0]);
        }
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn junk_is_refused_and_charged_to_nobody() {
    on_a_host(key_and_code, |world, sshd| {
        world.enrol("alice");
        let long = "1".repeat(1000);
        for answers in [["12345", "123456789", "correct horse battery"], ["１２３４５６", &long, "ABCD-EFGH-JKMN"]]
        {
            let mut client = sshd.login("alice").option("NumberOfPasswordPrompts=3");
            for answer in answers {
                client = client.answer(answer);
            }
            let login = client.run();
            assert!(!login.granted, "{login:#?}");
            assert_eq!(login.prompts, [PROMPT; 3]);
            assert_eq!(ours(&login), vec![unseen("junk", "alice"); 3]);
        }
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn a_client_that_cannot_answer_is_refused_and_charged_nothing() {
    on_a_host(key_and_code, |world, sshd| {
        world.enrol("alice");
        let silent = sshd.login("alice").without_askpass().option("NumberOfPasswordPrompts=3").run();
        assert!(!silent.granted, "{silent:#?}");
        assert_eq!(ours(&silent), vec![unseen("junk", "alice"); 3]);
        let batch = sshd.login("alice").option("BatchMode=yes").run();
        assert!(!batch.granted && batch.prompts.is_empty(), "{batch:#?}");
        assert_eq!(ours(&batch), [""; 0]);
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn each_answer_on_one_connection_is_an_attempt_of_its_own() {
    with_alice(key_and_code, |_, sshd, alice| {
        let login = sshd
            .login("alice")
            .option("NumberOfPasswordPrompts=3")
            .answer(alice.authenticator.wrong_code())
            .answer("oops")
            .answer(alice.codes().next())
            .run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT; 3]);
        let lines = [refused("wrong-code", "alice", "totp", 1), unseen("junk", "alice"), granted("alice", &alice.id)];
        assert_eq!(ours(&login), lines);
    });
}

#[test]
fn a_refusal_is_held_back() {
    on_a_host(key_and_code, |world, sshd| {
        crate::login_sshd::shipped_host::set(world, "prompt", "\"Code, please: \"");
        let text = std::fs::read_to_string("/etc/twinlock/config.toml").unwrap();
        world.write("/etc/twinlock/config.toml", text.replace("fail_delay = \"0s\"", "fail_delay = \"2s\""));
        let alice = world.enrol("alice");
        let start = std::time::Instant::now();
        let login = sshd.login("alice").answer(alice.authenticator.wrong_code()).run();
        // libpam varies it by half.
        assert!(start.elapsed().as_millis() >= 1000, "{login:#?}");
        assert_eq!(login.prompts, ["Code, please: "]);
    });
}

#[test]
fn neither_codes_nor_secrets_nor_answers_reach_the_log() {
    on_a_host(key_and_code, |world, sshd| {
        world.change("/etc/pam.d/sshd", "pam_twinlock.so", "pam_twinlock.so debug");
        let alice = world.enrol("alice");
        let (right, wrong) = (alice.codes().next(), alice.authenticator.wrong_code());
        let recovery = alice.recovery_codes[0].clone();
        let junk = "my secret password";
        for answer in [&wrong, &right, &right, &recovery, junk] {
            sshd.login("alice").answer(answer).run();
        }
        let log = world.log().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(log.matches("pam_twinlock(sshd:auth): result=").count(), 5, "{log}");
        assert!(log.contains("pam_twinlock(sshd:auth): debug: "), "{log}");
        let key = data_encoding::BASE32_NOPAD.encode(&alice.authenticator.secret);
        for secret in [&right, &wrong, &recovery, &recovery.replace('-', ""), junk, &key] {
            assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "{secret} is in the log:\n{log}");
        }
    });
}
