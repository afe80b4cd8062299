//! Faults of sshd's PAM stack. Most are tried in tables beside the checks, `crates/hostcheck/src/doctor/checks/tests`.

use twinlock_tests::{CONFIG, Family, FirstFactor};

use crate::doctor::scene::{STACK, change, findings, finds, finds_with, on, on_debian, place_of};

const GUARD: &str = "account    required     pam_twinlock.so";

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
fn a_missing_guard_is_found() {
    on_debian(|world| {
        change(world, STACK, &format!("\n{GUARD}"), "\n");
        finds(world, "guard", "warning", Some(STACK));
        world.write(CONFIG, "second_factor = \"enroll\"\n");
        finds_with(world, "guard", "lockout", Some(STACK), &["grace-time"]);
    });
}
