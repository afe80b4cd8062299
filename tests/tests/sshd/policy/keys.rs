//! Keys on hardware tokens: OpenSSH's own security key in software, through an unchanged sshd.

use twinlock_tests::{FirstFactor, in_sshd_world};

use crate::policy::first_login::{configure, detail, ends, host, ours, was_asked};

const SK: &str = "[[rule]]\nname = \"hardware keys\"\n\
    key_types = [\"sk-ssh-ed25519@openssh.com\", \"sk-ecdsa-sha2-nistp256@openssh.com\"]\nsecond_factor = \"skip\"\n";

#[test]
fn a_key_on_a_token_is_enough_and_any_other_key_is_not() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, SK);
        for key_type in ["ed25519-sk", "ecdsa-sk"] {
            let login = sshd.login("alice").with_key_type(key_type).run();
            assert!(login.granted && !was_asked(&login), "{key_type}: {login:#?}");
            assert_eq!(ends(&login), ["granted/-"]);
            assert_eq!(detail(&ours(&login)[0]), "not asked, by the rule: hardware keys");
        }
        for key_type in ["ed25519", "ecdsa", "rsa"] {
            let login = sshd.login("alice").with_key_type(key_type).answer("123456").run();
            assert!(!login.granted && was_asked(&login), "{key_type}: {login:#?}");
            assert_eq!(ends(&login), ["refused/not-enrolled"]);
        }
    });
}

#[test]
fn a_certificate_counts_as_its_key() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, SK);
        let login = sshd.login("alice").with_key_type("ed25519-sk").with_certificate().run();
        assert!(login.granted && !was_asked(&login), "{login:#?}");
        let login = sshd.login("alice").with_key_type("ed25519").with_certificate().answer("123456").run();
        assert!(!login.granted && was_asked(&login), "{login:#?}");
    });
}

#[test]
fn without_a_rule_a_key_on_a_token_is_a_key() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, "");
        let alice = world.enrol("alice");
        let login = sshd.login("alice").with_key_type("ed25519-sk").answer("").answer(alice.codes().next()).run();
        assert!(login.granted && was_asked(&login), "{login:#?}");
    });
}

/// Each login that a rule exempts leaves one line, whichever phase sees it.
#[test]
fn an_exempted_login_leaves_one_line_also_if_it_is_by_key_alone() {
    in_sshd_world(|world| {
        let exempt = "[[rule]]\nname = \"deployment\"\nusers = [\"alice\"]\nsecond_factor = \"skip\"\n";
        let sshd = host(world, FirstFactor::Key, exempt);
        let line = |told: &str| {
            let login = sshd.login("alice").run();
            assert!(login.granted && !was_asked(&login), "{login:#?}");
            let ours = ours(&login);
            let written: Vec<_> = ours.iter().map(|entry| entry.text.as_str()).collect();
            let granted =
                "result=granted reason=- user=alice method=- authenticator=- service=sshd rhost=127.0.0.1 failures=-";
            assert_eq!(written, [format!("{granted} detail=\"not asked, by the rule: {told}\"")]);
        };
        line("deployment");
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "AuthenticationMethods publickey\n");
        line("deployment");
        configure(world, &exempt.replace("skip", "optional").replace("deployment", "enrolled users"));
        line("enrolled users");
        // Without a rule nobody is an exception.
        configure(world, "second_factor = \"skip\"\n");
        let login = sshd.login("alice").run();
        assert!(login.granted && ours(&login).is_empty(), "{login:#?}");
    });
}

#[test]
fn of_a_login_by_key_alone_the_guard_sees_no_key_and_says_so() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, SK);
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "AuthenticationMethods publickey\n");
        let login = sshd.login("alice").with_key_type("ed25519-sk").run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ends(&login), ["refused/bypass"]);
        let detail = detail(&ours(&login)[0]);
        assert!(detail.contains("AuthenticationMethods publickey,keyboard-interactive"), "{detail}");
        assert!(detail.contains("rules with key_types need this too"), "{detail}");
    });
}
