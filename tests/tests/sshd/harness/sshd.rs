//! Logins through a real sshd.

use std::fs;
use std::path::Path;

use twinlock_tests::{Launch, PASSWORD, Sshd, in_sshd_world};

use crate::harness::peer::{PEER, enrol_with_peer};

#[test]
fn sshd_lets_in_who_has_key_and_code() {
    in_sshd_world(|world| {
        let app = enrol_with_peer(world, &world.account("alice"));
        world.service("sshd", PEER);
        let sshd = Sshd::new(world);
        let login = sshd.login("alice").answer(app.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, ["Verification code: "]);
        assert!(
            login.server_log.iter().any(|line| line.tag == "sshd"
                && line.text.starts_with("Accepted keyboard-interactive/pam for alice from 127.0.0.1")),
            "{login:#?}"
        );
    });
}

#[test]
fn sshd_refuses_a_wrong_code_a_strange_key_and_no_key() {
    in_sshd_world(|world| {
        let app = enrol_with_peer(world, &world.account("alice"));
        world.service("sshd", PEER);
        let sshd = Sshd::new(world);
        let wrong = sshd.login("alice").answer(app.wrong_code()).run();
        assert!(!wrong.granted && wrong.code == Some(255), "{wrong:#?}");
        assert!(wrong.server_log.iter().any(|line| line.text.contains("Invalid verification code")), "{wrong:#?}");
        for client in [sshd.login("alice").with_strange_key(), sshd.login("alice").without_key()] {
            let login = client.answer(app.codes().next()).run();
            assert!(!login.granted && login.prompts.is_empty(), "{login:#?}");
        }
    });
}

#[test]
fn the_lines_of_a_test_win_over_the_defaults_of_sshd() {
    in_sshd_world(|world| {
        world.account("alice");
        world.account("robot");
        let rest = "account required pam_permit.so\nsession required pam_permit.so\n";
        world.service("sshd", &format!("auth required pam_unix.so\n{rest}"));
        let sshd = Sshd::new(world)
            .config("AuthenticationMethods keyboard-interactive\nMatch User robot\nAuthenticationMethods publickey\n");
        let login = sshd.login("alice").without_key().answer(PASSWORD).run();
        assert!(login.granted, "{login:#?}");
        let login = sshd.login("robot").with_key_type("ecdsa").run();
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        let sshd = sshd.config("PasswordAuthentication yes\nAuthenticationMethods password\n");
        let login = sshd.login("alice").answer(PASSWORD).run();
        assert!(login.granted && login.prompts == ["alice@127.0.0.1's password: "], "{login:#?}");
    });
}

#[test]
fn sshd_tells_pam_where_the_client_is_and_which_key_it_used() {
    in_sshd_world(|world| {
        world.account("alice");
        world.write_script("/etc/keep", "#!/bin/sh\necho \"$PAM_RHOST $PAM_TTY $SSH_AUTH_INFO_0\" >/run/items\n");
        let rest = "account required pam_permit.so\nsession required pam_permit.so\n";
        world.service(
            "sshd",
            &format!("auth required pam_exec.so quiet /etc/keep\nauth required pam_permit.so\n{rest}"),
        );
        let sshd = Sshd::new(world);
        let login = sshd.login("alice").from("127.0.0.9").run();
        assert!(login.granted, "{login:#?}");
        let expected = format!("127.0.0.9 ssh publickey {}\n\n", sshd.public_key("ed25519"));
        assert_eq!(fs::read_to_string("/run/items").unwrap(), expected);
    });
}

#[test]
fn ssh_without_terminal_and_answers_sends_nothing() {
    in_sshd_world(|world| {
        let account = world.account("alice");
        enrol_with_peer(world, &account);
        world.service("sshd", PEER);
        let sshd = Sshd::new(world);
        let dumb = sshd.login("alice").without_askpass().option("NumberOfPasswordPrompts=2").run();
        let spent = sshd.login("alice").run();
        assert!(!dumb.granted && !spent.granted);
        assert_eq!(spent.prompts, ["Verification code: "]);
    });
}

#[test]
fn a_person_logs_in_on_a_terminal() {
    in_sshd_world(|world| {
        let app = enrol_with_peer(world, &world.account("alice"));
        world.service("sshd", PEER);
        let sshd = Sshd::new(world);
        let mut session = sshd.login("alice").terminal();
        session.expect("(alice@127.0.0.1) Verification code: ");
        session.send_line(&app.codes().next());
        session.expect("\nIN\n");
        let login = session.finish();
        assert!(login.granted, "{login:#?}");
    });
}

#[test]
fn sshd_runs_in_the_world_and_leaves_nothing_running() {
    in_sshd_world(|world| {
        world.account("alice");
        world.service(
            "sshd",
            "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
        );
        world.write("/etc/only-here", "");
        let login = Sshd::new(world)
            .login("alice")
            .command("test -e /etc/only-here && echo IN; readlink /proc/self/ns/mnt")
            .run();
        assert!(login.granted, "{login:#?}");
        let ours = fs::read_link("/proc/thread-self/ns/mnt").unwrap();
        assert_eq!(login.stdout, format!("IN\n{}\n", ours.display()));
        let left = Launch::new(["sh", "-c", "for ns in /proc/[0-9]*/ns/mnt; do readlink $ns; done"]).run();
        // The shell and readlink(1) of this very look are in the world; nothing else is.
        assert!(left.stdout.lines().filter(|ns| Path::new(ns) == ours).count() <= 1, "{left:?}");
    });
}

#[test]
fn sshd_can_run_with_the_file_of_the_host_and_a_drop_in() {
    in_sshd_world(|world| {
        world.account("alice");
        world.take_from_host_etc("ssh/sshd_config");
        world.write(
            "/etc/ssh/sshd_config.d/00-twinlock.conf",
            "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive\n",
        );
        world.service(
            "sshd",
            "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n",
        );
        let login = Sshd::from_file(world, "/etc/ssh/sshd_config").login("alice").answer(PASSWORD).run();
        assert!(login.granted && login.prompts == ["Password: "], "{login:#?}");
    });
}
