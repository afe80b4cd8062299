//! `config/pam.d/`: through every shipped stack both factors are needed, and what its comments promise is so.

use std::fs;

use twinlock_tests::{Family, FirstFactor, Login, PASSWORD, Snapshot, Sshd, in_sshd_world};

const EVERY: [(Family, FirstFactor); 4] = [
    (Family::Debian, FirstFactor::Key),
    (Family::Debian, FirstFactor::Password),
    (Family::Rhel, FirstFactor::Key),
    (Family::Rhel, FirstFactor::Password),
];

const CODE: &str = "Verification code: ";

/// A login in which the first factor is right or wrong, with this code.
fn attempt(sshd: &Sshd<'_>, first: FirstFactor, right: bool, code: &str) -> Login {
    let client = sshd.login("alice");
    let client = match (first, right) {
        (FirstFactor::Key, true) => client,
        (FirstFactor::Key, false) => client.with_strange_key(),
        (FirstFactor::Password, true) => client.without_key().answer(PASSWORD),
        (FirstFactor::Password, false) => client.without_key().answer("wrong"),
    };
    client.answer(code).run()
}

/// Both factors, in every combination; what is asked, and that only both together get in.
fn truth_table(family: Family, first: FirstFactor) {
    in_sshd_world(|world| {
        let sshd = world.ship(family, first);
        world.account("alice");
        let alice = world.enrol("alice");
        let (mut codes, wrong) = (alice.codes(), alice.authenticator.wrong_code());

        let neither = attempt(&sshd, first, false, &wrong);
        let code_only = attempt(&sshd, first, false, &codes.next());
        let first_only = attempt(&sshd, first, true, &wrong);
        for login in [&neither, &code_only, &first_only] {
            assert!(!login.granted, "{login:#?}");
        }
        let both = attempt(&sshd, first, true, &codes.next());
        assert!(both.granted, "{both:#?}");

        let all: &[&str] = match first {
            FirstFactor::Key => &[CODE],
            FirstFactor::Password => &["Password: ", CODE],
        };
        assert_eq!(both.prompts, all);
        assert_eq!(first_only.prompts, all);
        // A user who has not given the first factor is never asked for the second.
        let after_a_wrong_one: &[&str] = match first {
            FirstFactor::Key => &[],
            FirstFactor::Password => &["Password: "],
        };
        assert_eq!(neither.prompts, after_a_wrong_one);
        assert_eq!(code_only.prompts, after_a_wrong_one);
        world.assert_libpam_took_every_line();
    });
}

#[test]
fn debian_key_and_code_needs_both() {
    truth_table(Family::Debian, FirstFactor::Key);
}

#[test]
fn debian_password_and_code_needs_both() {
    truth_table(Family::Debian, FirstFactor::Password);
}

#[test]
fn rhel_key_and_code_needs_both() {
    truth_table(Family::Rhel, FirstFactor::Key);
}

#[test]
fn rhel_password_and_code_needs_both() {
    truth_table(Family::Rhel, FirstFactor::Password);
}

#[test]
fn every_stack_stops_a_login_by_key_alone_but_for_the_accounts_it_exempts() {
    for (family, first) in EVERY {
        in_sshd_world(|world| {
            let sshd = world.ship(family, first);
            world.account("alice");
            world.account("git");
            fs::remove_file("/etc/ssh/sshd_config.d/00-twinlock.conf").unwrap();
            for user in ["alice", "git"] {
                let login = sshd.login(user).run();
                assert!(!login.granted, "{family:?} {first:?}: {login:#?}");
                let bypass = login.server_log.iter().filter(|line| line.text.contains("reason=bypass")).count();
                assert_eq!(bypass, 1, "{family:?} {first:?}: {login:#?}");
            }
            world.change("/etc/pam.d/sshd", "#account    [success=1", "account    [success=1");
            assert!(sshd.login("git").run().granted, "{family:?} {first:?}: {:#?}", world.log());
            assert!(!sshd.login("alice").run().granted, "{family:?} {first:?}");
        });
    }
}

#[test]
fn an_expired_password_does_not_end_the_account_phase_before_the_guard() {
    for (family, first) in EVERY {
        in_sshd_world(|world| {
            let sshd = world.ship(family, first);
            world.account("alice");
            // Changed on day 0: has to be changed.
            let shadow = fs::read_to_string("/etc/shadow").unwrap();
            let expired = shadow
                .lines()
                .map(|line| if line.starts_with("alice:") { line.replace(":20000:", ":0:") } else { line.into() });
            fs::write("/etc/shadow", expired.collect::<Vec<_>>().join("\n") + "\n").unwrap();
            fs::remove_file("/etc/ssh/sshd_config.d/00-twinlock.conf").unwrap();
            let login = sshd.login("alice").run();
            assert!(!login.granted, "{family:?} {first:?}: {login:#?}");
            let text = |wanted: &str| login.server_log.iter().any(|line| line.text.contains(wanted));
            assert!(text("reason=bypass"), "{family:?} {first:?}: {login:#?}");
        });
    }
}

#[test]
fn through_every_stack_optional_and_skip_let_in_who_is_not_enrolled() {
    for (family, first) in EVERY {
        in_sshd_world(|world| {
            let sshd = world.ship(family, first);
            world.account("alice");
            let login = |policy: &str| {
                world
                    .write("/etc/twinlock/config.toml", format!("second_factor = \"{policy}\"\nfail_delay = \"0s\"\n"));
                attempt(&sshd, first, true, "123456").granted
            };
            let got_in = ["required", "optional", "skip"].map(login);
            assert_eq!(got_in, [false, true, true], "{family:?} {first:?}: {:#?}", world.log());
        });
    }
}

#[test]
fn through_every_stack_nullok_on_both_lines_lets_in_who_is_not_enrolled() {
    for (family, first) in EVERY {
        in_sshd_world(|world| {
            let sshd = world.ship(family, first);
            world.account("alice");
            world.change("/etc/pam.d/sshd", "required     pam_twinlock.so", "required     pam_twinlock.so nullok");
            let login = attempt(&sshd, first, true, "123456");
            assert!(login.granted && !login.prompts.contains(&CODE.to_owned()), "{family:?} {first:?}: {login:#?}");
        });
    }
}

#[test]
fn the_substack_in_the_password_stack_of_rhel_asks_for_both_whatever_the_password_is() {
    in_sshd_world(|world| {
        let first = FirstFactor::Password;
        let sshd = world.ship(Family::Rhel, first);
        let stack = "/etc/pam.d/sshd";
        world.change(stack, "\n#auth       substack     password-auth", "\nauth       substack     password-auth");
        for line in [
            "auth       required                        pam_env",
            "auth       [success=2",
            "-auth",
            "auth       requisite",
        ] {
            world.change(stack, &format!("\n{line}"), &format!("\n#{line}"));
        }
        world.account("alice");
        let alice = world.enrol("alice");
        let mut codes = alice.codes();
        let code_only = attempt(&sshd, first, false, &codes.next());
        assert!(!code_only.granted && code_only.prompts == ["Password: ", CODE], "{code_only:#?}");
        let first_only = attempt(&sshd, first, true, &alice.authenticator.wrong_code());
        assert!(!first_only.granted, "{first_only:#?}");
        let both = attempt(&sshd, first, true, &codes.next());
        assert!(both.granted && both.prompts == ["Password: ", CODE], "{both:#?}");
        world.write("/etc/twinlock/config.toml", "second_factor = \"skip\"\n");
        assert!(attempt(&sshd, first, true, "").granted, "{:#?}", world.log());
        assert!(!attempt(&sshd, first, false, "").granted);
    });
}

/// Past the free failures, if a stranger's answers counted.
fn a_stranger_charges_nobody_and_learns_nothing(family: Family, first: FirstFactor) {
    in_sshd_world(|world| {
        let sshd = world.ship(family, first);
        world.account("alice");
        world.account("bob");
        let wrong = world.enrol("alice").authenticator.wrong_code();
        let store = Snapshot::of("/var/lib/twinlock");
        let seen = ["alice", "alice", "alice", "alice", "bob", "nobody-knows"].map(|user| {
            let client = match first {
                FirstFactor::Key => sshd.login(user).with_strange_key(),
                FirstFactor::Password => sshd.login(user).without_key().answer("wrong"),
            };
            let login = client.answer(&wrong).run();
            (login.granted, login.prompts)
        });
        assert!(seen.iter().all(|one| !one.0 && *one == seen[0]), "{seen:#?}");
        assert_eq!(Snapshot::of("/var/lib/twinlock"), store);
    });
}

#[test]
fn a_stranger_without_a_key_charges_nobody_and_learns_nothing() {
    a_stranger_charges_nobody_and_learns_nothing(Family::Debian, FirstFactor::Key);
    a_stranger_charges_nobody_and_learns_nothing(Family::Rhel, FirstFactor::Key);
}

#[test]
fn a_stranger_without_the_password_charges_nobody_and_learns_nothing_on_debian() {
    a_stranger_charges_nobody_and_learns_nothing(Family::Debian, FirstFactor::Password);
}

#[test]
fn a_stranger_without_the_password_charges_nobody_and_learns_nothing_on_rhel() {
    a_stranger_charges_nobody_and_learns_nothing(Family::Rhel, FirstFactor::Password);
}
