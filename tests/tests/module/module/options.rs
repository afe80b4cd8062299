//! Every option of `config.toml` does something: flipped away from its default, a verdict or an observable flips.

use std::time::Duration;

use twinlock_tests::{Attempt, PamCode, STORE, Setup, Style, User};

use crate::module::end::{granted, login, refused, refused_by, run};

/// What `look` sees under each of two configurations.
fn under<T: Send>(one: &str, other: &str, look: impl Fn(&User<'_>) -> T + Sync) -> (T, T) {
    let see = |config: &str| {
        let mut seen = None;
        Setup::new().config(config).enrolled(|alice| seen = Some(look(alice)));
        seen.unwrap_or_else(|| panic!("skipped"))
    };
    (see(one), see(other))
}

#[test]
fn second_factor_decides_who_is_asked() {
    let seen = under("second_factor = \"required\"", "second_factor = \"skip\"", |alice| {
        run(alice.world, alice.attempt().answer("x")).0.prompts().len()
    });
    assert_eq!(seen, (1, 0));
}

#[test]
fn prompt_is_what_is_asked() {
    let seen = under("", "prompt = \"Wie lautet der Code? \"", |alice| {
        run(alice.world, alice.attempt().answer("x")).0.prompts().concat()
    });
    assert_eq!(seen, ("Verification code: ".into(), "Wie lautet der Code? ".into()));
}

#[test]
fn echo_decides_whether_the_code_is_seen() {
    let seen = under("", "echo = false", |alice| run(alice.world, alice.attempt().answer("x")).0.messages[0].style);
    assert_eq!(seen, (Style::EchoOn, Style::EchoOff));
}

#[test]
fn fail_delay_is_asked_of_libpam() {
    let delay = |alice: &User<'_>| run(alice.world, alice.attempt().answer(alice.wrong_code())).0.fail_delay();
    let (one, five) = under("", "fail_delay = \"5s\"", delay);
    // libpam varies it by half.
    let half_more = |seconds: u64| Duration::from_millis(500 * seconds)..=Duration::from_millis(1500 * seconds);
    assert!(half_more(1).contains(&one) && half_more(5).contains(&five), "{one:?}, {five:?}");
    let (none, _) = under("fail_delay = \"0s\"", "", delay);
    assert_eq!(none, Duration::ZERO);
}

#[test]
fn the_delay_is_the_same_whatever_the_reason() {
    Setup::new().config("fail_delay = \"10s\"").enrolled(|alice| {
        let asked = |attempt: Attempt| run(alice.world, attempt).0.fail_delay() >= Duration::from_secs(5);
        alice.world.account("bob");
        for user in ["alice", "bob", "zoe"] {
            for answer in ["x", "123456"] {
                assert!(asked(Attempt::new("svc").user(user).answer(answer)), "{user} {answer}");
            }
        }
    });
}

#[test]
fn issuer_is_what_the_app_shows() {
    let seen = under("", "issuer = \"Example Corp\"", |alice| {
        alice.world.account("bob");
        alice.world.twinlock(&["enroll", "bob", "--no-confirm", "--json"]).stdout.contains("issuer=Example%20Corp")
    });
    assert_eq!(seen, (false, true));
}

#[test]
fn directory_is_where_people_are_enrolled() {
    let seen = under("", "[store]\ndirectory = \"/var/lib/elsewhere\"", |alice| {
        std::fs::rename(STORE, "/var/lib/elsewhere").unwrap();
        login(alice, &[&alice.codes().next()]).code
    });
    assert_eq!(seen, (PamCode::AuthinfoUnavail, PamCode::Success));
}

#[test]
fn free_failures_is_after_how_many_two_codes_are_asked_for() {
    let seen = under("", "[throttle]\nfree_failures = 2", |alice| {
        alice.state().wrong_codes(2).write(alice.world);
        login(alice, &[&alice.codes().next()])
    });
    assert_eq!(seen, (granted(), refused(PamCode::ConvErr, "no-answer")));
}

#[test]
fn budget_is_after_how_many_in_all_two_codes_are_asked_for() {
    let seen = under("", "[throttle]\nbudget = 5", |alice| {
        alice.state().budget_spent(5).write(alice.world);
        login(alice, &[&alice.codes().next()])
    });
    assert_eq!(seen, (granted(), refused(PamCode::ConvErr, "no-answer")));
}

#[test]
fn spacing_is_how_long_to_wait_between_two_attempts() {
    let seen = under("", "[throttle]\nspacing = \"1h\"", |alice| {
        alice.state().wrong_codes(3).failed_ago(60).write(alice.world);
        let mut codes = alice.codes();
        login(alice, &[&codes.next(), &codes.next()])
    });
    assert_eq!(seen, (granted(), refused_by("totp", "3", PamCode::AuthErr, "throttled")));
}

#[test]
fn disable_after_is_after_how_many_in_a_row_codes_are_refused() {
    let seen = under("", "[throttle]\ndisable_after = 11", |alice| {
        alice.state().wrong_codes(11).write(alice.world);
        let mut codes = alice.codes();
        login(alice, &[&codes.next(), &codes.next()])
    });
    assert_eq!(seen, (granted(), refused_by("totp", "11", PamCode::AuthErr, "disabled")));
}

#[test]
fn the_shipped_file_changes_nothing() {
    Setup::new().enrolled(|alice| {
        alice.world.write(twinlock_tests::CONFIG, alice.world.shipped("config.toml"));
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!((end, outcome.prompts()), (granted(), vec!["Verification code: "]));
    });
}
