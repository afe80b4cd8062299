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
