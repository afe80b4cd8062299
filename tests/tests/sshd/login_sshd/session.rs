//! What people do with a login: a shell on a terminal; and that the session has nothing of ours.

use std::collections::BTreeSet;

use crate::login_sshd::shipped_host::{PROMPT, granted, key_and_code, on_a_host, ours, with_alice};

#[test]
fn a_person_gets_a_shell_on_a_terminal() {
    with_alice(key_and_code, |_, sshd, alice| {
        let code = alice.codes().next();
        let mut session = sshd.login("alice").shell().terminal();
        session.expect(&format!("(alice@127.0.0.1) {PROMPT}"));
        session.send_line(&code);
        // It echoes: people see what they type.
        session.expect(&code);
        session.expect("$ ");
        session.send_line("tty; id -un; echo IN");
        session.expect("/dev/pts/");
        session.expect("alice\n");
        session.send_line("exit");
        let login = session.finish();
        assert!(login.granted && login.code == Some(0), "{login:#?}");
        assert_eq!(ours(&login), [granted("alice", &alice.id)]);
    });
}

#[test]
fn with_noecho_the_code_is_not_shown_while_it_is_typed() {
    on_a_host(key_and_code, |world, sshd| {
        world.change(
            "/etc/pam.d/sshd",
            "auth       required     pam_twinlock.so",
            "auth       required     pam_twinlock.so noecho",
        );
        let code = world.enrol("alice").codes().next();
        let mut session = sshd.login("alice").terminal();
        session.expect(PROMPT);
        session.send_line(&code);
        let login = session.finish();
        assert!(login.granted && !login.stdout.contains(&code), "{login:#?}");
    });
}

#[test]
fn the_session_has_the_environment_it_would_have_without_us() {
    with_alice(key_and_code, |world, sshd, alice| {
        let environment = |answer: &str| {
            let login =
                sshd.login("alice").command("echo IN; env; umask; ulimit -a; ls /proc/self/fd").answer(answer).run();
            assert!(login.granted, "{login:#?}");
            // The ports differ from connection to connection.
            let lines = login.stdout.lines().filter(|line| !line.starts_with("SSH_C"));
            lines.map(String::from).collect::<BTreeSet<_>>()
        };
        let with = environment(&alice.codes().next());
        world.change("/etc/pam.d/sshd", "pam_twinlock.so", "pam_permit.so");
        assert_eq!(with, environment(""));
    });
}
