//! Rows I: codes that are issued for one login, and the help desk, which may issue them.

use twinlock_tests::{PamCode, Setup, User, race};

use crate::contender::granted;
use crate::row::{Row, Trial};
use crate::tools::{at, middle_of_a_step};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "I01",
        flaw: "One issued code was accepted in several simultaneous logins",
        origin: None,
        trial: Trial::Ours(i01_one_issued_code_opens_one_login),
    },
    Row {
        id: "I02",
        flaw: "A used issued code was accepted again",
        origin: None,
        trial: Trial::Ours(i02_a_used_issued_code_stays_used),
    },
    Row {
        id: "I03",
        flaw: "An issued code was accepted after its time, or when the clock was set back",
        origin: None,
        trial: Trial::Ours(i03_an_issued_code_is_good_in_its_time_alone),
    },
    Row {
        id: "I04",
        flaw: "Issued codes let somebody guess more often",
        origin: None,
        trial: Trial::Ours(i04_issued_codes_allow_no_more_guesses),
    },
];

fn issue(alice: &User<'_>) -> String {
    let output = alice.world.twinlock(&["recovery", "issue", "alice", "--valid", "10m"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout.trim_end().to_owned()
}

fn end_of(alice: &User<'_>, code: &str) -> PamCode {
    alice.attempt().answer(code).run(alice.world).code()
}

fn i01_one_issued_code_opens_one_login() -> String {
    const ROUNDS: usize = 5;
    const TOGETHER: usize = 4;
    let config = "fail_delay = \"0s\"\n[throttle]\nbudget = 1000\n";
    Setup::new().config(config).enrolled(|alice| {
        for round in 0..ROUNDS {
            alice.state().write(alice.world);
            let code = issue(alice);
            let spellings = [code.clone(), code.to_lowercase(), code.replace('-', ""), code.replace('-', " ")];
            let ends = race(alice.world, spellings.map(|spelling| alice.attempt().answer(spelling)));
            assert_eq!(granted(&ends), 1, "round {round}");
        }
    });
    format!("{ROUNDS} rounds of {TOGETHER} simultaneous logins: 1 accepted in each")
}

fn i02_a_used_issued_code_stays_used() -> String {
    Setup::new().enrolled(|alice| {
        let code = issue(alice);
        let before = alice.state_bytes();
        assert_eq!(end_of(alice, &code), PamCode::Success);
        assert_ne!(alice.state_bytes(), before);
        assert_eq!(end_of(alice, &code), PamCode::AuthErr);
        let others = issue(alice);
        assert_eq!(end_of(alice, &code), PamCode::AuthErr, "beside another one");
        assert_eq!(end_of(alice, &others), PamCode::Success);
    });
    "used issued code: denied; the next one: accepted".into()
}

fn i03_an_issued_code_is_good_in_its_time_alone() -> String {
    Setup::new().enrolled(|alice| {
        let now = middle_of_a_step();
        let when = |time: u64, code: &str| at(alice.attempt().answer(code), time).run(alice.world).code();
        for (time, end) in
            [(now - 3600, PamCode::AuthErr), (now + 599 + 60, PamCode::AuthErr), (now + 540, PamCode::Success)]
        {
            alice.state().write(alice.world);
            assert_eq!(when(time, &issue(alice)), end, "{time}");
        }
        // Once its time is over for anybody, no clock brings it back.
        alice.state().write(alice.world);
        let code = issue(alice);
        assert_eq!(when(now + 3600, &alice.wrong_code()), PamCode::AuthErr);
        assert_eq!(when(now + 60, &code), PamCode::AuthErr);
    });
    "before, after, and with the clock set back: denied; within its time: accepted".into()
}

fn i04_issued_codes_allow_no_more_guesses() -> String {
    const GUESSES: usize = 6;
    let config = "fail_delay = \"0s\"\n";
    let mut seen = Vec::new();
    for issued in [0, 2] {
        Setup::new().config(config).enrolled(|alice| {
            alice.state().write(alice.world);
            let codes: Vec<_> = (0..issued).map(|_| issue(alice)).collect();
            let guess = |_| {
                let mark = alice.world.log_mark();
                let outcome = alice.attempt().answer("0000-0000-0000-0000").run(alice.world);
                let log: Vec<_> = alice.world.entries_since(mark).into_iter().map(|entry| entry.text).collect();
                (outcome.code(), log)
            };
            seen.push((0..GUESSES).map(guess).collect::<Vec<_>>());
            assert!(
                codes.iter().all(|code| end_of(alice, code) == PamCode::AuthErr),
                "the wait holds for them as well"
            );
        });
    }
    assert_eq!(seen[0], seen[1]);
    format!("{GUESSES} guesses with and without issued codes: the same delays and log lines")
}
