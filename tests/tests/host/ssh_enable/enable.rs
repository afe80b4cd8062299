//! From the package to logins with two factors, and back.

use std::fs;
use std::os::unix::fs::chown;

use twinlock_tests::{Family, in_sshd_world, set_mode};

use crate::ssh_enable::stock_host::{
    DROP_IN, FAMILIES, MODES, PAM, configuration, exists, journal, meaning, with_host,
};

#[test]
fn a_fresh_debian_is_switched_on_by_three_commands_and_nothing_is_edited_by_hand() {
    in_sshd_world(|world| {
        let sshd = world.stock(Family::Debian);
        world.account("admin");
        world.group("sudo", &["admin"]);
        let admin = world.enrol("admin");
        let mut codes = admin.codes();
        assert!(sshd.login("admin").run().granted, "the key alone was enough");

        let enabled = world.twinlock(&["ssh", "enable"]);
        assert_eq!((enabled.code, enabled.stdout.as_str()), (Some(0), ""), "{enabled:?}");
        assert!(enabled.stderr.contains("then run: twinlock ssh confirm"), "{enabled:?}");
        let (_, end) =
            enabled.stderr.split_once("sshd's previous configuration and PAM file are restored at ").unwrap();
        let digits = end.chars().filter(char::is_ascii_digit).count();
        assert!(digits == 6 && end.starts_with(|c: char| c.is_ascii_digit()), "a time of day: {end}");
        assert!(!sshd.login("admin").run().granted);
        let login = sshd.login("admin").answer(codes.next()).run();
        assert!(login.granted && login.prompts == ["Verification code: "], "{login:#?}");

        let confirmed = world.twinlock(&["ssh", "confirm"]);
        assert_eq!(
            (confirmed.code, confirmed.stderr.as_str()),
            (Some(0), "confirmed: the new configuration stays\n"),
            "{confirmed:?}"
        );
        assert!(sshd.login("admin").answer(codes.next()).run().granted);
        assert!(!sshd.login("admin").answer(admin.authenticator.wrong_code()).run().granted);
    });
}

#[test]
fn both_factors_are_needed_when_it_is_on_in_every_family_and_mode() {
    for family in FAMILIES {
        for (first, mode) in MODES {
            with_host(family, |host| {
                host.ssh_done(&["enable", "--mode", mode]);
                host.asks_for_both(first);
                host.ssh_done(&["confirm"]);
                assert!(host.both(first, &host.code()).granted, "{family:?} {mode}");
            });
        }
    }
}

#[test]
fn the_stacks_mean_what_the_shipped_ones_mean() {
    for family in FAMILIES {
        for (first, mode) in MODES {
            with_host(family, |host| {
                host.ssh_done(&["enable", "--mode", mode, "--keep"]);
                let made = meaning(&fs::read_to_string(PAM).unwrap());
                let shipped = meaning(&host.world.shipped_sshd(family, first));
                assert_eq!(made, shipped, "{family:?} {mode}");
                let drop_in = if mode == "key+code" { "key-and-code" } else { "password-and-code" };
                let shipped = host.world.shipped(format!("sshd_config.d/{drop_in}/00-twinlock.conf"));
                assert_eq!(fs::read_to_string(DROP_IN).unwrap(), shipped);
            });
        }
    }
}

#[test]
fn disable_brings_back_every_byte_mode_and_owner() {
    for family in FAMILIES {
        for (_, mode) in MODES {
            with_host(family, |host| {
                set_mode(PAM, 0o640);
                chown(PAM, Some(0), Some(42)).unwrap();
                host.world.write(DROP_IN, "# somebody's own\nLogLevel VERBOSE\n");
                set_mode(DROP_IN, 0o600);
                let before = configuration();
                host.ssh_done(&["enable", "--mode", mode]);
                host.ssh_done(&["confirm"]);
                let enabled = configuration();
                let attributes = |all: &[(String, String, u32, u32, u32)]| {
                    all.iter().map(|(path, _, mode, uid, gid)| (path.clone(), *mode, *uid, *gid)).collect::<Vec<_>>()
                };
                assert_eq!(attributes(&enabled), attributes(&before), "no other files, and the same modes and owners");
                host.ssh_done(&["disable"]);
                assert_eq!(configuration(), before, "{family:?} {mode}");
                assert_eq!(journal(), [""; 0]);
                assert!(host.key_alone().granted);
            });
        }
    }
}

#[test]
fn twice_is_as_once() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        let nothing = host.ssh_done(&["disable"]);
        assert_eq!(nothing.stderr, "nothing to do: `twinlock ssh enable` has not changed sshd's configuration\n");
        host.ssh_done(&["enable"]);
        let enabled = configuration();
        let again = host.ssh_done(&["enable"]);
        assert!(
            again.stderr.starts_with("nothing to do: Twinlock is enabled for sshd (key+code), on trial until "),
            "{again:?}"
        );
        assert_eq!(configuration(), enabled);
        host.ssh_done(&["confirm"]);
        let kept = configuration();
        for words in [["confirm"], ["enable"], ["plan"]] {
            assert_eq!(
                host.ssh_done(&words).stderr,
                "nothing to do: Twinlock is enabled for sshd (key+code)\n",
                "{words:?}"
            );
        }
        assert_eq!(configuration(), kept);
        host.ssh_done(&["disable"]);
        host.ssh_done(&["disable"]);
        assert_eq!(configuration(), before);
        host.ssh_done(&["enable", "--keep"]);
        assert_eq!(configuration(), kept);
    });
}

#[test]
fn the_vendors_file_below_usr_stays_and_a_copy_hides_it() {
    with_host(Family::Debian, |host| {
        // SUSE's folder; it is on the read-only part of the world, so another is laid over it.
        if !exists("/usr/lib/pam.d") {
            eprintln!("skipped: there is no /usr/lib/pam.d to be covered");
            return;
        }
        let mount = ["mount", "-t", "tmpfs", "-o", "mode=0755", "vendor", "/usr/lib/pam.d"];
        assert_eq!(twinlock_tests::Launch::new(mount).run().code, Some(0));
        fs::remove_file(PAM).unwrap();
        host.world.write(
            "/usr/lib/pam.d/sshd",
            "auth requisite pam_nologin.so\nauth include common-auth\naccount requisite pam_nologin.so\n\
             account include common-account\nsession required pam_limits.so\nsession include common-session\n",
        );
        let before = configuration();
        let vendors = fs::read("/usr/lib/pam.d/sshd").unwrap();
        for (first, mode) in MODES {
            host.ssh_done(&["enable", "--mode", mode]);
            host.asks_for_both(first);
            host.ssh_done(&["disable"]);
            assert_eq!((configuration(), fs::read("/usr/lib/pam.d/sshd").unwrap()), (before.clone(), vendors.clone()));
        }
    });
}
