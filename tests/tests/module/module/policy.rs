//! Whether a user is asked: `second_factor`, and `nullok` of a stack.

use twinlock_tests::{Attempt, EXACT, IGNORED, Operation, PamCode, Setup, World};

use crate::module::end::{End, granted, login, refused, refused_by, run};

fn passed_unasked(world: &World, user: &str) -> bool {
    let (outcome, end) = run(world, Attempt::new("svc").user(user).answer("123456"));
    // The one notice is of the module that makes PAM_IGNORE visible.
    end == End { code: IGNORED, log: String::new() }
        && outcome.prompts().is_empty()
        && outcome.notices() == ["auth=cred_unavail"]
}

#[test]
fn under_optional_who_is_not_enrolled_passes_unasked() {
    Setup::new().config("second_factor = \"optional\"").host(|world| {
        world.account("alice");
        assert!(passed_unasked(world, "alice"));
    });
}

#[test]
fn under_optional_who_is_enrolled_must_answer() {
    Setup::new().config("second_factor = \"optional\"").enrolled(|alice| {
        let expected = refused_by("totp", "1", PamCode::AuthErr, "wrong-code");
        assert_eq!(login(alice, &[&alice.wrong_code()]), expected);
        assert_eq!(login(alice, &[&alice.codes().next()]), granted());
    });
}

#[test]
fn under_optional_an_unknown_user_is_asked_and_refused() {
    Setup::new().config("second_factor = \"optional\"").host(|world| {
        let (outcome, end) = run(world, Attempt::new("svc").user("zoe").answer("123456"));
        assert_eq!((end.code, outcome.prompts()), (PamCode::UserUnknown, vec!["Verification code: "]));
    });
}

#[test]
fn under_optional_a_store_that_is_missing_is_not_the_same_as_nobody_enrolled() {
    Setup::new().config("second_factor = \"optional\"").host(|world| {
        world.account("alice");
        std::fs::remove_dir_all(twinlock_tests::STORE).unwrap();
        let (outcome, end) = run(world, Attempt::new("svc").user("alice").answer("123456"));
        assert_eq!((end.code, outcome.prompts()), (PamCode::AuthinfoUnavail, vec!["Verification code: "]));
    });
}

#[test]
fn under_optional_damaged_credentials_let_nobody_pass() {
    Setup::new().config("second_factor = \"optional\"").enrolled(|alice| {
        let path = twinlock_tests::credentials_of("alice");
        let whole = std::fs::read(&path).unwrap();
        // P01, Y07: cut anywhere, it never means "not enrolled".
        for length in [0, 1, whole.len() / 2, whole.len() - 2] {
            alice.world.write_secret(&path, &whole[..length]);
            let end = login(alice, &["123456"]);
            assert!(
                end.code == PamCode::AuthinfoUnavail && end.log.contains("reason=store user=alice"),
                "{length}: {end:?}"
            );
        }
    });
}

#[test]
fn under_skip_nobody_is_asked() {
    Setup::new().config("second_factor = \"skip\"").enrolled(|alice| {
        assert!(passed_unasked(alice.world, "alice"), "enrolled");
        alice.world.account("bob");
        assert!(passed_unasked(alice.world, "bob"), "not enrolled");
    });
}

#[test]
fn nullok_lets_who_is_not_enrolled_pass_in_this_stack_alone() {
    Setup::new().host(|world| {
        world.account("alice");
        let other = Attempt::new("other-svc").user("alice").answer("123456");
        world.service("other-svc", EXACT);
        world.service("svc", &EXACT.replace("pam_twinlock.so", "pam_twinlock.so nullok"));
        assert!(passed_unasked(world, "alice"));
        assert_eq!(other.run(world).code(), PamCode::AuthErr);
    });
}

#[test]
fn nullok_lets_who_is_enrolled_pass_with_a_code_only() {
    Setup::new().enrolled(|alice| {
        alice.world.service("svc", &EXACT.replace("pam_twinlock.so", "pam_twinlock.so nullok"));
        assert_eq!(login(alice, &["hunter2"]), refused(PamCode::AuthErr, "junk"));
        assert_eq!(login(alice, &[&alice.codes().next()]), granted());
    });
}

#[test]
fn nullok_on_both_lines_lets_who_is_not_enrolled_through_the_guard() {
    Setup::new().host(|world| {
        world.account("alice");
        let both = Attempt::new("svc").user("alice").operations([Operation::Authenticate, Operation::AcctMgmt]);
        let codes = |world: &World| both.clone().run(world).codes.iter().map(|(_, code)| *code).collect::<Vec<_>>();
        world.service("svc", &EXACT.replace("pam_twinlock.so", "pam_twinlock.so nullok"));
        // The auth phase marks who passed it, also unasked.
        assert_eq!(codes(world), [IGNORED, PamCode::Success]);
    });
}

#[test]
fn a_stack_in_which_all_is_ignored_is_refused_by_libpam() {
    Setup::new().config("second_factor = \"skip\"").host(|world| {
        world.account("alice");
        world.service("svc", "auth required pam_twinlock.so\n");
        assert_eq!(Attempt::new("svc").user("alice").run(world).code(), PamCode::PermDenied);
        world.service("svc", "auth required pam_twinlock.so\nauth required pam_permit.so\n");
        assert_eq!(Attempt::new("svc").user("alice").run(world).code(), PamCode::Success);
    });
}
