//! Rows I: codes that are issued for one login, and the help desk, which may issue them.

use twinlock_tests::{Account, Enrolled, Output, PamCode, STORE, Setup, Snapshot, User, race};

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
    Row {
        id: "I05",
        flaw: "The help desk issued a code for root, administrators, its members or protected accounts",
        origin: None,
        trial: Trial::Ours(i05_the_help_desk_does_not_reach_those_with_more_rights),
    },
    Row {
        id: "I06",
        flaw: "A former member of the help desk, or anybody else, issued a code",
        origin: None,
        trial: Trial::Ours(i06_only_members_help),
    },
    Row {
        id: "I07",
        flaw: "The stolen session of a member of the help desk was enough to issue a code",
        origin: None,
        trial: Trial::Ours(i07_a_session_is_not_enough_to_help),
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

/// A host with a help desk, of which hanna and henry are members, and these users, all of them enrolled.
fn with_help_desk(users: &[&str], test: impl FnOnce(&User<'_>, &Account, &Enrolled) + Send) {
    let config = "[helpdesk]\ngroup = \"helpdesk\"\nprotected_groups = [\"docker\"]\n";
    Setup::with_broker().config(config).enrolled(|alice| {
        let hanna = alice.world.account("hanna");
        for user in users {
            alice.world.account(user);
        }
        for (group, member) in [("sudo", "sue"), ("docker", "dora")] {
            alice.world.group(group, &[member]);
        }
        alice.world.group("helpdesk", &["hanna", "henry"]);
        for user in users.iter().chain(&["root"]) {
            alice.world.deploy(user);
        }
        test(alice, &hanna, &alice.world.deploy("hanna"));
    });
}

/// What the command says to hanna, who gives this code.
fn helped(alice: &User<'_>, by: &Account, user: &str, code: &str) -> Output {
    let issue = alice.world.twinlock_as(by, &["recovery", "issue", user]);
    issue.run_with_input(format!("{code}\n").as_bytes())
}

fn accepted(output: &Output) {
    assert_eq!((output.code, output.stdout.trim_end().len()), (Some(0), 19), "{output:?}");
}

fn i05_the_help_desk_does_not_reach_those_with_more_rights() -> String {
    const OUT_OF_REACH: [&str; 5] = ["root", "sue", "dora", "henry", "hanna"];
    with_help_desk(&["sue", "dora", "henry"], |alice, hanna, app| {
        let store = Snapshot::of(STORE);
        for user in OUT_OF_REACH {
            let refused = helped(alice, hanna, user, &app.codes().next());
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""), "{user}: {refused:?}");
        }
        assert_eq!(Snapshot::of(STORE), store, "no code is asked for");
        accepted(&helped(alice, hanna, "alice", &app.codes().next()));
    });
    format!("{} kinds of accounts: refused; a user: accepted", OUT_OF_REACH.len())
}

fn i06_only_members_help() -> String {
    with_help_desk(&["bob"], |alice, hanna, app| {
        let bob = alice.world.account_with_uid("bob", 1077);
        let code = app.codes().next();
        for (by, members) in [(&bob, &["hanna"][..]), (hanna, &["henry"]), (hanna, &[])] {
            alice.world.group("helpdesk", members);
            let refused = helped(alice, by, "alice", &code);
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""), "{members:?}: {refused:?}");
        }
        alice.world.group("helpdesk", &["hanna"]);
        accepted(&helped(alice, hanna, "alice", &code));
    });
    "others and former members: refused; a member: accepted".into()
}

fn i07_a_session_is_not_enough_to_help() -> String {
    with_help_desk(&[], |alice, hanna, app| {
        for code in ["", "000000", "alice"] {
            assert_eq!(helped(alice, hanna, "alice", code).code, Some(1), "{code}");
        }
        let code = app.codes().next();
        accepted(&helped(alice, hanna, "alice", &code));
        assert_eq!(helped(alice, hanna, "alice", &code).code, Some(1), "a code is used up by it");
    });
    "no code, an incorrect one, a used one: refused; each act needs a new code".into()
}
