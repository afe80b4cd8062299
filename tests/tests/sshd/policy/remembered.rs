//! Remembered logins: the same user, key and network for a while, and everything that ends it.

use twinlock_tests::{Enrolled, FirstFactor, Sshd, State, World, in_sshd_world};

use crate::policy::first_login::{PROMPT, configure, detail, ends, host, ours};

const REMEMBER: &str = "[[rule]]\nname = \"office\"\nsecond_factor = \"required\"\nremember = \"8h\"\n";

fn remembering(test: impl FnOnce(&World, &Sshd<'_>, &Enrolled) + Send) {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, REMEMBER);
        let alice = world.enrol("alice");
        let login = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(login.granted && login.prompts == [PROMPT], "{login:#?}");
        test(world, &sshd, &alice);
    });
}

/// Whether alice is asked; she has no answer.
fn asked(sshd: &Sshd<'_>) -> bool {
    let login = sshd.login("alice").run();
    assert_eq!(login.granted, login.prompts.is_empty(), "{login:#?}");
    !login.granted
}

#[test]
fn the_same_client_is_not_asked_again() {
    remembering(|_, sshd, _| {
        let login = sshd.login("alice").run();
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        assert_eq!(ends(&login), ["granted/-"]);
        assert_eq!(detail(&ours(&login)[0]), "not asked: a login of this client is remembered");
        assert!(!asked(sshd), "and again");
    });
}

#[test]
fn off_by_default() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, "");
        let alice = world.enrol("alice");
        assert!(sshd.login("alice").answer(alice.codes().next()).run().granted);
        assert!(asked(&sshd));
    });
}

#[test]
fn another_key_another_network_and_another_user_are_asked() {
    remembering(|world, sshd, _| {
        for client in [
            sshd.login("alice").with_key_type("rsa"),
            sshd.login("alice").with_certificate(),
            sshd.login("alice").from("127.0.0.2"),
        ] {
            let login = client.answer("junk").run();
            assert!(!login.granted && login.prompts == [PROMPT], "{login:#?}");
        }
        world.account("bob");
        world.enrol("bob");
        let bob = sshd.login("bob").answer("junk").run();
        assert!(!bob.granted && bob.prompts == [PROMPT], "{bob:#?}");
        assert!(!asked(sshd));
    });
}

#[test]
fn it_ends_with_its_time_and_with_a_clock_set_back() {
    remembering(|world, _, _| {
        let at = |offset: &str| Sshd::from_file(world, "/etc/ssh/sshd_config").under(["faketime", "-f", offset]);
        assert!(!asked(&at("+7h")));
        assert!(asked(&at("+8h")), "over");
        assert!(asked(&at("-1h")), "a clock set back");
    });
}

#[test]
fn a_rule_that_remembers_shorter_or_no_more_ends_it() {
    remembering(|world, _, _| {
        let later = Sshd::from_file(world, "/etc/ssh/sshd_config").under(["faketime", "-f", "+2h"]);
        assert!(!asked(&later));
        configure(world, &REMEMBER.replace("8h", "1h"));
        assert!(asked(&later));
        configure(world, "");
        assert!(asked(&later));
    });
}

#[test]
fn it_does_not_hold_while_the_throttle_does() {
    remembering(|_, sshd, alice| {
        for _ in 0..3 {
            let login = sshd.login("alice").from("127.0.0.2").answer(alice.authenticator.wrong_code()).run();
            assert!(!login.granted);
        }
        assert!(!sshd.login("alice").run().granted, "step-up");
    });
}

#[test]
fn one_code_in_several_windows_leaves_it_as_it_is() {
    remembering(|_, sshd, alice| {
        let used = alice.authenticator.code_at(State::of("alice").number("authenticator.last_step"));
        for _ in 0..4 {
            let login = sshd.login("alice").from("127.0.0.2").answer(&used).run();
            assert_eq!((login.granted, ends(&login)), (false, vec!["refused/replayed".to_owned()]), "{login:#?}");
        }
        assert!(!asked(sshd));
    });
}

#[test]
fn any_change_of_the_authenticators_ends_it() {
    for change in [
        &["enroll", "alice", "--replace", "--no-confirm", "--json"][..],
        &["enroll", "alice", "--add", "--label", "tablet", "--no-confirm", "--json"],
        &["device", "rename", "alice", "ID", "tablet"],
        &["device", "suspend", "alice", "ID"],
    ] {
        remembering(|world, sshd, alice| {
            let change: Vec<_> = change.iter().map(|word| if *word == "ID" { &alice.id } else { *word }).collect();
            let output = world.twinlock(&change);
            assert_eq!(output.code, Some(0), "{output:?}");
            assert!(asked(sshd), "{change:?}");
        });
    }
}

#[test]
fn status_shows_it_and_forget_ends_it() {
    remembering(|world, sshd, _| {
        let remembered = || {
            let output = world.twinlock(&["status", "alice", "--json"]);
            let status: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
            status["remembered"].as_array().unwrap().clone()
        };
        let shown = remembered();
        assert!(shown.len() == 1 && shown[0]["since"].is_string() && shown[0]["until"].is_string(), "{shown:?}");
        assert!(world.twinlock(&["status", "alice"]).stdout.contains("remembered login: from "));
        let output = world.twinlock(&["forget", "alice"]);
        assert_eq!(output.stderr, "alice: ended 1 remembered login; the next login asks for a code\n");
        assert!(remembered().is_empty() && asked(sshd));
    });
}

#[test]
fn removing_another_authenticator_ends_it() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, REMEMBER);
        let alice = world.enrol("alice");
        let add = ["enroll", "alice", "--add", "--label", "tablet", "--no-confirm", "--json"];
        assert_eq!(world.twinlock(&add).code, Some(0));
        assert!(sshd.login("alice").answer(alice.codes().next()).run().granted);
        assert!(!asked(&sshd));
        assert_eq!(world.twinlock(&["device", "remove", "alice", "tablet"]).code, Some(0));
        assert!(asked(&sshd));
    });
}

#[test]
fn credentials_deployed_by_other_means_end_it() {
    remembering(|_, sshd, alice| {
        let path = twinlock_tests::credentials_of("alice");
        let text = std::fs::read_to_string(&path).unwrap();
        let secret = text.lines().find(|line| line.starts_with("secret")).unwrap().to_owned();
        std::fs::write(&path, text.replace(&secret, "secret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"")).unwrap();
        assert!(asked(sshd), "{}", alice.id);
    });
}

#[test]
fn a_recovery_code_is_not_remembered() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, REMEMBER);
        let alice = world.enrol("alice");
        assert!(sshd.login("alice").answer(&alice.recovery_codes[0]).run().granted);
        assert!(asked(&sshd));
    });
}

#[test]
fn the_state_holds_neither_the_key_nor_the_address() {
    remembering(|_, sshd, _| {
        let state = String::from_utf8_lossy(&std::fs::read(twinlock_tests::state_of("alice")).unwrap()).into_owned();
        let key = sshd.public_key("ed25519");
        let (_, blob) = key.split_once(' ').unwrap();
        // The throttle knows the network of the last login; what recognises a login does not tell its network or its key.
        let (_, remembered) = state.split_once("[remembered]").unwrap();
        assert!(!state.contains(blob) && !remembered.contains("127.0.0.1"), "{state}");
    });
}
