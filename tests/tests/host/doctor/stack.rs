//! Faults of sshd's PAM stack.

use std::fs;

use twinlock_tests::{CONFIG, Family, FirstFactor};

use crate::doctor::scene::{STACK, change, findings, finds, finds_no, finds_with, on, on_debian, only, place_of};

const OURS: &str = "auth       required     pam_twinlock.so";
const GUARD: &str = "account    required     pam_twinlock.so";

#[test]
fn a_stack_without_twinlock_is_found() {
    on_debian(|world| {
        change(world, STACK, &format!("\n{OURS}"), "\n");
        finds(world, "pam-line", "open", Some(STACK));
    });
}

#[test]
fn a_service_without_a_file_is_found() {
    on_debian(|world| {
        fs::remove_file(STACK).unwrap();
        finds(world, "pam-line", "open", Some(STACK));
    });
}

#[test]
fn an_include_that_ends_the_stack_before_the_code_is_found_in_the_included_file() {
    on(Family::Rhel, FirstFactor::Password, |world| {
        change(world, STACK, "\n#auth       substack     password-auth", "\nauth       include     password-auth");
        for line in [
            "auth       required                        pam_env",
            "auth       [success=2",
            "-auth",
            "auth       requisite",
        ] {
            change(world, STACK, &format!("\n{line}"), &format!("\n#{line}"));
        }
        let all = findings(world);
        let orders: Vec<_> = all.iter().filter(|one| one.id == "pam-order" && one.severity == "open").collect();
        let places: Vec<_> = orders.iter().filter_map(|one| one.place.clone()).collect();
        let unix = place_of("/etc/pam.d/password-auth", "auth sufficient pam_unix.so");
        let sssd = place_of("/etc/pam.d/password-auth", "-auth sufficient pam_sss.so");
        assert_eq!(places, [unix, sssd], "{all:#?}");
        let by = place_of(STACK, "auth       include     password-auth");
        assert!(orders[0].mend.contains("`substack`") && orders[0].mend.contains(&by), "{:#?}", orders[0]);
    });
}

#[test]
fn a_jump_over_the_code_is_found() {
    on(Family::Rhel, FirstFactor::Password, |world| {
        change(world, STACK, "auth       [success=2 default=ignore]", "auth       [success=3 default=ignore]");
        finds(world, "pam-order", "open", Some(&place_of(STACK, "auth       [success=3")));
    });
}

#[test]
fn a_condition_that_leads_past_the_code_is_a_hint() {
    on_debian(|world| {
        change(
            world,
            STACK,
            &format!("\n{OURS}"),
            &format!("\nauth [success=1 default=ignore] pam_succeed_if.so user in git:backup\n{OURS}"),
        );
        let one = finds(world, "pam-order", "hint", Some(&place_of(STACK, "auth [success=1")));
        assert!(one.found.contains("pam_succeed_if.so user in git:backup"), "{one:#?}");
    });
}

#[test]
fn a_control_value_that_does_not_refuse_is_found() {
    for control in ["optional", "sufficient", "[success=ok default=ignore]"] {
        on_debian(|world| {
            change(world, STACK, &format!("\n{OURS}"), &format!("\nauth {control} pam_twinlock.so"));
            finds(world, "pam-control", "open", Some(&place_of(STACK, &format!("auth {control}"))));
        });
    }
}

#[test]
fn a_stack_that_refuses_everybody_is_found() {
    on_debian(|world| {
        change(world, STACK, "auth       required     pam_permit.so", "auth       required     pam_deny.so");
        finds(world, "pam-refuses", "lockout", Some(&place_of(STACK, OURS)));
    });
}

#[test]
fn an_included_file_that_is_not_there_is_found() {
    on_debian(|world| {
        change(world, STACK, "auth       required     pam_permit.so", "auth       include     nosuch");
        finds(world, "pam-refuses", "lockout", Some(&place_of(STACK, OURS)));
    });
}

#[test]
fn a_stack_in_which_nothing_else_succeeds_is_found_once_somebody_is_not_asked() {
    on_debian(|world| {
        change(world, STACK, "\nauth       required     pam_permit.so", "\n");
        let place = place_of(STACK, OURS);
        finds(world, "pam-ignore", "hint", Some(&place));
        world.write(CONFIG, "[[rule]]\nusers = [\"root\"]\nsecond_factor = \"skip\"\n");
        finds(world, "pam-ignore", "lockout", Some(&place));
    });
}

#[test]
fn a_missing_guard_is_found() {
    on_debian(|world| {
        change(world, STACK, &format!("\n{GUARD}"), "\n");
        finds(world, "guard", "warning", Some(STACK));
        world.write(CONFIG, "second_factor = \"enroll\"\n");
        finds_with(world, "guard", "lockout", Some(STACK), &["grace-time"]);
    });
}

#[test]
fn a_guard_that_does_not_refuse_or_stands_too_late_is_found() {
    on_debian(|world| {
        change(world, STACK, &format!("\n{GUARD}"), "\naccount optional pam_twinlock.so");
        finds(world, "guard", "warning", Some(&place_of(STACK, "account optional")));
    });
    on_debian(|world| {
        change(world, STACK, &format!("\n{GUARD}"), "\n");
        change(world, STACK, "\n@include common-account", &format!("\n@include common-account\n{GUARD}"));
        finds(world, "guard", "warning", Some(&place_of("/etc/pam.d/common-account", "account [success=1")));
    });
}

#[test]
fn a_password_after_the_key_is_a_hint() {
    on_debian(|world| {
        change(world, STACK, "\n#@include common-auth", "\n@include common-auth");
        finds(world, "password-too", "hint", Some(&place_of(STACK, "@include common-auth")));
    });
    on(Family::Debian, FirstFactor::Password, |world| finds_no(world, "password-too"));
}

#[test]
fn pam_faillock_in_the_wrong_place_is_found() {
    for (family, first) in [(Family::Debian, FirstFactor::Password), (Family::Rhel, FirstFactor::Password)] {
        on(family, first, |world| {
            change(
                world,
                STACK,
                &format!("\n{OURS}"),
                &format!("\n{OURS}\nauth [default=die] pam_faillock.so authfail"),
            );
            let one = only(&findings(world), "faillock");
            assert_eq!(
                (one.severity.as_str(), one.place),
                ("warning", Some(place_of(STACK, "auth [default=die] pam_faillock")))
            );
        });
        on(family, first, |world| {
            change(world, STACK, &format!("\n{OURS}"), &format!("\nauth required pam_faillock.so authsucc\n{OURS}"));
            finds(world, "faillock", "warning", Some(&place_of(STACK, "auth required pam_faillock")));
        });
    }
}

#[test]
fn another_second_factor_is_a_hint_with_how_to_import_it() {
    for (module, mend) in [
        ("pam_google_authenticator.so", "google-authenticator --all"),
        ("pam_oath.so", "oath FILE"),
        ("pam_duo.so", "if both"),
    ] {
        on_debian(|world| {
            change(world, STACK, &format!("\n{OURS}"), &format!("\nauth required {module}\n{OURS}"));
            let one =
                finds(world, "other-second-factor", "hint", Some(&place_of(STACK, &format!("auth required {module}"))));
            assert!(one.mend.contains(mend), "{one:#?}");
        });
    }
}
