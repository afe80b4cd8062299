//! Rules through libpam: what each condition reads of a transaction.

use std::fs;

use twinlock_tests::{Attempt, EXACT, IGNORED, Operation, PamCode, VERIFIED_KEY, World, in_world};

use crate::policy::first_login::detail;

/// Whether alice is asked under this rule, which would let her pass.
fn asked(world: &World, condition: &str, attempt: Attempt) -> bool {
    world.write("/etc/twinlock/config.toml", format!("[[rule]]\n{condition}\nsecond_factor = \"skip\"\n"));
    let outcome = attempt.answer("junk").run(world);
    let unasked = (IGNORED, Vec::new());
    let asked = (PamCode::AuthErr, vec!["Verification code: "]);
    assert!([unasked, asked].contains(&(outcome.code(), outcome.prompts())), "{condition}: {outcome:?}");
    !outcome.prompts().is_empty()
}

fn on_a_host(test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        world.account("bob");
        world.group("admins", &["alice"]);
        for service in ["svc", "other-svc"] {
            world.service(service, EXACT);
        }
        test(world);
    });
}

fn alice() -> Attempt {
    Attempt::new("svc").user("alice")
}

#[test]
fn the_service_and_the_user_are_those_of_the_transaction() {
    on_a_host(|world| {
        for (condition, attempt, is_asked) in [
            ("services = [\"svc\"]", alice(), false),
            ("services = [\"svc\"]", Attempt::new("other-svc").user("alice"), true),
            ("services = [\"SVC\"]", alice(), false),
            ("users = [\"alice\"]", alice(), false),
            ("users = [\"alice\"]", Attempt::new("svc").user("bob"), true),
            ("users = [\"!alice\"]", Attempt::new("svc").user("bob"), false),
            ("groups = [\"admins\"]", alice(), false),
            ("groups = [\"alice\"]", alice(), false),
            ("groups = [\"admins\"]", Attempt::new("svc").user("bob"), true),
            ("groups = [\"!admins\"]", Attempt::new("svc").user("bob"), false),
            ("groups = [\"!nosuch\"]", alice(), true),
            ("groups = [\"nosuch\"]", alice(), true),
        ] {
            assert_eq!(asked(world, condition, attempt), is_asked, "{condition}");
        }
    });
}

#[test]
fn an_unknown_user_is_in_no_group_and_no_list() {
    on_a_host(|world| {
        for condition in ["users = [\"!root\"]", "groups = [\"!admins\"]", "users = [\"zoe\"]"] {
            world.write("/etc/twinlock/config.toml", format!("[[rule]]\n{condition}\nsecond_factor = \"skip\"\n"));
            let outcome = Attempt::new("svc").user("zoe").answer("123456").run(world);
            assert_eq!(
                (outcome.code(), outcome.prompts()),
                (PamCode::UserUnknown, vec!["Verification code: "]),
                "{condition}"
            );
        }
    });
}

/// Two names of one number are found in files that were merged; directories find a name in any case, and say it in another.
#[test]
fn a_group_that_the_host_calls_otherwise_is_taken_for_whatever_is_strictest() {
    on_a_host(|world| {
        let groups = fs::read_to_string("/etc/group").unwrap();
        world.write("/etc/group", format!("{groups}staff:x:3001:\nops:x:3001:alice\n"));
        let strict = "second_factor = \"skip\"\n[[rule]]\ngroups = [\"ops\"]\nsecond_factor = \"required\"\n";
        world.write("/etc/twinlock/config.toml", strict);
        let outcome = alice().answer("junk").run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::AuthErr, 1));
        assert!(asked(world, "groups = [\"!ops\"]", alice()));
        assert!(!asked(world, "groups = [\"staff\"]", alice()));
        world.write("/etc/twinlock/config.toml", strict);
        let told = world.twinlock(&["check"]).stderr;
        assert!(told.contains("there is no group named ops") && told.contains("as `id` prints it"), "{told}");
    });
}

#[test]
fn only_an_address_is_of_a_network() {
    on_a_host(|world| {
        let rule = "services = [\"svc\"]\nfrom = [\"10.0.0.0/8\", \"fd00::/8\"]";
        for (rhost, is_asked) in [
            ("10.1.2.3", false),
            ("::ffff:10.1.2.3", false),
            ("fd00::1", false),
            ("11.1.2.3", true),
            ("::ffff:11.1.2.3", true),
            ("10.1.2.3.example.com", true),
            ("localhost", true),
            ("010.1.2.3", true),
            ("10.1.2.3 ", true),
            ("", true),
        ] {
            assert_eq!(asked(world, rule, alice().rhost(rhost)), is_asked, "{rhost:?}");
        }
        assert!(asked(world, rule, alice()), "no source at all");
    });
}

#[test]
fn where_the_source_is_a_name_the_strict_rule_holds() {
    on_a_host(|world| {
        let config =
            "second_factor = \"skip\"\n[[rule]]\nfrom = [\"0.0.0.0/0\", \"::/0\"]\nsecond_factor = \"required\"\n";
        world.write("/etc/twinlock/config.toml", config);
        for (rhost, is_asked) in [(None, false), (Some("192.0.2.1"), true), (Some("some.host"), true)] {
            let attempt = rhost.map_or_else(alice, |rhost| alice().rhost(rhost)).answer("junk");
            assert_eq!(!attempt.run(world).prompts().is_empty(), is_asked, "{rhost:?}");
        }
    });
}

#[test]
fn the_key_is_what_ssh_auth_info_says_and_nothing_like_it() {
    // An sk-ssh-ed25519 key: name, 32 bytes, application.
    const BLOB: &str =
        "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo=";
    on_a_host(|world| {
        let rule = "key_types = [\"sk-ssh-ed25519@openssh.com\"]";
        let line = format!("publickey sk-ssh-ed25519@openssh.com {BLOB}");
        for (info, is_asked) in [
            (line.clone(), false),
            (format!("{line}\n"), false),
            (format!("publickey ssh-ed25519 AAAA\n{line}\n"), false),
            (format!("password {line}"), true),
            (line.replace("publickey ", "publickey\t"), true),
            (line.replace("sk-ssh", "ssh"), true),
            (line.replace("AAAAGn", "AAAAGm"), true),
            (format!("keyboard-interactive/pam {line}"), true),
            (line.replace(' ', "  "), true),
            (String::new(), true),
        ] {
            assert_eq!(asked(world, rule, alice().pam_environment("SSH_AUTH_INFO_0", &info)), is_asked, "{info}");
        }
        assert!(asked(world, rule, alice().pam_environment("SSH_AUTH_INFO_1", &line)), "another version");
        assert!(asked(world, rule, alice().environment("SSH_AUTH_INFO_0", &line)), "the environment of the process");
    });
}

#[test]
fn a_key_that_sshd_does_not_show_is_a_doubt_where_the_rule_is_the_stricter_one() {
    on_a_host(|world| {
        world.service("sshd", EXACT);
        world.service("sudo", EXACT);
        let config = "second_factor = \"skip\"\n[[rule]]\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"required\"\n";
        world.write("/etc/twinlock/config.toml", config);
        let is_asked = |attempt: Attempt| !attempt.answer("junk").run(world).prompts().is_empty();
        let sshd = || Attempt::new("sshd").user("alice");
        let with = |info: &str| sshd().pam_environment("SSH_AUTH_INFO_0", info);
        assert!(!is_asked(with(VERIFIED_KEY)), "a key of another kind");
        let too_long = format!("{VERIFIED_KEY}{}", "x".repeat(64 * 1024));
        let unreadable = format!("{VERIFIED_KEY}\npublickey ssh-unheard-of AAAA\n");
        for info in ["", "password\n", &unreadable, &too_long] {
            assert!(is_asked(with(info)), "{info:.100}");
        }
        assert!(is_asked(sshd()), "nothing told");
        let key_alone = sshd().operations([Operation::AcctMgmt]).run(world);
        assert_ne!(key_alone.code(), IGNORED, "the guard lets no key pass that it does not see");
        assert!(!is_asked(Attempt::new("sudo").user("alice")), "there is no key that sudo could not show");
    });
}

#[test]
fn a_rule_that_is_wrong_refuses_everybody_and_names_its_line() {
    on_a_host(|world| {
        world
            .write("/etc/twinlock/config.toml", "echo = true\n[[rule]]\nusers = \"alice\"\nsecond_factor = \"skip\"\n");
        let mark = world.log_mark();
        assert_eq!(alice().answer("123456").run(world).code(), PamCode::AuthinfoUnavail);
        let entries = world.entries_since(mark);
        assert!(detail(&entries[0]).contains("/etc/twinlock/config.toml:3:9: this must be an array"), "{entries:#?}");
    });
}

#[test]
fn nullok_holds_whatever_the_rules_say() {
    on_a_host(|world| {
        world.service("svc", &EXACT.replace("pam_twinlock.so", "pam_twinlock.so nullok"));
        for outcome in ["required", "enroll"] {
            let config = format!("[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"{outcome}\"\n");
            world.write("/etc/twinlock/config.toml", config);
            assert_eq!(alice().answer("123456").run(world).code(), IGNORED, "{outcome}");
        }
    });
}
