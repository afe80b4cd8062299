//! The accounts that are asked, and that strangers learn nothing from it.

use std::fs;

use crate::login_sshd::shipped_host::{
    PROMPT, any_way_and_code, before_the_drop_in, failures, granted, key_and_code, on_a_host, ours, refused, set,
    store, unseen, with_alice,
};

#[test]
fn who_is_not_enrolled_is_asked_and_refused() {
    on_a_host(key_and_code, |_, sshd| {
        let login = sshd.login("alice").answer("123456").run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT]);
        assert_eq!(ours(&login), [unseen("not-enrolled", "alice")]);
        assert!(store().iter().all(|name| !name.contains("alice")), "{:?}", store());
    });
}

#[test]
fn with_nullok_on_both_lines_who_is_not_enrolled_gets_in_and_who_is_must_answer() {
    on_a_host(key_and_code, |world, sshd| {
        world.change("/etc/pam.d/sshd", "required     pam_twinlock.so", "required     pam_twinlock.so nullok");
        world.account("bob");
        let bob = world.enrol("bob");
        let login = sshd.login("alice").run();
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        assert_eq!(ours(&login), [""; 0]);
        let wrong = sshd.login("bob").answer(bob.authenticator.wrong_code()).run();
        assert!(!wrong.granted, "{wrong:#?}");
        assert_eq!(ours(&wrong), [refused("wrong-code", "bob", "totp", 1)]);
        let right = sshd.login("bob").answer(bob.codes().next()).run();
        assert!(right.granted, "{right:#?}");
        assert_eq!(ours(&right), [granted("bob", &bob.id)]);
        // And the guard stays: an sshd that asks bob for no code does not let bob in.
        before_the_drop_in(world, "AuthenticationMethods publickey\n");
        assert!(sshd.login("alice").run().granted);
        let bypass = sshd.login("bob").run();
        assert!(!bypass.granted && ours(&bypass)[0].contains("reason=bypass"), "{bypass:#?}");
    });
}

#[test]
fn optional_and_skip_in_the_configuration_do_what_they_say() {
    on_a_host(key_and_code, |world, sshd| {
        world.account("bob");
        let bob = world.enrol("bob");
        set(world, "second_factor", "\"optional\"");
        assert!(sshd.login("alice").run().granted);
        let wrong = sshd.login("bob").answer(bob.authenticator.wrong_code()).run();
        assert!(!wrong.granted && wrong.prompts == [PROMPT], "{wrong:#?}");
        let text = fs::read_to_string("/etc/twinlock/config.toml").unwrap();
        world.write("/etc/twinlock/config.toml", text.replace("\"optional\"", "\"skip\""));
        let login = sshd.login("bob").run();
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
    });
}

#[test]
fn root_under_prohibit_password_is_charged_nothing_and_the_log_says_why() {
    on_a_host(key_and_code, |world, sshd| {
        let root = world.enrol("root");
        let login =
            sshd.login("root").option("NumberOfPasswordPrompts=3").answer(root.codes().next()).answer("x").run();
        assert!(!login.granted, "{login:#?}");
        let lines = ours(&login);
        assert_eq!(lines.len(), 3, "{lines:#?}");
        for line in &lines[..2] {
            assert!(line.starts_with(&unseen("junk", "root")) && line.contains("PermitRootLogin"), "{line}");
        }
        assert_eq!(failures(world, "root"), 0);
        before_the_drop_in(world, "PermitRootLogin yes\n");
        // The code was not looked at, so it was not used up.
        let login = sshd.login("root").answer(root.codes().next()).run();
        assert!(login.granted, "{login:#?}");
    });
}

#[test]
fn strangers_and_shut_out_accounts_are_asked_like_everybody() {
    on_a_host(any_way_and_code, |world, sshd| {
        world.account("bob");
        world.account("mallory");
        world.enrol("bob");
        let mallory = world.enrol("mallory");
        // The mistake that shows most to strangers: a code without anything before it.
        before_the_drop_in(world, "AuthenticationMethods keyboard-interactive\nDenyUsers mallory\n");
        let before = store();
        let attempt = |user: &str, code: &str| sshd.login(user).without_key().answer(code).run();
        let logins = [
            attempt("alice", "123456"),                  // not enrolled
            attempt("nobody-at-all", "123456"),          // unknown
            attempt("mallory", &mallory.codes().next()), // shut out
            attempt("bob", "not a code"),                // enrolled
        ];
        for login in &logins {
            assert!(!login.granted && login.prompts == [PROMPT], "{login:#?}");
            let told = login
                .stderr
                .replace("mallory", "USER")
                .replace("nobody-at-all", "USER")
                .replace("alice", "USER")
                .replace("bob", "USER");
            assert_eq!(told, "USER@127.0.0.1: Permission denied (keyboard-interactive).\r\n");
        }
        assert_eq!(ours(&logins[0]), [unseen("not-enrolled", "alice")]);
        assert_eq!(ours(&logins[1]), [unseen("unknown-user", "-")]);
        let shut_out = ours(&logins[2]);
        assert!(
            shut_out[0].starts_with(&unseen("junk", "mallory")) && shut_out[0].contains("DenyUsers"),
            "{shut_out:#?}"
        );
        assert_eq!(store(), before);
        assert_eq!(failures(world, "mallory"), 0);
    });
}

#[test]
fn a_broken_configuration_lets_nobody_in_and_is_named() {
    with_alice(key_and_code, |world, sshd, alice| {
        world.write("/etc/twinlock/config.toml", "second_factor = \"optionnal\"\n");
        let login = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(!login.granted, "{login:#?}");
        assert!(ours(&login)[0].contains("/etc/twinlock/config.toml:1:17:"), "{login:#?}");
    });
}
