//! The return code of every entry point.

use twinlock_tests::{Attempt, IGNORED, Operation, PamCode, Setup};

use crate::module::end::{End, refused, run};

fn code_of(operation: Operation) -> PamCode {
    let mut code = None;
    Setup::new().enrolled(|alice| {
        let state = alice.state_bytes();
        code = Some(alice.attempt().operations([operation]).run(alice.world).code());
        assert_eq!(alice.state_bytes(), state, "L05: {operation:?} alone changes no state");
    });
    code.unwrap_or(PamCode::Unknown(-1))
}

#[test]
fn setcred_succeeds_with_and_without_a_login() {
    assert_eq!(code_of(Operation::SetCred), PamCode::Success);
    assert_eq!(code_of(Operation::DeleteCred), PamCode::Success);
}

#[test]
fn the_session_is_ignored() {
    assert_eq!(code_of(Operation::OpenSession), IGNORED);
    assert_eq!(code_of(Operation::CloseSession), IGNORED);
}

#[test]
fn a_change_of_password_is_ignored() {
    assert_eq!(code_of(Operation::ChAuthTok), IGNORED);
}

#[test]
fn a_whole_login_passes_every_entry_point() {
    Setup::new().enrolled(|alice| {
        let operations = [
            Operation::Authenticate,
            Operation::AcctMgmt,
            Operation::SetCred,
            Operation::OpenSession,
            Operation::CloseSession,
            Operation::DeleteCred,
        ];
        let outcome = alice.attempt().answer(alice.codes().next()).operations(operations).run(alice.world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        let expected = [PamCode::Success, PamCode::Success, PamCode::Success, IGNORED, IGNORED, PamCode::Success];
        assert_eq!(codes, expected);
    });
}

#[test]
fn the_guard_refuses_a_login_that_gave_no_code() {
    Setup::new().enrolled(|alice| {
        let (outcome, end) = run(alice.world, alice.attempt().operations([Operation::AcctMgmt]));
        assert_eq!(end.code, PamCode::PermDenied);
        let expected = refused(PamCode::PermDenied, "bypass").log;
        assert!(end.log.starts_with(&format!("{expected} detail=\"")), "{end:?}");
        assert!(end.log.contains("AuthenticationMethods publickey,keyboard-interactive"), "the remedy: {end:?}");
        assert!(outcome.prompts().is_empty() && outcome.notices().len() == 1, "{outcome:?}");
    });
}

#[test]
fn the_guard_refuses_who_is_not_enrolled() {
    Setup::new().host(|world| {
        world.account("alice");
        let (_, end) = run(world, Attempt::new("svc").user("alice").operations([Operation::AcctMgmt]));
        assert_eq!(end.code, PamCode::PermDenied);
        assert!(end.log.contains("reason=bypass user=alice"), "{end:?}");
    });
}

#[test]
fn the_guard_refuses_an_unknown_user_without_a_name() {
    Setup::new().host(|world| {
        let (_, end) = run(world, Attempt::new("svc").user("nobody-here").operations([Operation::AcctMgmt]));
        let log = "result=refused reason=unknown-user user=- method=- authenticator=- service=svc rhost=- failures=-";
        assert_eq!(end, End { code: PamCode::UserUnknown, log: log.into() });
    });
}

#[test]
fn the_guard_is_ignored_under_skip() {
    Setup::new().config("second_factor = \"skip\"").enrolled(|alice| {
        let (_, end) = run(alice.world, alice.attempt().operations([Operation::AcctMgmt]));
        assert_eq!(end, End { code: IGNORED, log: String::new() });
    });
}

#[test]
fn the_guard_is_ignored_for_who_need_not_be_enrolled_and_is_not() {
    Setup::new().config("second_factor = \"optional\"").host(|world| {
        world.account("alice");
        let (_, end) = run(world, Attempt::new("svc").user("alice").operations([Operation::AcctMgmt]));
        assert_eq!(end, End { code: IGNORED, log: String::new() });
    });
}

#[test]
fn the_guard_refuses_who_is_enrolled_though_it_is_optional() {
    Setup::new().config("second_factor = \"optional\"").enrolled(|alice| {
        let (_, end) = run(alice.world, alice.attempt().operations([Operation::AcctMgmt]));
        assert!(end.code == PamCode::PermDenied && end.log.contains("reason=bypass"), "{end:?}");
    });
}

#[test]
fn the_guard_refuses_after_a_refused_code() {
    Setup::new().enrolled(|alice| {
        let both = [Operation::Authenticate, Operation::AcctMgmt];
        let outcome = alice.attempt().answer(alice.wrong_code()).operations(both).run(alice.world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [PamCode::AuthErr, PamCode::PermDenied]);
    });
}

#[test]
fn a_second_refused_attempt_takes_the_first_ones_mark_back() {
    Setup::new().enrolled(|alice| {
        let operations = [Operation::Authenticate, Operation::Authenticate, Operation::AcctMgmt];
        let attempt = alice.attempt().answer(alice.codes().next()).answer(alice.wrong_code());
        let outcome = attempt.operations(operations).run(alice.world);
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [PamCode::Success, PamCode::AuthErr, PamCode::PermDenied]);
    });
}

#[test]
fn the_guard_refuses_another_user_than_the_one_who_gave_the_code() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        let prompting = "auth required pam_exec.so expose_authtok quiet /bin/true\n";
        let stack = format!("auth required pam_twinlock.so\n{prompting}account required pam_twinlock.so\n");
        alice.world.service("svc", &stack);
        let attempt = alice.attempt().answer(alice.codes().next()).change_user("bob").answer("x");
        let outcome = attempt.operations([Operation::Authenticate, Operation::AcctMgmt]).run(alice.world);
        assert_eq!(outcome.user.as_deref(), Some("bob"));
        let codes: Vec<_> = outcome.codes.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, [PamCode::Success, PamCode::PermDenied]);
    });
}

#[test]
fn alone_in_its_stack_a_right_code_is_enough_for_libpam() {
    Setup::new().enrolled(|alice| {
        alice.world.service("svc", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        let operations = [Operation::Authenticate, Operation::AcctMgmt, Operation::SetCred];
        let outcome = alice.attempt().answer(alice.codes().next()).operations(operations).run(alice.world);
        assert!(outcome.codes.iter().all(|(_, code)| *code == PamCode::Success), "{:?}", outcome.codes);
    });
}
