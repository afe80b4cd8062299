//! The log: one line an attempt, that nobody can forge and that gives nothing away. (The grammar is in the harness.)

use twinlock_tests::{Attempt, EXACT, PamCode, Setup, odd_texts};

use crate::module::end::run;

#[test]
fn the_remote_host_is_escaped_and_capped() {
    Setup::new().enrolled(|alice| {
        for (host, expected) in odd_texts() {
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
    Setup::new().enrolled(|alice| {
        for (tty, _) in odd_texts() {
            let (_, end) = run(alice.world, alice.attempt().tty(&tty).answer("junk"));
            assert_eq!(end, crate::module::end::refused(PamCode::AuthErr, "junk"));
        }
    });
}

#[test]
fn the_service_is_escaped_and_capped() {
    Setup::new().enrolled(|alice| {
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
    Setup::new().enrolled(|alice| {
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
fn every_attempt_of_a_mixed_crowd_leaves_one_line_that_parses() {
    Setup::new().enrolled(|alice| {
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
            for (answer, (host, _)) in answers.iter().zip(odd_texts()) {
                Attempt::new("svc").user(user).rhost(host).answer(answer).run(alice.world);
                attempts += 1;
            }
        }
        let entries = alice.world.entries_since(mark);
        assert_eq!((entries.len(), alice.world.log_since(mark).len()), (attempts, attempts), "I7");
        assert!(entries.iter().all(|entry| entry.value("result") == "refused"), "{entries:#?}");
    });
}
