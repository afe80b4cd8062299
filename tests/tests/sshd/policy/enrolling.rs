//! Enrolling inside the login, through a real client on a real terminal: what is stored and when, and what never is.

use twinlock_tests::{
    Authenticator, Background, FirstFactor, Launch, Operation, PASSWORD, PamCode, Sshd, World, converse, in_sshd_world,
    in_world, recovery_codes_in,
};

use crate::policy::first_login::{
    BACK, CODE, PROMPT, alice_is_enrolled, app_of, configure, day, detail, ends, enrol, enrol_but_for_the_last_answer,
    host, ours,
};

const ENROLL: &str = "second_factor = \"enroll\"\nissuer = \"web01\"\n";

/// Types the password first.
fn after_the_password<'s>(sshd: &'s Sshd<'_>, password: &str) -> twinlock_tests::Session<'s> {
    let mut session = sshd.login("alice").without_key().terminal();
    session.expect("Password: ");
    session.send_line(password);
    session
}

#[test]
fn with_a_key_alice_enrols_at_her_first_login_and_is_asked_from_then_on() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").terminal();
        let mut handed_over = enrol(&mut session);
        session.expect("Your second factor will be saved when this login is complete.");
        let login = session.finish();
        assert!(login.granted, "{login:#?}");
        assert_eq!(ends(&login), ["granted/-", "granted/-"]);
        let staged_and_stored = ours(&login).iter().map(detail).collect::<Vec<_>>();
        assert!(staged_and_stored[0].contains("to be stored when the login is complete"), "{staged_and_stored:?}");
        assert!(staged_and_stored[1].contains("was stored"), "{staged_and_stored:?}");
        assert!(alice_is_enrolled(world));

        let again = sshd.login("alice").answer(&handed_over.confirming_code).run();
        assert!(!again.granted && again.prompts == [PROMPT], "{again:#?}");
        assert_eq!(ends(&again), ["refused/replayed"]);
        assert!(sshd.login("alice").answer(handed_over.codes.next()).run().granted, "the next code");
        assert!(
            sshd.login("alice").answer(&handed_over.recovery_codes[3]).run().granted,
            "the one typed back is not spent"
        );
    });
}

#[test]
fn with_a_password_alice_enrols_at_her_first_login() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Password, ENROLL);
        let mut session = after_the_password(&sshd, PASSWORD);
        enrol(&mut session);
        let login = session.finish();
        assert!(login.granted && alice_is_enrolled(world), "{login:#?}");
    });
}

#[test]
fn what_is_shown_fits_a_terminal_and_has_no_colours() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").terminal();
        let shown = session.expect(CODE);
        assert!(shown.contains("For a QR code to scan instead, press Enter.") && !shown.contains('█'), "{shown}");
        for (answer, has, lacks) in [
            ("", "█", "####"),
            ("a", "####", "█"),
            ("i", "####", "█"),
            ("a", "█", "####"),
            ("i", "█", "####"),
            ("k", "by hand:", "█"),
        ] {
            session.send_line(answer);
            let shown = session.expect(CODE);
            assert!(!shown.contains('\x1b') && !shown.contains("\\0"), "{shown}");
            // The first line is what was typed, the second the client's own.
            let lines: Vec<_> = shown.lines().skip(2).collect();
            let fits = lines.len() <= 24 && lines.iter().all(|line| line.chars().count() <= 78);
            assert!(fits || has == "####", "{shown}");
            assert!(shown.contains(has) && !shown.contains(lacks), "{answer}: {shown}");
        }
        session.terminal.process().kill();
        session.finish();
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn a_wrong_password_stores_nothing_in_a_required_stack_and_is_not_offered_anything_in_a_requisite_one() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Password, ENROLL);
        world.change("/etc/pam.d/sshd", "@include common-auth", "auth required pam_unix.so nodelay");
        let mut session = after_the_password(&sshd, "not her password");
        enrol(&mut session);
        let login = session.finish();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");
        assert_eq!(ends(&login), ["granted/-"], "staged and never stored");

        world.change("/etc/pam.d/sshd", "auth required pam_unix.so nodelay", "auth requisite pam_unix.so nodelay");
        let login = after_the_password(&sshd, "not her password").finish();
        assert!(!login.granted && !login.stdout.contains("Scan"), "{login:#?}");
        assert_eq!(ends(&login), [""; 0]);
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn a_module_behind_that_refuses_stores_nothing() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let line = "auth       required     pam_twinlock.so";
        world.change("/etc/pam.d/sshd", line, &format!("{line}\nauth required pam_deny.so"));
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        assert!(!session.finish().granted && !alice_is_enrolled(world));
    });
}

#[test]
fn a_connection_that_drops_stores_nothing() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").terminal();
        session.expect(CODE);
        session.terminal.process().kill();
        session.wait_for_server();
        drop(session.finish());
        assert!(!alice_is_enrolled(world), "before the code");

        let mut session = sshd.login("alice").terminal();
        enrol_but_for_the_last_answer(&mut session);
        session.terminal.process().kill();
        session.wait_for_server();
        drop(session.finish());
        assert!(!alice_is_enrolled(world), "before the recovery code");
    });
}

#[test]
fn of_two_at_once_one_wins_and_the_other_is_told() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let (mut first, mut second) = (sshd.login("alice").terminal(), sshd.login("alice").terminal());
        let mut winner = enrol_but_for_the_last_answer(&mut first);
        let mut loser = enrol_but_for_the_last_answer(&mut second);
        first.send_line(&winner.recovery_codes[0]);
        assert!(first.finish().granted);
        second.send_line(&loser.recovery_codes[0]);
        second.expect("Another login has enrolled this account in the meantime");
        let login = second.finish();
        assert!(!login.granted, "{login:#?}");
        assert!(!sshd.login("alice").answer(loser.codes.next()).run().granted, "the loser's app opens nothing");
        assert!(sshd.login("alice").answer(winner.codes.next()).run().granted);
    });
}

#[test]
fn five_wrong_codes_and_five_wrong_recovery_codes_end_it() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let mut session = sshd.login("alice").terminal();
        let app = app_of(&session.expect(CODE));
        for _ in 0..4 {
            session.send_line(&app.wrong_code());
            session.expect("That code does not match.");
            session.expect(CODE);
        }
        session.send_line(&app.wrong_code());
        let login = session.finish();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ends(&login), ["refused/not-enrolled"]);

        let mut session = sshd.login("alice").terminal();
        enrol_but_for_the_last_answer(&mut session);
        for _ in 0..4 {
            session.send_line("AAAA-AAAA-AAAA-AAAA");
            session.expect("That is not one of the codes above.");
            session.expect(BACK);
        }
        session.send_line("AAAA-AAAA-AAAA-AAAA");
        let login = session.finish();
        assert!(!login.granted && ends(&login) == ["refused/not-enrolled"], "{login:#?}");
        assert!(!alice_is_enrolled(world));
    });
}

#[test]
fn a_host_that_runs_the_account_phase_twice_finds_it_stored_once() {
    in_world(|world| {
        world.set_up(ENROLL);
        world.account("alice");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let operations = [
            Operation::Authenticate,
            Operation::AcctMgmt,
            Operation::AcctMgmt,
            Operation::SetCred,
            Operation::AcctMgmt,
            Operation::SetCred,
        ];
        let codes = converse(c"svc", c"alice", c"SSH_AUTH_INFO_0=password", &operations, |prompt| {
            let answer = if prompt.ends_with(BACK) {
                recovery_codes_in(prompt).remove(0)
            } else {
                app_of(prompt).codes().next()
            };
            answer.into_bytes()
        });
        assert_eq!(codes, [PamCode::Success; 6]);
        assert!(alice_is_enrolled(world));
    });
}

/// The last write only lifts the throttle: the enrolment is on the disk by then, and its app is the only way in.
#[test]
fn an_enrolment_that_failed_in_its_last_write_is_not_said_to_be_worth_nothing() {
    in_world(|world| {
        world.set_up(ENROLL);
        world.account("alice");
        world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let mut tracer = None;
        let mark = world.log_mark();
        let codes = converse(
            c"svc",
            c"alice",
            c"SSH_AUTH_INFO_0=password",
            &[Operation::Authenticate, Operation::AcctMgmt, Operation::SetCred],
            |prompt| {
                let answer = if prompt.ends_with(BACK) {
                    let thread = nix::unistd::gettid();
                    let script =
                        format!("exec strace -p {thread} -e trace=fdatasync -e inject=fdatasync:error=EIO:when=2 2>&1");
                    let process = Launch::new(["sh", "-c", &script]).start();
                    process.wait_for_output("attached");
                    tracer = Some(process);
                    recovery_codes_in(prompt).remove(0)
                } else {
                    app_of(prompt).codes().next()
                };
                answer.into_bytes()
            },
        );
        tracer.unwrap().kill();
        assert_eq!(codes, [PamCode::Success, PamCode::Success, PamCode::CredErr]);
        assert!(alice_is_enrolled(world));
        let entries = world.entries_since(mark);
        assert!(
            detail(&entries[1]).starts_with("the enrolment inside this login may have been stored in part"),
            "{entries:#?}"
        );
    });
}

#[test]
fn without_the_account_line_nothing_is_stored_and_the_log_says_why() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        world.change("/etc/pam.d/sshd", "account    required     pam_twinlock.so", "");
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        let login = session.finish();
        assert!(!alice_is_enrolled(world), "{login:#?}");
        let entries = ours(&login);
        assert!(
            entries.len() == 1 && detail(&entries[0]).contains("no account line of pam_twinlock.so"),
            "{entries:#?}"
        );
    });
}

#[test]
fn without_a_first_factor_nothing_is_offered() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "AuthenticationMethods keyboard-interactive\n");
        world.change("/etc/pam.d/sshd", " require_key", "");
        let login = sshd.login("alice").without_key().answer("123456").run();
        assert!(!login.granted && login.prompts == [PROMPT], "{login:#?}");
        let entries = ours(&login);
        assert_eq!(entries[0].value("reason"), "not-enrolled");
        assert!(detail(&entries[0]).contains("no first factor was verified before"), "{entries:#?}");
    });
}

#[test]
fn the_password_method_is_shown_no_secret() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Password, &format!("{ENROLL}echo = false\n"));
        world.write(
            "/etc/ssh/sshd_config.d/0-before.conf",
            "PasswordAuthentication yes\nAuthenticationMethods password\n",
        );
        let login = sshd.login("alice").without_key().answer(PASSWORD).run();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");
        let said = format!("{:?}{}{}", login.prompts, login.stdout, login.stderr);
        assert!(!said.contains("Scan") && !said.contains('█'), "{said}");
        assert_eq!(ends(&login), ["refused/no-answer"]);
    });
}

#[test]
fn a_roll_out_enrols_until_its_last_day_and_refuses_with_the_way_to_help_from_then_on() {
    in_sshd_world(|world| {
        let rule =
            |until: &str| format!("[[rule]]\nname = \"roll-out\"\nuntil = {until}\nsecond_factor = \"enroll\"\n");
        let sshd = host(world, FirstFactor::Key, &rule(&day(-1)));
        let late = sshd.login("alice").answer("123456").run();
        assert!(!late.granted && late.prompts == [PROMPT], "{late:#?}");
        let help = "No code? Ask the administrator of this host to enrol you.";
        assert!(late.stderr.contains(help), "{late:#?}");
        configure(world, &format!("help = \"Room 12, with your badge.\"\n{}", rule(&day(-1))));
        let late = sshd.login("alice").answer("123456").run();
        assert!(!late.granted && late.stderr.contains("Room 12, with your badge."), "{late:#?}");
        assert_eq!(ends(&late), ["refused/not-enrolled"]);

        configure(world, &rule(&day(0)));
        let mut session = sshd.login("alice").terminal();
        enrol(&mut session);
        assert!(session.finish().granted);
        configure(world, &rule(&day(-1)));
        let login = sshd.login("alice").answer("123456").run();
        assert_eq!(ends(&login), ["refused/wrong-code"], "who enrolled in time is asked");
    });
}

#[test]
fn a_connection_that_was_cut_is_offered_the_same_key_and_nobody_else_is() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        let key_line = |shown: &str| shown.lines().find(|line| line.contains("(web01: alice)")).unwrap().to_owned();
        let begin = |address: &str| {
            let mut session = sshd.login("alice").from(address).terminal();
            let shown = key_line(&session.expect(CODE));
            (session, shown)
        };
        let cut = |session: twinlock_tests::Session<'_>| {
            session.terminal.process().kill();
            session.wait_for_server();
            session.finish();
        };
        let (first, key) = begin("127.0.0.1");
        let (second, other) = begin("127.0.0.1");
        assert_ne!(key, other, "while the first dialogue runs");
        cut(second);
        cut(first);
        let (elsewhere, other) = begin("127.0.0.2");
        assert_ne!(key, other, "from another address");
        cut(elsewhere);
        let (session, key) = begin("127.0.0.1");
        assert_ne!(key, other, "the offer is the other client's now");
        cut(session);
        let mut session = sshd.login("alice").terminal();
        let shown = session.expect(CODE);
        assert_eq!(key_line(&shown), key);
        let app = app_of(&shown);
        session.send_line(&app.codes().next());
        let shown = session.expect(BACK);
        session.send_line(&recovery_codes_in(&shown)[0]);
        assert!(session.finish().granted && alice_is_enrolled(world));
        assert!(!std::path::Path::new("/var/lib/twinlock/credentials/.alice.toml.offer").exists());
    });
}

#[test]
fn somebody_who_may_not_log_in_gets_nothing() {
    in_sshd_world(|world: &World| {
        let sshd = host(world, FirstFactor::Key, ENROLL);
        world.write("/etc/ssh/sshd_config.d/0-before.conf", "DenyUsers alice\n");
        let login = sshd.login("alice").answer("123456").run();
        assert!(!login.granted && !alice_is_enrolled(world), "{login:#?}");
    });
}

#[test]
fn the_picture_is_read_from_the_screen_of_a_dark_terminal_and_inverted_from_a_light_one() {
    for background in [Background::Dark, Background::Light] {
        in_sshd_world(|world| {
            let sshd = host(world, FirstFactor::Key, ENROLL);
            let login = sshd.login("alice").screen(background);
            login.screen.expect(CODE);
            login.screen.type_line("");
            login.screen.expect("Cannot scan it?");
            if background == Background::Light {
                login.screen.type_line("i");
            }
            let uri = login.screen.decode(|text| text.starts_with("otpauth://totp/web01:alice?secret="));
            // What the phone scanned is all that is used from here on.
            let app = Authenticator::from_uri(&uri);
            login.screen.type_line(&app.codes().next());
            let shown = login.screen.expect(BACK);
            assert!(shown.contains(&app_of(&shown).codes().next()), "the key by hand is the same");
            login.screen.type_line(&recovery_codes_in(&shown)[9]);
            let login = login.finish();
            assert!(login.granted && alice_is_enrolled(world), "{background:?}: {login:#?}");
        });
    }
}
