//! Recovery codes.

use twinlock_tests::{PamCode, Setup, State, Style};

use crate::module::end::{granted_by_issued_code, granted_by_recovery, login, refused_by, run};

#[test]
fn a_recovery_code_opens_one_login() {
    Setup::new().enrolled(|alice| {
        assert_eq!(login(alice, &[alice.recovery_code(3)]), granted_by_recovery());
        assert_eq!(State::of("alice").text("recovery.ids"), "[4]");
    });
}

#[test]
fn a_used_recovery_code_is_refused_and_charged() {
    Setup::new().enrolled(|alice| {
        let code = alice.recovery_code(0);
        assert_eq!(login(alice, &[code]), granted_by_recovery());
        assert_eq!(login(alice, &[code]), refused_by("recovery", "1", PamCode::AuthErr, "replayed"));
        assert_eq!(State::of("alice").charges(), [1, 0, 1, 1]);
    });
}

#[test]
fn what_is_shaped_like_a_recovery_code_and_is_none_is_wrong() {
    Setup::new().enrolled(|alice| {
        let end = login(alice, &["0000-0000-0000-0000"]);
        assert_eq!(end, refused_by("recovery", "1", PamCode::AuthErr, "wrong-code"));
    });
}

#[test]
fn one_wrong_symbol_anywhere_makes_a_recovery_code_wrong() {
    Setup::new().enrolled(|alice| {
        let right: Vec<char> = alice.recovery_code(0).chars().filter(|symbol| *symbol != '-').collect();
        for at in 0..right.len() {
            alice.state().write(alice.world);
            let mut typed = right.clone();
            typed[at] = if typed[at] == '7' { '8' } else { '7' };
            let typed: String = typed.into_iter().collect();
            assert_eq!(
                login(alice, &[&typed]),
                refused_by("recovery", "1", PamCode::AuthErr, "wrong-code"),
                "L09: {at}"
            );
        }
    });
}

#[test]
fn case_and_lookalikes_and_dashes_do_not_matter() {
    Setup::new().enrolled(|alice| {
        // 1DHA-YSAR-4RQ9-CYS4 and B1M9-KS01-BTR3-0Q3D
        assert_eq!(login(alice, &["ldha ysar 4rq9 cys4"]), granted_by_recovery());
        assert_eq!(login(alice, &["biM9-ksO-IBTR3oq3d"]), granted_by_recovery());
    });
}

#[test]
fn a_used_recovery_code_has_no_second_spelling() {
    Setup::new().enrolled(|alice| {
        assert_eq!(login(alice, &["1DHA-YSAR-4RQ9-CYS4"]), granted_by_recovery());
        for (spelling, failures) in
            [("1dhaysar4rq9cys4", "1"), ("IDHA-YSAR-4RQ9-CYS4", "2"), ("L DHA YSAR 4RQ9 CYS4", "3")]
        {
            assert_eq!(login(alice, &[spelling]), refused_by("recovery", failures, PamCode::AuthErr, "replayed"));
        }
    });
}

#[test]
fn how_many_are_left_is_told_and_few_are_warned_of() {
    Setup::new().enrolled(|alice| {
        let told = |spent: u8| {
            alice.state().spent_codes(1..=spent).write(alice.world);
            let (outcome, end) = run(alice.world, alice.attempt().answer(alice.recovery_code(usize::from(spent))));
            assert_eq!(end, granted_by_recovery());
            let told = outcome.messages.last().map(|message| (message.style, message.text.replace('\n', " ")));
            assert_eq!(outcome.messages.len(), 2, "the prompt and one notice: {outcome:?}");
            told.unwrap_or((Style::Unknown(0), String::new()))
        };
        let warning = |text: &str| (Style::ErrorMessage, text.to_owned());
        assert_eq!(told(0), (Style::TextInfo, "9 recovery codes are left.".into()));
        assert_eq!(told(5), (Style::TextInfo, "4 recovery codes are left.".into()));
        let few = |left| {
            warning(&format!(
                "Only {left} left. Make new ones soon with `twinlock recovery new`, or ask your administrator."
            ))
        };
        assert_eq!(told(6), few("3 recovery codes are"));
        assert_eq!(told(7), few("2 recovery codes are"));
        assert_eq!(told(8), few("1 recovery code is"));
        let last = "That was your last recovery code. Make new ones now with `twinlock recovery new`, or ask your administrator.";
        assert_eq!(told(9), warning(last));
    });
}

#[test]
fn nothing_is_told_to_an_application_that_wants_silence() {
    Setup::new().enrolled(|alice| {
        const PAM_SILENT: i32 = 0x8000;
        let (outcome, end) = run(alice.world, alice.attempt().flags(PAM_SILENT).answer(alice.recovery_code(0)));
        assert_eq!((end, outcome.notices()), (granted_by_recovery(), vec![]));
    });
}

#[test]
fn a_recovery_code_works_when_the_authenticator_is_disabled_and_does_not_enable_it() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(100).write(alice.world);
        assert_eq!(login(alice, &[alice.recovery_code(0)]), granted_by_recovery());
        let end = login(alice, &[&alice.codes().next()]);
        assert_eq!(end, refused_by("totp", "0", PamCode::AuthErr, "disabled"));
    });
}

#[test]
fn an_issued_code_opens_one_login_also_where_the_authenticator_is_disabled() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_codes(100).write(alice.world);
        let issued = alice.world.twinlock(&["recovery", "issue", "alice"]).stdout;
        let code = issued.trim_end();
        let (outcome, end) = run(alice.world, alice.attempt().answer(code));
        assert_eq!(end, granted_by_issued_code());
        let told: Vec<_> = outcome.messages.iter().skip(1).map(|message| message.text.as_str()).collect();
        assert!(told.concat().starts_with("A one-time code was issued for the account"), "{told:?}");
        assert_eq!(State::of("alice").text("extra.issued"), "");
        assert_eq!(login(alice, &[code]), refused_by("recovery", "1", PamCode::AuthErr, "wrong-code"));
    });
}

#[test]
fn an_issued_code_is_disabled_by_a_hundred_incorrect_recovery_codes() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_recovery_codes(100).write(alice.world);
        let code = alice.world.twinlock(&["recovery", "issue", "alice"]).stdout;
        assert_eq!(login(alice, &[code.trim_end()]), refused_by("recovery", "100", PamCode::AuthErr, "disabled"));
    });
}

#[test]
fn recovery_codes_are_disabled_by_their_own_hundred() {
    Setup::new().enrolled(|alice| {
        alice.state().wrong_recovery_codes(100).write(alice.world);
        let end = login(alice, &[alice.recovery_code(0)]);
        assert_eq!(end, refused_by("recovery", "100", PamCode::AuthErr, "disabled"));
    });
}
