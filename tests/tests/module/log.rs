//! The log: one line an attempt, that nobody can forge and that gives nothing away. (The grammar is in the harness.)

use twinlock_tests::{Attempt, PamCode};

use crate::scene::{EXACT, run, with_alice};

/// What others can make of `PAM_RHOST` and `PAM_TTY`, and what is left of it.
fn hostile() -> Vec<(Vec<u8>, String)> {
    let pairs: [(&[u8], &str); 11] = [
        (b"192.0.2.7", "192.0.2.7"),
        (b"2001:db8::7", "2001:db8::7"),
        (b"", "-"),
        (b"a\nNov 24 sshd[1]: Accepted", "a%0ANov%2024%20sshd%5B1%5D:%20Accepted"),
        (b"x\r\n\x1b[31m", "x%0D%0A%1B%5B31m"),
        (b"%s%n%d", "%25s%25n%25d"),
        (b"x result=granted", "x%20result%3Dgranted"),
        (b"\"quoted\"", "%22quoted%22"),
        (b"../../etc", "..%2F..%2Fetc"),
        (b"\xff", "%EF%BF%BD"),
        ("\u{202e}x".as_bytes(), "%E2%80%AEx"),
    ];
    // Longer ones make libpam's own audit fail.
    let long = [64, 65, 4096].map(|length| (vec![b'x'; length], "x".repeat(64)));
    pairs.iter().map(|(from, to)| (from.to_vec(), (*to).to_owned())).chain(long).collect()
}

#[test]
fn the_remote_host_is_escaped_and_capped() {
    with_alice(|alice| {
        for (host, expected) in hostile() {
            let mark = alice.world.log_mark();
            alice.attempt().rhost(&host).answer("junk").run(alice.world);
            let entries = alice.world.entries_since(mark);
            assert_eq!(entries.len(), 1, "{expected}");
            assert_eq!(entries[0].value("rhost"), expected);
            assert_eq!(alice.world.log_since(mark).len(), 1, "no line of its own: {expected}");
        }
    });
}

#[test]
fn the_terminal_is_not_in_the_log() {
    with_alice(|alice| {
        for (tty, _) in hostile() {
            let (_, end) = run(alice.world, alice.attempt().tty(&tty).answer("junk"));
            assert_eq!(end, crate::scene::refused(PamCode::AuthErr, "junk"));
        }
    });
}

#[test]
fn the_service_is_escaped_and_capped() {
    with_alice(|alice| {
        for (service, expected) in [("a b", "a%20b"), ("50%s", "50%25s"), (&"x".repeat(100), &"x".repeat(64))] {
            alice.world.service(service, EXACT);
            let mark = alice.world.log_mark();
            Attempt::new(service).user("alice").answer("junk").run(alice.world);
            let entries = alice.world.entries_since(mark);
            assert!(entries.len() == 1 && entries[0].value("service") == expected, "{entries:?}");
        }
    });
}

#[test]
fn how_loud_a_line_is_says_how_bad_it_is() {
    with_alice(|alice| {
        let severity = |answer: &str| {
            let mark = alice.world.log_mark();
            alice.attempt().answer(answer).run(alice.world);
            alice.world.log_since(mark)[0].severity
        };
        let (info, notice, error) = (6, 5, 3);
        assert_eq!(severity(&alice.codes().next()), info);
        assert_eq!(severity(&alice.wrong_code()), notice);
        assert_eq!(severity("junk"), notice);
        alice.world.write(twinlock_tests::CONFIG, "nonsense");
        assert_eq!(severity("junk"), error);
    });
}

#[test]
fn no_answer_and_no_secret_is_ever_in_the_log() {
    with_alice(|alice| {
        alice.world.service("svc", &EXACT.replace("pam_twinlock.so", "pam_twinlock.so debug"));
        let mut codes = alice.codes();
        let (right, next, wrong) = (codes.next(), codes.next(), alice.wrong_code());
        let answers = [
            &right,
            &right,
            &wrong,
            "correct horse battery",
            alice.recovery_code(0),
            alice.recovery_code(0),
            "7777-7777-7777-7777",
        ];
        for answer in answers {
            alice.attempt().answer(answer).answer(&next).rhost("192.0.2.7").run(alice.world);
        }
        let secret = std::fs::read_to_string(twinlock_tests::credentials_of("alice")).unwrap();
        let secret = secret.split("secret = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let lines = alice.world.log();
        assert_eq!(lines.iter().filter(|line| line.text.contains("result=")).count(), answers.len());
        let plain = |code: &str| code.replace('-', "");
        let canaries = [answers.to_vec(), vec![next.as_str(), secret.as_str(), "argon2", "7777777777777777"]].concat();
        for canary in canaries {
            for spelling in [canary.to_owned(), canary.to_lowercase(), plain(canary), plain(canary).to_lowercase()] {
                // A six-digit code may also be part of a pid or a time; those are not in the text.
                let leak = lines.iter().find(|line| line.text.contains(&spelling));
                assert_eq!(leak, None, "T-LEAK: {spelling}");
            }
        }
    });
}

#[test]
fn every_attempt_of_a_mixed_crowd_leaves_one_line_that_parses() {
    with_alice(|alice| {
        alice.world.account("bob");
        let users: [&[u8]; 7] = [b"alice", b"bob", b"root", b"zoe", b"al\nice", b"\xff", b"%s"];
        let answers: [&[u8]; 7] = [
            b"",
            b"123456",
            b"00000000",
            b"0000-0000-0000-0000",
            b"\x08\n\r\x7fINCORRECT",
            b"\xff\n",
            b"result=granted",
        ];
        let mark = alice.world.log_mark();
        let mut attempts = 0;
        for user in users {
            for (answer, (host, _)) in answers.iter().zip(hostile()) {
                Attempt::new("svc").user(user).rhost(host).answer(answer).run(alice.world);
                attempts += 1;
            }
        }
        let entries = alice.world.entries_since(mark);
        assert_eq!((entries.len(), alice.world.log_since(mark).len()), (attempts, attempts), "I7");
        assert!(entries.iter().all(|entry| entry.value("result") == "refused"), "{entries:#?}");
    });
}

#[test]
fn nothing_of_a_broken_file_is_in_the_log() {
    with_alice(|alice| {
        let path = twinlock_tests::credentials_of("alice");
        let text = std::fs::read_to_string(&path).unwrap();
        let canary = "GEZDGNBVGY3TQOJQ";
        for broken in [
            format!("secret = \"{canary}\n"),
            format!("{canary} = 1\n{text}"),
            text.replace("secret = \"", &format!("secret = \"{canary}!")),
        ] {
            alice.world.write_secret(&path, broken);
            let (_, end) = run(alice.world, alice.attempt().answer("123456"));
            assert!(end.log.contains("reason=store user=alice"), "{end:?}");
        }
        assert!(!alice.world.log().iter().any(|line| line.text.contains(canary)), "Y01");
    });
}
