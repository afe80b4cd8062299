//! What the next logins tell of a change, for a week: an intruder in the account cannot use it up.

use twinlock_tests::{
    Attempt, Authenticator, Family, FirstFactor, PamCode, Setup, Style, Terminal, User, World, address_in,
    in_sshd_world, recovery_code_in,
};

use crate::asked::{CONFIRM, KEPT, PROOF};

const DAY: u64 = 86400;

/// What a login with this answer is told, of changes alone. The host is root's, and its clock so many days ahead.
fn told_in(alice: &User<'_>, days: u64, answer: &str) -> Vec<String> {
    let ahead = format!("+{days}d");
    let mut attempt = Attempt::new("svc").user("alice").answer(answer);
    if days > 0 {
        attempt = attempt.under(["faketime", "-f", &ahead]);
    }
    of_changes(alice.world, attempt)
}

fn of_changes(world: &World, attempt: Attempt) -> Vec<String> {
    let outcome = attempt.run(world);
    assert_eq!(outcome.code(), PamCode::Success, "{outcome:?}");
    let told = outcome.messages.iter().map(|message| (message, message.text.replace('\n', " ")));
    let notices = told.filter(|(_, text)| text.contains("Was that not you?"));
    notices
        .map(|(message, text)| {
            assert_eq!(message.style, Style::ErrorMessage, "{message:?}");
            assert!(message.text.lines().all(|line| line.len() < 80), "{message:?}");
            text
        })
        .collect()
}

/// The words of a notice, without the times in it.
fn words(told: &[String]) -> Vec<String> {
    let end = " Was that not you? Tell your administrator.";
    let times = ["just now", "1 minute ago", "1 day ago"];
    let one = |text: &String| {
        let text = text.strip_suffix(end).unwrap_or_else(|| panic!("{text}"));
        times.iter().fold(text.to_owned(), |text, time| text.replace(&format!(" {time}"), ""))
    };
    told.iter().map(one).collect()
}

/// Does it on a terminal, with this code as proof.
fn typed(alice: &User<'_>, arguments: &[&str], proof: &str) {
    let mut terminal: Terminal = alice.types(arguments);
    terminal.expect(PROOF);
    terminal.send_line(proof);
    if arguments[0] == "enroll" {
        let shown = terminal.expect(CONFIRM);
        let app = Authenticator::from_uri(address_in(&shown));
        terminal.send_line(&app.codes().next());
    }
    if !arguments.contains(&"--add") {
        let shown = terminal.expect(KEPT);
        let code = recovery_code_in(&shown);
        terminal.send_line(&code);
    }
    let output = terminal.finish();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
}

fn device(alice: &User<'_>, verb: &[&str], proof: &str) {
    let output = alice.runs(&[&["device"], verb].concat(), &[proof]);
    assert_eq!(output.code, Some(0), "{verb:?}: {output:?}");
}

#[test]
fn every_login_tells_of_a_change_of_a_device() {
    Setup::with_broker().enrolled(|alice| {
        alice.world.deploy("alice");
        typed(alice, &["enroll", "--add", "--label", "tablet"], alice.recovery_code(0));
        let login = |at: usize| words(&told_in(alice, 0, alice.recovery_code(at)));
        assert_eq!(login(1), ["An app or device was added."]);
        assert_eq!(login(2), ["An app or device was added."], "a login does not use it up");
        device(alice, &["rename", "alice", "tablet", "old tablet"], alice.recovery_code(3));
        assert_eq!(login(4), ["An app or device was added."], "nor does a rename");
        device(alice, &["suspend", "alice", "old tablet"], alice.recovery_code(5));
        let with_others = |others: &str| [format!("An app or device was added. {others}")];
        let suspended = "An app or device was suspended.";
        assert_eq!(login(6), with_others(suspended), "a lesser change does not hide a graver one");
        device(alice, &["resume", "alice", "old tablet"], alice.recovery_code(7));
        let by_her_host = of_changes(alice.world, alice.unprivileged_attempt().answer(alice.codes().next()));
        assert_eq!(
            words(&by_her_host),
            with_others("2 other changes were made."),
            "a host that is not root's is told the gravest, and how many others there were"
        );
        device(alice, &["remove", "alice", "old tablet"], alice.recovery_code(8));
        let rest = format!("An app or device was removed. {suspended} An app or device was resumed.");
        assert_eq!(login(9), with_others(&rest));
    });
}

#[test]
fn every_login_tells_of_new_recovery_codes_and_of_a_replacement() {
    Setup::with_broker().enrolled(|alice| {
        let mut codes = alice.codes();
        typed(alice, &["recovery", "new"], alice.recovery_code(0));
        assert_eq!(words(&told_in(alice, 0, &codes.next())), ["The recovery codes were renewed."]);
        let mut terminal = alice.types(&["enroll", "--replace"]);
        terminal.expect(PROOF);
        terminal.send_line(&codes.next());
        let app = Authenticator::from_uri(address_in(&terminal.expect(CONFIRM)));
        let mut codes = app.codes();
        terminal.send_line(&codes.next());
        let code = recovery_code_in(&terminal.expect(KEPT));
        terminal.send_line(&code);
        assert_eq!(terminal.finish().code, Some(0));
        assert_eq!(
            words(&told_in(alice, 0, &codes.next())),
            ["The second factor was replaced by a new one. The recovery codes were renewed."]
        );
    });
}

#[test]
fn after_a_week_nothing_is_told_any_more() {
    Setup::with_broker().enrolled(|alice| {
        device(alice, &["suspend", "alice", "phone"], alice.recovery_code(0));
        device(alice, &["resume", "alice", "phone"], alice.recovery_code(1));
        let app = &alice.enrolled.authenticator;
        for (days, number) in [(0, 1), (6, 1), (8, 0), (30, 0)] {
            let code = app.code_at(app.now_step() + days * DAY / app.period);
            assert_eq!(told_in(alice, days, &code).len(), number, "after {days} days");
        }
    });
}

#[test]
fn a_refused_login_is_told_nothing() {
    Setup::with_broker().enrolled(|alice| {
        device(alice, &["suspend", "alice", "phone"], alice.recovery_code(0));
        for attempt in [alice.unprivileged_attempt(), alice.attempt()] {
            let outcome = attempt.answer(alice.wrong_code()).run(alice.world);
            assert_eq!((outcome.code(), outcome.notices()), (PamCode::AuthErr, vec![]));
        }
    });
}

#[test]
fn what_its_owner_cannot_miss_and_what_lets_nobody_in_is_not_told() {
    Setup::with_broker().unenrolled(|world, account| {
        let mut terminal = Terminal::start(world.twinlock_as(account, &["enroll"]));
        terminal.expect("Password: ");
        terminal.send_line(twinlock_tests::PASSWORD);
        let app = Authenticator::from_uri(address_in(&terminal.expect(CONFIRM)));
        terminal.send_line(&app.code_at(app.now_step()));
        let code = recovery_code_in(&terminal.expect(KEPT));
        terminal.send_line(&code);
        assert_eq!(terminal.finish().code, Some(0));
        let output = world
            .twinlock_as(account, &["device", "rename", "alice", "phone", "x"])
            .run_with_input(app.code_at(app.now_step() + 1).as_bytes());
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(of_changes(world, Attempt::new("svc").user("alice").answer(code)), Vec::<String>::new());
    });
    Setup::with_broker().enrolled(|alice| {
        let app = &alice.enrolled.authenticator;
        let code = |away: u64| app.code_at(app.now_step() + away);
        let output = alice.runs(&["resync"], &[&code(0), &code(1)]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(told_in(alice, 0, alice.recovery_code(0)), Vec::<String>::new());
    });
}

#[test]
fn what_root_changes_is_told_as_well() {
    Setup::with_broker().enrolled(|alice| {
        let mark = alice.world.log_mark();
        let output = alice.world.twinlock(&["recovery", "new", "alice", "--no-confirm"]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(
            crate::asked::changes(alice.world, mark),
            ["twinlock: change=recovery-codes-renewed user=alice by-uid=0"]
        );
        assert_eq!(words(&told_in(alice, 0, &alice.codes().next())), ["The recovery codes were renewed."]);
    });
}

#[test]
fn a_login_that_is_remembered_is_told_too() {
    in_sshd_world(|world| {
        let sshd = world.ship(Family::Debian, FirstFactor::Key);
        let rule = "[[rule]]\nname = \"all\"\nsecond_factor = \"required\"\nremember = \"7d\"\n";
        world.write(twinlock_tests::CONFIG, rule);
        world.account("alice");
        let alice = world.deploy("alice");
        let mut codes = alice.codes();
        assert!(sshd.login("alice").answer(codes.next()).run().granted);
        let remembered = sshd.login("alice").run();
        assert!(remembered.granted && remembered.prompts.is_empty(), "{remembered:?}");
        assert!(!remembered.stderr.contains("Was that not you?"), "{remembered:?}");
        assert_eq!(world.twinlock(&["enroll", "alice", "--add", "--no-confirm"]).code, Some(0));
        let login = sshd.login("alice").answer(codes.next()).run();
        assert!(login.granted && login.stderr.contains("An app or device was added just now."), "{login:?}");
        let again = sshd.login("alice").run();
        assert!(again.granted && again.prompts.is_empty(), "{again:?}");
        assert!(again.stderr.contains("An app or device was added just now."), "{again:?}");
    });
}

#[test]
fn a_person_at_ssh_sees_it() {
    in_sshd_world(|world| {
        let sshd = world.ship(Family::Debian, FirstFactor::Key);
        world.broker_service();
        let account = world.account("alice");
        let alice = world.deploy("alice");
        let _broker = world.broker();
        for (verb, code) in [("suspend", 0), ("resume", 1)] {
            let output = world
                .twinlock_as(&account, &["device", verb, "alice", "phone"])
                .run_with_input(alice.recovery_codes[code].as_bytes());
            assert_eq!(output.code, Some(0), "{output:?}");
        }
        let mut session = sshd.login("alice").terminal();
        session.expect("Verification code: ");
        session.send_line(&alice.codes().next());
        session.expect("An app or device was suspended just now.");
        session.expect("was resumed");
        session.expect("your administrator.");
        session.expect("IN\n");
        assert!(session.finish().granted);
    });
}

#[test]
fn incorrect_codes_of_others_are_reported_once_and_those_of_a_moment_ago_are_not() {
    in_sshd_world(|world| {
        let sshd = world.ship(Family::Debian, FirstFactor::Key);
        world.account("alice");
        let alice = world.deploy("alice");
        let mut codes = alice.codes();
        world.service("svc", "auth required pam_twinlock.so\n");
        let elsewhere = |answer: &str| Attempt::new("svc").user("alice").rhost("203.0.113.5").answer(answer).run(world);
        let login = |code: &str| {
            let login = sshd.login("alice").answer(code).run();
            assert!(login.granted, "{login:?}");
            login.stderr.replace("\r\n", " ").replace('\n', " ")
        };
        let first = codes.next();
        assert!(!login(&first).contains("incorrect"), "nothing has happened");
        let wrong = alice.authenticator.wrong_code();
        for answer in [&wrong, &first, &wrong] {
            assert_eq!(elsewhere(answer).code(), PamCode::AuthErr);
        }
        let told = login(&codes.next());
        let expected = "2 incorrect codes were entered since your last login, the last just now from 203.0.113.5. \
                        Was that not you? Tell your administrator.";
        assert!(told.contains(expected), "a used code is not one of them: {told}");
        assert!(!login(alice.recovery_codes[0].as_str()).contains("incorrect"), "they were reported");

        // A typing error of her own, right before.
        assert!(!sshd.login("alice").answer(&wrong).run().granted);
        assert!(!login(alice.recovery_codes[1].as_str()).contains("incorrect"));

        // `twinlock unlock` hides nothing from her.
        assert_eq!(elsewhere(&wrong).code(), PamCode::AuthErr);
        assert_eq!(world.twinlock(&["unlock", "alice"]).code, Some(0));
        assert!(
            login(alice.recovery_codes[2].as_str())
                .contains("1 incorrect code was entered since your last login, just now from")
        );

        // Nor does another program that tells her nothing.
        assert_eq!(elsewhere(&wrong).code(), PamCode::AuthErr);
        let verified = world.twinlock_launch(&["verify", "alice"]).run_with_input(alice.recovery_codes[3].as_bytes());
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert!(login(alice.recovery_codes[4].as_str()).contains("1 incorrect code was entered"));
    });
}

#[test]
fn only_an_app_that_is_older_than_the_changes_ends_the_notice_of_them() {
    Setup::with_broker().enrolled(|alice| {
        // Somebody adds a device, and has its codes.
        let add = ["enroll", "alice", "--add", "--label", "tablet", "--no-confirm", "--json"];
        let added = alice.world.twinlock_launch(&add).under(["faketime", "-f", "+1d"]).run();
        let tablet = Authenticator::from_uri(added.json()["uri"].as_str().unwrap());
        let acknowledge = |proof: &str| alice.runs(&["acknowledge"], &[proof]);
        let told = |code: usize| told_in(alice, 0, alice.recovery_code(code)).len();
        for proof in [tablet.codes().next().as_str(), alice.recovery_code(0)] {
            let output = acknowledge(proof);
            assert_eq!(output.code, Some(3), "{output:?}");
            assert!(output.stderr.contains("this code does not end the notices"), "{output:?}");
        }
        assert_eq!(told(1), 1);
        let mark = alice.world.log_mark();
        let output = acknowledge(&alice.codes().next());
        assert_eq!((output.code, output.stdout.contains("reports nothing")), (Some(0), true), "{output:?}");
        let logged = crate::asked::changes(alice.world, mark);
        assert_eq!(logged, [format!("twinlockd: change=acknowledged user=alice by-uid={}", alice.account.uid)]);
        assert_eq!(told(2), 0);

        // A device that was switched on again may be a stolen one, although it is old.
        for verb in ["suspend", "resume"] {
            assert_eq!(alice.world.twinlock(&["device", verb, "alice", "phone"]).code, Some(0));
        }
        let mut codes = alice.codes();
        codes.next();
        assert_eq!(acknowledge(&codes.next()).code, Some(3));
        assert_eq!(told(3), 1);
        assert_eq!(alice.world.twinlock(&["acknowledge", "alice"]).code, Some(0));
        assert_eq!(told(4), 0);
    });
}
