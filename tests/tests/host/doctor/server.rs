//! Faults of sshd's configuration.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use twinlock_tests::{CONFIG, Family, FirstFactor, Launch, World};

use crate::doctor::scene::{
    DROP_IN, STACK, change, findings, findings_of, finds, finds_no, finds_with, first_in_drop_in, on, on_debian, only,
    place_of, stand_in,
};

/// Adds lines to the end of the drop-in, where Match lines belong.
fn append(world: &World, lines: &str) {
    let text = fs::read_to_string(DROP_IN).unwrap();
    world.write(DROP_IN, text + lines);
}

/// Takes a line out of the drop-in.
fn without(world: &World, line: &str) {
    change(world, DROP_IN, &format!("\n{line}\n"), "\n");
}

#[test]
fn a_configuration_that_sshd_refuses_is_found_with_its_line() {
    on_debian(|world| {
        append(world, "KbdInteractiveAuthentification yes\n");
        let one = finds(world, "sshd-config", "lockout", Some(&place_of(DROP_IN, "KbdInteractiveAuthentif")));
        assert!(one.found.contains("KbdInteractiveAuthentif"), "{one:#?}");
    });
}

#[test]
fn the_folder_that_goes_with_a_socket_activated_sshd_is_made_and_is_no_fault() {
    on_debian(|world| {
        fs::remove_dir("/run/sshd").unwrap();
        finds_no(world, "sshd-config");
        // Where it cannot be made, no line of the configuration is blamed.
        fs::remove_dir("/run/sshd").unwrap();
        world.write("/run/sshd", "no folder");
        append(world, "Match User nobody\n  KbdInteractiveAuthentication no\n");
        let one = finds(world, "sshd-config", "lockout", None);
        assert!(one.found.contains("/run/sshd") && one.mend.contains("install -d -m 0755"), "{one:#?}");
    });
}

#[test]
fn a_method_that_is_named_and_switched_off_is_found_where_it_is_switched_off() {
    on_debian(|world| {
        let earlier = "/etc/ssh/sshd_config.d/00-a.conf";
        world.write(earlier, "# ours\nKbdInteractiveAuthentication no\n");
        let one = finds_with(world, "sshd-config", "lockout", Some(&format!("{earlier}:2")), &["sshd-unheard"]);
        assert!(one.found.contains("AuthenticationMethods"), "{one:#?}");
        let unheard = only(&findings(world), "sshd-unheard");
        assert_eq!(unheard.severity, "warning");
        assert_eq!(unheard.place, Some(place_of(DROP_IN, "KbdInteractiveAuthentication")));
    });
}

#[test]
fn a_method_that_is_switched_off_for_one_user_is_found() {
    on_debian(|world| {
        append(world, "Match User alice\n    KbdInteractiveAuthentication no\n");
        let one = finds(world, "sshd-methods", "lockout", Some(&place_of(DROP_IN, "AuthenticationMethods")));
        assert!(one.found.starts_with("for alice sshd has no way"), "{one:#?}");
    });
}

#[test]
fn without_pam_nothing_is_asked_and_nothing_guards() {
    on_debian(|world| {
        // sshd does not take keyboard-interactive without PAM, so nothing may name it.
        change(world, DROP_IN, "UsePAM yes", "UsePAM no");
        let all = findings(world);
        let one = only(&all, "use-pam");
        assert_eq!((one.severity.as_str(), one.place), ("open", Some(place_of(DROP_IN, "UsePAM"))));
    });
}

#[test]
fn a_key_alone_is_found_and_is_open_without_the_guard() {
    for family in [Family::Debian, Family::Rhel] {
        on(family, FirstFactor::Key, |world| {
            without(world, "AuthenticationMethods publickey,keyboard-interactive");
            // The default is sshd's own, so there is no place.
            let one = finds(world, "key-alone", "lockout", None);
            assert!(one.found.contains("alice"), "{one:#?}");
            change(world, STACK, "pam_twinlock.so require_key", "pam_twinlock.so");
            finds_with(world, "key-alone", "lockout", None, &["code-alone"]);
            change(world, STACK, "\naccount    required     pam_twinlock.so", "");
            let one = only(&findings(world), "key-alone");
            assert_eq!(one.severity, "open", "{one:#?}");
        });
    }
}

#[test]
fn a_key_alone_for_one_user_is_found_at_the_line_of_its_match() {
    on_debian(|world| {
        append(world, "Match User alice\n    AuthenticationMethods publickey\n");
        let text = fs::read_to_string(DROP_IN).unwrap();
        let place = format!("{DROP_IN}:{}", text.lines().count());
        let one = finds(world, "key-alone", "lockout", Some(&place));
        assert!(one.found.contains(" alice ") && one.mend.contains("Robots"), "{one:#?}");
    });
}

#[test]
fn a_key_alone_from_one_network_is_found() {
    on_debian(|world| {
        append(world, "Match Address 10.0.0.0/8\n    AuthenticationMethods publickey\n");
        let one = only(&findings(world), "key-alone");
        assert!(one.severity == "lockout" && one.found.contains(" from 10.0.0.0"), "{one:#?}");
        let from = |address| findings_of(world, &["--user", "alice", "--from", address]);
        assert!(from("10.1.2.3").iter().any(|one| one.id == "key-alone"));
        assert!(from("192.0.2.7").iter().all(|one| one.id != "key-alone"));
    });
}

#[test]
fn somebody_exempt_in_sshd_and_in_policy_is_no_fault() {
    on_debian(|world| {
        world.account("git");
        append(world, "Match User git\n    AuthenticationMethods publickey\n");
        assert_eq!(only(&findings(world), "key-alone").severity, "lockout");
        world.write(CONFIG, "[[rule]]\nusers = [\"git\"]\nsecond_factor = \"skip\"\n");
        finds_no(world, "key-alone");
    });
}

#[test]
fn somebody_exempt_in_sshd_and_in_pam_is_no_fault() {
    on_debian(|world| {
        world.account("git");
        append(world, "Match User git\n    AuthenticationMethods publickey\n");
        change(
            world,
            STACK,
            "\n#account    [success=1 default=ignore]    pam_succeed_if.so",
            "\naccount    [success=1 default=ignore]    pam_succeed_if.so",
        );
        let all = findings(world);
        let of_guard = only(&all, "guard");
        assert_eq!(
            (of_guard.severity.as_str(), of_guard.place),
            ("hint", Some(place_of(STACK, "account    [success=1")))
        );
        assert!(all.iter().all(|one| one.severity == "hint"), "{all:#?}");
    });
}

#[test]
fn a_code_alone_is_found() {
    on_debian(|world| {
        change(
            world,
            DROP_IN,
            "AuthenticationMethods publickey,keyboard-interactive",
            "AuthenticationMethods keyboard-interactive",
        );
        let place = place_of(DROP_IN, "AuthenticationMethods");
        finds(world, "code-alone", "lockout", Some(&place));
        change(world, STACK, "pam_twinlock.so require_key", "pam_twinlock.so");
        finds(world, "code-alone", "open", Some(&place));
    });
    on(Family::Debian, FirstFactor::Password, |world| finds_no(world, "code-alone"));
}

#[test]
fn a_login_that_is_asked_for_nothing_is_found() {
    on_debian(|world| {
        change(
            world,
            DROP_IN,
            "\nAuthenticationMethods publickey,keyboard-interactive",
            "\nAuthenticationMethods publickey,keyboard-interactive keyboard-interactive",
        );
        world.account("bob");
        world.write(CONFIG, "second_factor = \"optional\"\n");
        finds_no(world, "code-alone");
        change(world, STACK, "pam_twinlock.so require_key", "pam_twinlock.so");
        let all = findings(world);
        let told: Vec<_> = all
            .iter()
            .filter(|one| one.severity != "hint")
            .map(|one| (one.severity.as_str(), one.found.as_str()))
            .collect();
        let rest = "in: the PAM stack asks for no password, and sshd wants no key before it";
        let wanted =
            [format!("nothing at all is asked for, which lets bob {rest}"), format!("a code alone lets alice {rest}")];
        assert_eq!(told, wanted.each_ref().map(|found| ("open", found.as_str())), "{all:#?}");
    });
}

#[test]
fn the_password_method_is_found() {
    on(Family::Rhel, FirstFactor::Password, |world| {
        change(world, DROP_IN, "PasswordAuthentication no", "PasswordAuthentication yes");
        finds_no(world, "password-method");
        change(
            world,
            DROP_IN,
            "\nAuthenticationMethods keyboard-interactive",
            "\nAuthenticationMethods password keyboard-interactive",
        );
        let place = place_of(DROP_IN, "PasswordAuthentication");
        let shown = finds(world, "password-method", "lockout", Some(&place));
        world.write(CONFIG, "echo = false\n");
        let hidden = finds(world, "password-method", "lockout", Some(&place));
        assert!(shown.why.contains("refused") && hidden.why.contains("charged"), "{shown:#?} {hidden:#?}");
        change(
            world,
            STACK,
            "\nauth       required     pam_twinlock.so",
            "\nauth       required     pam_twinlock.so forward_pass",
        );
        finds_no(world, "password-method");
    });
}

#[test]
fn root_who_is_enrolled_and_cannot_answer_is_found() {
    on_debian(|world| {
        world.deploy("root");
        finds(world, "root", "lockout", None);
        first_in_drop_in(world, "PermitRootLogin prohibit-password\n");
        finds(world, "root", "lockout", Some(&place_of(DROP_IN, "PermitRootLogin")));
        for mended in ["PermitRootLogin yes", "PermitRootLogin no"] {
            change(world, DROP_IN, fs::read_to_string(DROP_IN).unwrap().lines().next().unwrap(), mended);
            finds_no(world, "root");
        }
    });
}

#[test]
fn a_line_of_the_administrator_that_is_not_heard_is_a_hint() {
    on_debian(|world| {
        world.write("/etc/ssh/sshd_config.d/10-site.conf", "PermitRootLogin no\nPasswordAuthentication yes\n");
        // What the drop-in of Twinlock overrules is meant to be overruled.
        finds_no(world, "sshd-unheard");
        change(world, DROP_IN, "\nPasswordAuthentication no\n", "\n");
        world.write("/etc/ssh/sshd_config.d/05-site.conf", "PasswordAuthentication no\n");
        let one = only(&findings(world), "sshd-unheard");
        assert_eq!(
            (one.severity.as_str(), one.place.as_deref()),
            ("hint", Some("/etc/ssh/sshd_config.d/10-site.conf:2"))
        );
    });
}

#[test]
fn a_server_that_has_not_read_what_is_there_is_found() {
    on_debian(|world| {
        // Whoever calls himself so is taken for the server that wrote its number.
        fs::copy("/usr/bin/sleep", "/tmp/sshd").unwrap();
        world.write_script("/tmp/start", "#!/bin/sh\necho $$ >/run/sshd.pid\nexec /tmp/sshd 60\n");
        let _server = Launch::new(["/tmp/start"]).start();
        let runs = || {
            let pid = fs::read_to_string("/run/sshd.pid").unwrap_or_default();
            fs::read_to_string(format!("/proc/{}/comm", pid.trim())).is_ok_and(|name| name == "sshd\n")
        };
        while !runs() {
            std::thread::yield_now();
        }
        let back = |path: &str, span| {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(SystemTime::now() - Duration::from_secs(span))
                .unwrap();
        };
        back("/run/sshd.pid", 600);
        finds(world, "sshd-stale", "warning", Some("/etc/ssh/sshd_config"));
        for path in ["/etc/ssh/sshd_config", DROP_IN] {
            back(path, 1200);
        }
        finds_no(world, "sshd-stale");
    });
}

#[test]
fn too_little_time_to_enrol_in_is_found() {
    on_debian(|world| {
        world.write(CONFIG, "second_factor = \"enroll\"\n");
        finds(world, "grace-time", "warning", None);
        first_in_drop_in(world, "LoginGraceTime 180\n");
        finds(world, "grace-time", "warning", Some(&format!("{DROP_IN}:1")));
        change(world, DROP_IN, "LoginGraceTime 180", "LoginGraceTime 5m");
        finds_no(world, "grace-time");
    });
}

#[test]
fn names_where_rules_want_networks_are_found() {
    on_debian(|world| {
        first_in_drop_in(world, "UseDNS yes\n");
        finds_no(world, "use-dns");
        world.write(CONFIG, "[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
        finds(world, "use-dns", "warning", Some(&format!("{DROP_IN}:1")));
    });
}

#[test]
fn an_old_server_is_told_what_it_lacks() {
    on_debian(|world| {
        finds_no(world, "version");
        stand_in(
            world,
            "/usr/sbin/sshd",
            "[ \"$1\" = -V ] && cat /tmp/version >&2 && exit 1\nexec /tmp/real/sshd \"$@\"",
        );
        world.write("/tmp/version", "unknown option -- V\nOpenSSH_8.4p1 Debian-5, OpenSSL 1.1.1n\n");
        let one = finds(world, "version", "hint", None);
        assert!(
            one.found.starts_with("OpenSSH 8.4 ") && one.mend.contains("ChallengeResponseAuthentication"),
            "{one:#?}"
        );
        world.write("/tmp/version", "unknown option -- V\nOpenSSH_7.4p1, OpenSSL 1.0.2k-fips\n");
        finds(world, "version", "warning", None);
    });
}

#[test]
fn a_server_that_punishes_addresses_is_a_hint_where_rules_speak_of_networks() {
    on_debian(|world| {
        // From OpenSSH 9.8 on; this is what it says.
        let script = "/tmp/real/sshd \"$@\" || exit 1\n[ \"$1\" = -T ] && cat /tmp/more; exit 0";
        stand_in(world, "/usr/sbin/sshd", script);
        world.write("/tmp/more", "PerSourcePenalties crash:90 authfail:5\nPerSourcePenaltyExemptList none\n");
        finds_no(world, "penalties");
        world.write(CONFIG, "[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
        finds(world, "penalties", "hint", None);
        world.write("/tmp/more", "persourcepenalties crash:90 authfail:5\npersourcepenaltyexemptlist 192.0.2.0/24\n");
        finds_no(world, "penalties");
    });
}

#[test]
fn the_service_that_sshd_names_is_the_one_that_is_looked_at_in_small_letters() {
    on_debian(|world| {
        let script = "/tmp/real/sshd \"$@\" || exit 1\n[ \"$1\" = -T ] && echo PAMServiceName SSH-Staff; exit 0";
        stand_in(world, "/usr/sbin/sshd", script);
        finds(world, "pam-line", "open", Some("/etc/pam.d/ssh-staff"));
        world.service("ssh-staff", &fs::read_to_string(STACK).unwrap());
        assert!(findings(world).iter().all(|one| one.severity == "hint"));
        fs::rename("/etc/pam.d/ssh-staff", "/etc/pam.d/SSH-Staff").unwrap();
        finds_with(world, "service-name", "warning", Some("/etc/pam.d/SSH-Staff"), &["pam-line"]);
    });
}

#[test]
fn a_server_that_says_nothing_or_does_not_end_is_found() {
    on_debian(|world| {
        stand_in(world, "/usr/sbin/sshd", "[ \"$1\" = -T ] && exit 1\nexec /tmp/real/sshd \"$@\"");
        finds(world, "sshd-config", "warning", None);
    });
    on_debian(|world| {
        stand_in(world, "/usr/sbin/sshd", "exec sleep 60");
        let one = finds(world, "sshd-config", "lockout", None);
        assert!(one.found.contains("does not end"), "{one:#?}");
    });
}

#[test]
fn a_file_of_the_service_in_capitals_is_found() {
    on_debian(|world| {
        world.service("SSHD", "auth required pam_twinlock.so\n");
        finds(world, "service-name", "warning", Some("/etc/pam.d/SSHD"));
    });
}
