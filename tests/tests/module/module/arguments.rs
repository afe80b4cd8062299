//! The words behind the module's name in a PAM file.

use twinlock_tests::{EXACT, PamCode, Setup, Style, User, VERIFIED_KEY};

use crate::module::end::{End, granted, login, run};

/// alice on a host whose service has these arguments.
fn with_arguments(arguments: &str, test: impl FnOnce(&User<'_>) + Send) {
    Setup::new().enrolled(|alice| {
        alice.world.service("svc", &EXACT.replace("pam_twinlock.so", &format!("pam_twinlock.so {arguments}")));
        test(alice);
    });
}

#[test]
fn prompt_changes_the_question() {
    with_arguments("[prompt=Code, please: ]", |alice| {
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!((end, outcome.prompts()), (granted(), vec!["Code, please: "]));
    });
}

#[test]
fn noecho_hides_what_is_typed() {
    let style_with = |arguments| {
        let mut style = None;
        with_arguments(arguments, |alice| {
            let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
            assert_eq!(end, granted());
            style = outcome.messages.first().map(|message| message.style);
        });
        style
    };
    assert_eq!(style_with(""), Some(Style::EchoOn));
    assert_eq!(style_with("noecho"), Some(Style::EchoOff));
}

#[test]
fn config_names_another_file() {
    with_arguments("config=/etc/other.toml", |alice| {
        alice.world.write("/etc/other.toml", "prompt = \"Other: \"\n");
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!((end, outcome.prompts()), (granted(), vec!["Other: "]));
    });
}

#[test]
fn debug_says_more_and_neither_the_user_nor_an_answer() {
    with_arguments("debug", |alice| {
        let code = alice.codes().next();
        let mark = alice.world.log_mark();
        assert_eq!(login(alice, &[&code]), granted());
        let lines = alice.world.log_since(mark);
        let texts: Vec<_> = lines.iter().map(|line| (line.severity, line.text.as_str())).collect();
        let debug = "pam_twinlock(svc:auth): debug: config=/etc/twinlock/config.toml second_factor=required rule=\"-\" doubt=\"-\" user is known";
        assert_eq!((texts.len(), texts[0]), (2, (7, debug)));
        assert!(!texts.iter().any(|(_, text)| text.contains(&code)), "{texts:?}");
    });
}

#[test]
fn every_other_word_is_refused_and_named_and_nobody_is_asked() {
    for word in [
        "nulok",
        "nullok=yes",
        "NULLOK",
        "try_first_pass=1",
        "secret=/x",
        "config=relative",
        "config=",
        "prompt=",
        "alwaysok",
    ] {
        with_arguments(&format!("debug {word}"), |alice| {
            let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
            assert_eq!(end.code, PamCode::AuthinfoUnavail, "{word}");
            assert!(outcome.messages.is_empty(), "{word}: {outcome:?}");
            assert!(end.log.starts_with("result=refused reason=config user=- "), "{end:?}");
            assert!(end.log.contains(&format!("argument `{word}` of pam_twinlock.so is not valid")), "{end:?}");
            assert!(end.log.contains("fix the line in /etc/pam.d"), "the remedy: {end:?}");
        });
    }
}

#[test]
fn a_word_that_is_no_text_is_refused() {
    Setup::new().enrolled(|alice| {
        alice.world.write("/etc/pam.d/svc", b"auth required pam_twinlock.so caf\xe9\n");
        let (_, End { code, log }) = run(alice.world, alice.attempt().answer("123456"));
        assert!(code == PamCode::AuthinfoUnavail && log.contains("not UTF-8"), "{log}");
    });
}

#[test]
fn a_bad_argument_of_the_account_line_denies_too() {
    Setup::new().enrolled(|alice| {
        alice.world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so nulok\n");
        let operations = [twinlock_tests::Operation::Authenticate, twinlock_tests::Operation::AcctMgmt];
        let outcome = alice.attempt().answer(alice.codes().next()).operations(operations).run(alice.world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [PamCode::Success, PamCode::AuthinfoUnavail]);
    });
}

#[test]
fn require_key_asks_nobody_of_whom_sshd_has_verified_no_key() {
    for config in ["", "second_factor = \"skip\"\n"] {
        with_arguments("require_key", |alice| {
            alice.world.write(twinlock_tests::CONFIG, config);
            for info in ["", "keyboard-interactive/pam\n", "publickey nonsense\n"] {
                let attempt = alice.attempt().answer(alice.codes().next()).pam_environment("SSH_AUTH_INFO_0", info);
                let (outcome, end) = run(alice.world, attempt);
                assert_eq!((end.code, outcome.messages.len()), (PamCode::PermDenied, 0), "{config}{info}: {outcome:?}");
                assert!(end.log.starts_with("result=refused reason=bypass user=alice method=- "), "{end:?}");
                assert!(end.log.contains("sshd has not verified a public key"), "{end:?}");
            }
        });
    }
    with_arguments("require_key", |alice| {
        let attempt = alice.attempt().answer(alice.codes().next()).pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY);
        assert_eq!(run(alice.world, attempt).1, granted());
    });
}
