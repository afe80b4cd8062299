//! A code that comes together with a password: for clients that can ask only once.

use twinlock_tests::{
    Account, Attempt, Enrolled, FirstFactor, ForgedState, Operation, PASSWORD, PamCode, World, in_sshd_world, in_world,
};

use crate::policy::first_login::{detail, ends, host};

/// google-authenticator's way: we ask for both, `pam_unix` takes the password.
const FORWARD: &str = "auth requisite pam_twinlock.so forward_pass\nauth required pam_unix.so use_first_pass nodelay\n";
/// `pam_unix` asks first and is given both; it must not judge what it is given. `pam_permit` stands for a module that only asks.
const USE: &str = "auth required pam_twinlock.so use_first_pass\n";

fn on_a_host(stack: &str, test: impl FnOnce(&World, &Enrolled) + Send) {
    in_world(|world| {
        world.set_up("fail_delay = \"0s\"\n");
        world.account("alice");
        world.service("svc", stack);
        let alice = world.enrol("alice");
        test(world, &alice);
    });
}

fn alice() -> Attempt {
    Attempt::new("svc").user("alice")
}

#[test]
fn forward_pass_asks_once_for_both_and_hands_the_password_on() {
    on_a_host(FORWARD, |world, enrolled| {
        let mut codes = enrolled.codes();
        let mark = world.log_mark();
        let outcome = alice().answer(format!("{PASSWORD}{}", codes.next())).run(world);
        assert_eq!((outcome.code(), outcome.prompts()), (PamCode::Success, vec!["Password & verification code: "]));
        assert!(outcome.messages.iter().all(|message| message.style == twinlock_tests::Style::EchoOff), "unseen");
        let log: Vec<_> = world.log_since(mark).into_iter().map(|line| line.text).collect();
        assert!(!log.iter().any(|line| line.contains("horse")), "{log:?}");

        let wrong_password = alice().answer(format!("guess{}", codes.next())).run(world);
        assert_eq!(wrong_password.code(), PamCode::AuthErr, "a right code behind a wrong password");
    });
}

#[test]
fn forward_pass_takes_a_recovery_code_with_its_dashes() {
    on_a_host(FORWARD, |world, enrolled| {
        let outcome = alice().answer(format!("{PASSWORD}{}", enrolled.recovery_codes[0])).run(world);
        assert_eq!(outcome.code(), PamCode::Success);
    });
}

#[test]
fn forward_pass_without_a_code_or_with_a_wrong_one_is_refused() {
    on_a_host(FORWARD, |world, enrolled| {
        for (answer, reason) in [
            (PASSWORD.to_owned(), "junk"),
            (format!("{PASSWORD}{}", enrolled.authenticator.wrong_code()), "wrong-code"),
        ] {
            let mark = world.log_mark();
            assert_eq!(alice().answer(answer).run(world).code(), PamCode::AuthErr);
            assert_eq!(world.entries_since(mark)[0].value("reason"), reason);
        }
    });
}

#[test]
fn use_first_pass_never_asks() {
    on_a_host(USE, |world, _| {
        let mark = world.log_mark();
        let outcome = alice().run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::AuthErr, 0));
        let entry = &world.entries_since(mark)[0];
        assert_eq!(entry.value("reason"), "junk");
        assert!(detail(entry).contains("use_first_pass: no code"), "{entry:?}");
    });
}

#[test]
fn the_password_of_an_earlier_module_is_the_code() {
    // Debian's pam_unix asks, fails (it is no password), and leaves what was typed.
    let stack = |word: &str| format!("auth optional pam_unix.so nodelay\nauth required pam_twinlock.so {word}\n");
    for word in ["use_first_pass", "try_first_pass"] {
        on_a_host(&stack(word), |world, enrolled| {
            let mut codes = enrolled.codes();
            let mark = world.log_mark();
            let outcome = alice().answer(codes.next()).run(world);
            assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 1), "{word}");
            let entry = &world.entries_since(mark)[0];
            assert!(detail(entry).contains("came with the password of an earlier module"), "{entry:?}");
        });
    }
}

#[test]
fn try_first_pass_asks_where_the_password_is_no_code_or_a_wrong_one() {
    let stack = "auth optional pam_unix.so nodelay\nauth required pam_twinlock.so try_first_pass\n";
    on_a_host(stack, |world, enrolled| {
        let mut codes = enrolled.codes();
        let outcome = alice().answer(PASSWORD).answer(codes.next()).run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 2));
        let mark = world.log_mark();
        let outcome = alice().answer(enrolled.authenticator.wrong_code()).answer(codes.next()).run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 2));
        let reasons: Vec<_> = world.entries_since(mark).iter().map(|entry| entry.value("reason").to_owned()).collect();
        assert_eq!(reasons, ["wrong-code", "-"], "the first pass was an attempt and was charged");
    });
}

/// Sixteen letters and digits without an U are a recovery code by their shape, as many a generated password is.
#[test]
fn a_password_of_sixteen_symbols_is_no_recovery_code_and_costs_nothing() {
    for (word, prompts) in [("try_first_pass", 2), ("use_first_pass", 1)] {
        let stack = format!("auth optional pam_unix.so nodelay\nauth required pam_twinlock.so {word}\n");
        on_a_host(&stack, |world, enrolled| {
            let mark = world.log_mark();
            let outcome = alice().answer("kX7mP2qRt9vWz4Bn").answer("junk").run(world);
            assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::AuthErr, prompts), "{word}");
            let reasons: Vec<_> =
                world.entries_since(mark).iter().map(|entry| entry.value("reason").to_owned()).collect();
            assert_eq!(reasons, ["junk"], "{word}");
            let outcome = alice().answer(&enrolled.recovery_codes[0]).run(world);
            assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 1), "{word}: as it is shown");
        });
    }
}

/// Where a wrong password comes as far as this module, the second question must not tell who is who.
#[test]
fn try_first_pass_asks_everybody_again() {
    let stack = "auth optional pam_unix.so nodelay\nauth required pam_twinlock.so try_first_pass\n";
    on_a_host(stack, |world, _| {
        world.account("bob");
        for user in ["alice", "bob", "zoe"] {
            for first in ["123456", "\x08\n\r\x7fINCORRECT", "guess"] {
                let outcome = Attempt::new("svc").user(user).answer(first).answer("junk").run(world);
                assert_eq!(outcome.prompts().len(), 2, "{user}: {first:?}");
            }
        }
    });
}

#[test]
fn use_first_pass_with_forward_pass_splits_what_an_earlier_module_was_given() {
    let stack = "auth optional pam_unix.so nodelay\nauth requisite pam_twinlock.so use_first_pass forward_pass\n\
                 auth required pam_unix.so use_first_pass nodelay\n";
    on_a_host(stack, |world, enrolled| {
        let mut codes = enrolled.codes();
        let outcome = alice().answer(format!("{PASSWORD}{}", codes.next())).run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 1));
        let outcome = alice().answer(format!("wrong{}", codes.next())).run(world);
        assert_eq!(outcome.code(), PamCode::AuthErr);
    });
}

#[test]
fn nothing_of_it_happens_without_the_words() {
    let stack = "auth optional pam_unix.so nodelay\nauth required pam_twinlock.so\n";
    on_a_host(stack, |world, enrolled| {
        let outcome = alice().answer(enrolled.codes().next()).answer("junk").run(world);
        assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::AuthErr, 2));
    });
}

#[test]
fn an_unknown_user_and_one_not_enrolled_are_split_alike() {
    on_a_host(FORWARD, |world, _| {
        world.account("bob");
        for (user, code) in [("bob", PamCode::AuthErr), ("zoe", PamCode::UserUnknown)] {
            let outcome = Attempt::new("svc").user(user).answer(format!("{PASSWORD}123456")).run(world);
            assert_eq!((outcome.code(), outcome.prompts()), (code, vec!["Password & verification code: "]), "{user}");
        }
    });
}

#[test]
fn sshds_password_method_works_with_forward_pass() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Password, "");
        world.change("/etc/pam.d/sshd", "@include common-auth", "");
        world.change(
            "/etc/pam.d/sshd",
            "auth       required     pam_twinlock.so",
            "auth requisite pam_twinlock.so forward_pass\nauth required pam_unix.so use_first_pass nodelay",
        );
        world.write(
            "/etc/ssh/sshd_config.d/0-before.conf",
            "PasswordAuthentication yes\nAuthenticationMethods password\n",
        );
        let alice = world.enrol("alice");
        let login = sshd.login("alice").without_key().answer(format!("{PASSWORD}{}", alice.codes().next())).run();
        assert!(login.granted, "{login:#?}");
        let login = sshd.login("alice").without_key().answer(PASSWORD).run();
        assert!(!login.granted && ends(&login) == ["refused/junk"], "{login:#?}");
    });
}

#[test]
fn the_guard_knows_a_login_with_a_stacked_code() {
    on_a_host(&format!("{FORWARD}account required pam_twinlock.so\n"), |world, enrolled| {
        let both = alice().operations([Operation::Authenticate, Operation::AcctMgmt]);
        let outcome = both.answer(format!("{PASSWORD}{}", enrolled.codes().next())).run(world);
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::Success);
    });
}

#[test]
fn of_two_codes_the_second_stands_alone() {
    let first = "auth optional pam_unix.so nodelay\n";
    let behind = "auth required pam_unix.so use_first_pass nodelay\n";
    for (before, words) in [("", "forward_pass"), (first, "try_first_pass forward_pass")] {
        let stack = format!("{before}auth requisite pam_twinlock.so {words}\n{behind}");
        on_a_host(&stack, |world, enrolled| {
            let account = Account { name: "alice".into(), uid: 1001, home: "/home/alice".into() };
            ForgedState::of(&account).wrong_codes(3).failed_ago(60).write(world);
            let mut codes = enrolled.codes();
            let both = format!("{PASSWORD}{}", codes.next());
            let outcome = alice().answer(both).answer(codes.next()).run(world);
            assert_eq!((outcome.code(), outcome.prompts().len()), (PamCode::Success, 2), "{words}: {outcome:?}");
        });
    }
}

#[test]
fn who_is_not_asked_leaves_no_word_of_a_missing_code() {
    on_a_host(&format!("{USE}auth required pam_permit.so\n"), |world, _| {
        world.write("/etc/twinlock/config.toml", "second_factor = \"skip\"\n");
        let mark = world.log_mark();
        assert_eq!(alice().run(world).code(), PamCode::Success);
        assert!(world.entries_since(mark).is_empty(), "{:?}", world.entries_since(mark));
    });
}

#[test]
fn in_an_emergency_the_next_module_must_be_able_to_ask_for_the_password() {
    for (word, succeeds) in [("try_first_pass", true), ("use_first_pass", false)] {
        let stack = FORWARD.replace("use_first_pass", word);
        on_a_host(&stack, |world, _| {
            assert_eq!(world.twinlock(&["emergency", "off"]).code, Some(0));
            let outcome = alice().answer(PASSWORD).run(world);
            assert_eq!(outcome.code() == PamCode::Success, succeeds, "{word}: {outcome:?}");
        });
    }
}
