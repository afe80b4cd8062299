//! Faults of sshd's configuration that show only with a real sshd. The others are tried in tables beside the checks,
//! `crates/hostcheck/src/doctor/checks/tests`.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use twinlock_tests::{CONFIG, Family, FirstFactor, Launch, World};

use crate::doctor::scene::{
    DROP_IN, STACK, change, findings, findings_of, finds, finds_no, finds_with, on, on_debian, only, place_of, stand_in,
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
        assert!(one.found.starts_with("sshd has no way to log in for alice: "), "{one:#?}");
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
        let wanted = [
            "bob can log in without any factor: sshd asks for no key, and the PAM stack for no password and no code",
            "a code alone lets alice in: sshd asks for no key, and the PAM stack for no password",
        ];
        assert_eq!(told, wanted.map(|found| ("open", found)), "{all:#?}");
    });
}

#[test]
fn a_server_that_has_not_read_what_is_there_is_found() {
    on_debian(|world| {
        // A program of this name is taken for the server that wrote its number.
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
        assert!(one.found.contains("it takes too long"), "{one:#?}");
    });
}

#[test]
fn a_file_of_the_service_in_capitals_is_found() {
    on_debian(|world| {
        world.service("SSHD", "auth required pam_twinlock.so\n");
        finds(world, "service-name", "warning", Some("/etc/pam.d/SSHD"));
    });
}
