//! PAM transactions: everything a test can ask of the driver reaches the module, and everything comes back.

use std::fs;
use std::path::Path;

use twinlock_tests::{Attempt, Give, Operation, PASSWORD, PamCode, World, in_world, race};

use crate::harness::peer::{PEER_AS_ROOT, enrol_with_peer};

/// Writes a service whose module, `pam_exec`, stores the answer it got, and for whom.
fn service_that_keeps_the_answer(world: &World) {
    world.write_script("/etc/keep", "#!/bin/sh\nprintf %s \"$PAM_USER\" >/run/user\nexec cat >/run/answer\n");
    world.service("svc", "auth required pam_exec.so expose_authtok quiet /etc/keep\n");
}

#[test]
fn the_codes_of_libpam_come_back() {
    in_world(|world| {
        world.service("permit", "auth required pam_permit.so\n");
        world.service("deny", "auth required pam_deny.so\n");
        world.service("debug", "auth required pam_debug.so auth=authinfo_unavail\n");
        let code = |service| Attempt::new(service).user("root").run(world).code();
        assert_eq!(code("permit"), PamCode::Success);
        assert_eq!(code("deny"), PamCode::AuthErr);
        assert_eq!(code("debug"), PamCode::AuthinfoUnavail);
        assert_eq!(code("no-such-service"), PamCode::AuthErr);
    });
}

#[test]
fn every_operation_is_run_and_reported() {
    in_world(|world| {
        let module =
            "required pam_debug.so acct=acct_expired cred=cred_unavail close_session=session_err chauthtok=try_again";
        world.service(
            "svc",
            &["auth", "account", "session", "password"].map(|kind| format!("{kind} {module}\n")).concat(),
        );
        let operations = [
            Operation::Authenticate,
            Operation::SetCred,
            Operation::AcctMgmt,
            Operation::OpenSession,
            Operation::CloseSession,
        ];
        let outcome = Attempt::new("svc").user("root").operations(operations).run(world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        let expected =
            [PamCode::Success, PamCode::CredUnavail, PamCode::AcctExpired, PamCode::Success, PamCode::SessionErr];
        assert_eq!(codes, expected);
        assert_eq!(outcome.code_of(Operation::AcctMgmt), PamCode::AcctExpired);
    });
}

#[test]
fn a_peer_accepts_a_right_code_and_refuses_a_wrong_one() {
    in_world(|world| {
        let app = enrol_with_peer(world, &world.account("alice"));
        world.service("svc", PEER_AS_ROOT);
        let mut codes = app.codes();
        for code in [codes.next(), codes.next()] {
            let right = Attempt::new("svc").user("alice").answer(code).run(world);
            assert_eq!(right.code(), PamCode::Success, "{:?}", world.log());
            assert_eq!(right.prompts(), ["Verification code: "]);
        }
        let wrong = Attempt::new("svc").user("alice").answer(app.wrong_code()).run(world);
        assert_eq!(wrong.code(), PamCode::AuthErr);
        let line = world.wait_for_log(|line| line.text.contains("Invalid verification code"));
        assert_eq!(line.tag, "svc(pam_google_authenticator)");
    });
}

#[test]
fn bytes_of_an_answer_reach_the_module_unchanged() {
    in_world(|world| {
        service_that_keeps_the_answer(world);
        let answer = b"\x08\n\r\x7fINCORRECT\xff\xfe";
        assert_eq!(Attempt::new("svc").user("root").answer(answer).run(world).code(), PamCode::Success);
        assert_eq!(fs::read("/run/answer").unwrap(), answer);
    });
}

#[test]
fn a_huge_answer_reaches_the_module() {
    in_world(|world| {
        service_that_keeps_the_answer(world);
        let give = Give::Huge { length: 1 << 20, byte: b'7' };
        assert_eq!(Attempt::new("svc").user("root").give(give).run(world).code(), PamCode::Success);
        // pam_exec passes on as much as PAM allows, about 512 bytes.
        let kept = fs::read_to_string("/run/answer").unwrap();
        assert!(kept.len() > 500 && kept.bytes().all(|byte| byte == b'7'), "{kept}");
    });
}

#[test]
fn a_conversation_can_fail_in_every_way() {
    in_world(|world| {
        service_that_keeps_the_answer(world);
        let attempt = || Attempt::new("svc").user("root");
        for give in [Give::ConvErr, Give::Code(PamCode::BufErr.into())] {
            let outcome = attempt().give(give.clone()).run(world);
            assert_ne!(outcome.code(), PamCode::Success, "{give:?}");
            assert_eq!(outcome.prompts(), ["Password: "], "{give:?}");
        }
        assert_ne!(attempt().run(world).code(), PamCode::Success, "the script ran out");
        assert!(!Path::new("/run/answer").exists());
        // pam_exec takes these for an empty password.
        for give in [Give::NullText, Give::NullArray] {
            assert_eq!(attempt().give(give.clone()).run(world).code(), PamCode::Success, "{give:?}");
            assert_eq!(fs::read("/run/answer").unwrap(), b"", "{give:?}");
        }
    });
}

#[test]
fn the_user_can_be_absent_or_odd_or_change_while_answering() {
    in_world(|world| {
        service_that_keeps_the_answer(world);
        let absent = Attempt::new("svc").answer("carol").answer("x").run(world);
        assert_eq!(absent.user.as_deref(), Some("carol"));
        Attempt::new("svc").user(b"a\xffb").answer("x").run(world);
        assert_eq!(fs::read("/run/user").unwrap(), b"a\xffb");
        let changed = Attempt::new("svc").user("alice").change_user("bob").answer("x").run(world);
        assert_eq!(fs::read("/run/user").unwrap(), b"bob");
        assert_eq!(changed.user.as_deref(), Some("bob"));
    });
}

#[test]
fn items_and_the_pam_environment_reach_the_module() {
    in_world(|world| {
        world.write_script("/etc/keep", "#!/bin/sh\necho \"$PAM_RHOST $PAM_TTY $SSH_AUTH_INFO_0\" >/run/items\n");
        world.service("svc", "auth required pam_exec.so /etc/keep\n");
        let attempt = Attempt::new("svc").user("root").rhost("192.0.2.7").tty("ssh");
        let outcome = attempt.pam_environment("SSH_AUTH_INFO_0", "publickey ssh-ed25519 AAAA").run(world);
        assert_eq!(fs::read_to_string("/run/items").unwrap(), "192.0.2.7 ssh publickey ssh-ed25519 AAAA\n");
        assert_eq!(outcome.pam_environment, ["SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA"]);
    });
}

#[test]
fn a_delay_is_recorded_and_not_slept() {
    in_world(|world| {
        world.service("svc", "auth optional pam_faildelay.so delay=40000000\nauth required pam_deny.so\n");
        let delay = Attempt::new("svc").user("root").run(world).fail_delay().as_secs();
        assert!((20..=60).contains(&delay), "40 s, give or take half: {delay}");
    });
}

#[test]
fn a_host_is_seen_before_and_after() {
    in_world(|world| {
        world.service("svc", "auth required pam_permit.so\n");
        let outcome = Attempt::new("svc").user("root").run(world);
        assert_eq!(outcome.before, outcome.after);
        assert_eq!(outcome.after.umask(), "0022");
        world.service("leaky", "session required pam_umask.so umask=0077\n");
        let outcome = Attempt::new("leaky").user("root").operations([Operation::OpenSession]).run(world);
        assert_eq!(outcome.after.umask(), "0077");
    });
}

#[test]
fn a_host_can_have_closed_its_standard_streams() {
    in_world(|world| {
        world.service("svc", "auth required pam_permit.so\n");
        let outcome = Attempt::new("svc").user("root").closed_stdio().run(world);
        assert_eq!(outcome.code(), PamCode::Success);
        assert!(outcome.before.descriptors.keys().all(|number| *number > 2), "{:?}", outcome.before);
    });
}

#[test]
fn a_crash_of_the_host_is_told_apart() {
    in_world(|world| {
        world.write_script("/etc/crash", "#!/bin/sh\nkill -ABRT $PPID\n");
        world.service("svc", "auth required pam_exec.so /etc/crash\n");
        assert_eq!(Attempt::new("svc").user("root").run(world).signal(), Some(6));
    });
}

#[test]
fn a_host_can_run_at_another_time() {
    in_world(|world| {
        let app = enrol_with_peer(world, &world.account("alice"));
        world.service("svc", PEER_AS_ROOT);
        let in_2001 =
            Attempt::new("svc").user("alice").under(["faketime", "2001-02-03 00:00:00"]).environment("TZ", "UTC");
        let step = 981_158_400 / 30;
        assert_eq!(in_2001.clone().answer(app.code_at(step)).run(world).code(), PamCode::Success);
        assert_eq!(in_2001.answer(app.codes().next()).run(world).code(), PamCode::AuthErr);
    });
}

#[test]
fn answers_of_a_race_are_let_go_together() {
    in_world(|world| {
        world.write_script("/etc/first", "#!/bin/sh\nmkdir /run/first\n");
        world.service("svc", "auth required pam_exec.so expose_authtok quiet /etc/first\n");
        let outcomes = race(world, vec![Attempt::new("svc").user("root").answer("x"); 8]);
        let first = outcomes.iter().filter(|outcome| outcome.code() == PamCode::Success).count();
        assert_eq!((outcomes.len(), first), (8, 1));
    });
}

#[test]
fn a_held_host_can_be_killed() {
    in_world(|world| {
        service_that_keeps_the_answer(world);
        let held = Attempt::new("svc").user("root").held().answer("x").start(world);
        assert!(held.process().is_running());
        held.kill();
        assert!(!Path::new("/run/answer").exists());
        let held = Attempt::new("svc").user("root").held().answer("x").start(world);
        assert_eq!(held.release().code(), PamCode::Success);
    });
}

#[test]
fn pam_unix_knows_the_accounts_of_the_world() {
    in_world(|world| {
        world.account("alice");
        world.service("svc", "auth required pam_unix.so\naccount required pam_unix.so\n");
        let attempt = |password: &str| Attempt::new("svc").user("alice").answer(password);
        let both = [Operation::Authenticate, Operation::AcctMgmt];
        let right = attempt(PASSWORD).operations(both).run(world);
        assert_eq!(right.codes, both.map(|operation| (operation, PamCode::Success)));
        assert_eq!(attempt("wrong").run(world).code(), PamCode::AuthErr);
    });
}
