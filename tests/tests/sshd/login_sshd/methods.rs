//! The ways in which sshd can ask, also the wrong ones: what an administrator set up by mistake must not open a door.

use twinlock_tests::{CONFIG, Login, PASSWORD, World};

use crate::login_sshd::shipped_host::{
    PROMPT, any_way_and_code, before_the_drop_in, failures, granted, key_and_code, on_a_host, ours, password_and_code,
    refused, unseen, with_alice,
};

fn assert_bypass(login: &Login) {
    assert!(!login.granted, "{login:#?}");
    assert!(login.prompts.is_empty(), "{login:#?}");
    let lines = ours(login);
    let start = "result=refused reason=bypass user=alice method=- authenticator=- service=sshd rhost=127.0.0.1 failures=- detail=";
    assert!(lines.len() == 1 && lines[0].starts_with(start), "{lines:#?}");
    let remedy = "AuthenticationMethods publickey,keyboard-interactive";
    assert!(lines[0].contains(remedy), "{lines:#?}");
    assert!(login.stderr.contains("requires a second factor"), "{login:#?}");
}

#[test]
fn a_key_alone_is_stopped_by_the_guard_when_the_drop_in_is_lost() {
    on_a_host(key_and_code, |world, sshd| {
        world.enrol("alice");
        std::fs::remove_file("/etc/ssh/sshd_config.d/00-twinlock.conf").unwrap();
        assert_bypass(&sshd.login("alice").run());
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn a_key_alone_is_stopped_by_the_guard_when_an_earlier_file_says_so() {
    on_a_host(key_and_code, |world, sshd| {
        before_the_drop_in(world, "AuthenticationMethods publickey\n");
        // Not enrolled either: the guard needs no enrolment.
        assert_bypass(&sshd.login("alice").run());
    });
}

#[test]
fn an_account_that_the_stack_exempts_passes_the_guard_and_no_other() {
    on_a_host(key_and_code, |world, sshd| {
        world.account("git");
        before_the_drop_in(world, "AuthenticationMethods publickey\n");
        world.change("/etc/pam.d/sshd", "#account    [success=1", "account    [success=1");
        assert!(sshd.login("git").run().granted);
        assert_bypass(&sshd.login("alice").run());
    });
}

/// The password method, with the right password, must neither get in nor leave a trace of the password.
fn assert_password_method_is_detected(world: &World, login: &Login) {
    assert!(!login.granted, "{login:#?}");
    assert!(login.prompts.iter().all(|prompt| prompt.contains("password: ")), "{login:#?}");
    let lines = ours(login);
    let start = "result=refused reason=no-answer user=alice method=- authenticator=- service=sshd rhost=127.0.0.1 failures=- detail=";
    assert!(lines.len() == 1 && lines[0].starts_with(start), "{login:#?}");
    assert!(lines[0].contains("PasswordAuthentication no"), "{lines:#?}");
    let log = world.log();
    assert!(log.iter().all(|line| !line.text.contains(PASSWORD)), "{log:#?}");
    assert_eq!(failures(world, "alice"), 0);
}

#[test]
fn the_password_method_behind_a_key_is_refused_and_named() {
    on_a_host(any_way_and_code, |world, sshd| {
        world.enrol("alice");
        before_the_drop_in(world, "PasswordAuthentication yes\nAuthenticationMethods publickey,password\n");
        let login = sshd.login("alice").answer(PASSWORD).run();
        assert_password_method_is_detected(world, &login);
    });
}

#[test]
fn the_password_method_alone_is_refused_and_named() {
    on_a_host(password_and_code, |world, sshd| {
        world.enrol("alice");
        before_the_drop_in(world, "PasswordAuthentication yes\nAuthenticationMethods password\n");
        let login = sshd.login("alice").without_key().answer(PASSWORD).run();
        assert_password_method_is_detected(world, &login);
    });
}

#[test]
fn a_code_glued_to_the_password_does_not_get_through_the_password_method() {
    with_alice(any_way_and_code, |world, sshd, alice| {
        before_the_drop_in(world, "PasswordAuthentication yes\nAuthenticationMethods password\n");
        let code = alice.codes().next();
        for answer in [code.clone(), format!("{PASSWORD}{code}")] {
            let login = sshd.login("alice").answer(answer).run();
            assert!(!login.granted && ours(&login).len() == 1, "{login:#?}");
            assert!(ours(&login)[0].contains("reason=no-answer"), "{login:#?}");
        }
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn with_hidden_prompts_the_password_method_reaches_us_and_its_password_is_junk() {
    on_a_host(any_way_and_code, |world, sshd| {
        world.enrol("alice");
        crate::login_sshd::shipped_host::set(world, "echo", "false");
        before_the_drop_in(world, "PasswordAuthentication yes\nAuthenticationMethods publickey,password\n");
        let login = sshd.login("alice").answer(PASSWORD).run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ours(&login), [unseen("junk", "alice")]);
        assert!(world.log().iter().all(|line| !line.text.contains(PASSWORD)));
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn the_stack_for_keys_lets_nobody_in_without_one_whatever_sshd_allows() {
    with_alice(key_and_code, |world, sshd, alice| {
        for methods in ["keyboard-interactive", "password", "publickey,password"] {
            before_the_drop_in(world, &format!("PasswordAuthentication yes\nAuthenticationMethods {methods}\n"));
            for policy in ["\"required\"", "\"skip\""] {
                world.write(CONFIG, format!("second_factor = {policy}\nfail_delay = \"0s\"\n"));
                for answer in [PASSWORD, &alice.codes().next()] {
                    let login = sshd.login("alice").answer(answer).run();
                    assert!(!login.granted && !login.prompts.contains(&PROMPT.to_owned()), "{methods}: {login:#?}");
                    let lines = ours(&login);
                    assert!(
                        lines.iter().all(|line| line.starts_with("result=refused reason=bypass user=alice ")),
                        "{lines:?}"
                    );
                    assert!(lines.iter().any(|line| line.contains("sshd has not verified a public key")), "{lines:?}");
                }
            }
        }
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn without_the_drop_in_a_code_alone_is_no_way_in_through_the_password_method() {
    with_alice(key_and_code, |_, sshd, alice| {
        // As Debian ships it: keyboard-interactive off, passwords on.
        std::fs::remove_file("/etc/ssh/sshd_config.d/00-twinlock.conf").unwrap();
        let login = sshd.login("alice").without_key().answer(alice.codes().next()).run();
        assert!(!login.granted, "{login:#?}");
    });
}

#[test]
fn password_and_code_get_in_and_are_asked_in_this_order() {
    with_alice(password_and_code, |_, sshd, alice| {
        let login = sshd.login("alice").without_key().answer(PASSWORD).answer(alice.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, ["Password: ", PROMPT]);
        assert_eq!(ours(&login), [granted("alice", &alice.id)]);
    });
}

#[test]
fn a_wrong_password_is_refused_whatever_the_code() {
    with_alice(password_and_code, |world, sshd, alice| {
        let login = sshd.login("alice").without_key().answer("wrong").answer(alice.codes().next()).run();
        assert!(!login.granted, "{login:#?}");
        // Debian's common-auth ends there, so a stranger cannot have codes counted against alice.
        assert_eq!(login.prompts, ["Password: "]);
        assert_eq!(ours(&login), [""; 0]);
        assert_eq!(failures(world, "alice"), 0);
    });
}

#[test]
fn a_right_password_with_a_wrong_code_is_refused() {
    with_alice(password_and_code, |world, sshd, alice| {
        let login = sshd.login("alice").without_key().answer(PASSWORD).answer(alice.authenticator.wrong_code()).run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ours(&login), [refused("wrong-code", "alice", "totp", 1)]);
        assert!(world.log().iter().all(|line| !line.text.contains(PASSWORD)));
    });
}

#[test]
fn a_key_is_no_way_round_the_password() {
    on_a_host(password_and_code, |world, sshd| {
        world.enrol("alice");
        let login = sshd.login("alice").run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(login.prompts, ["Password: "]);
    });
}
