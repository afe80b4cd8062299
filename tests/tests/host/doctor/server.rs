//! What is asked of sshd, which shows only with a real one. How it is judged is tried in tables beside the checks,
//! `crates/hostcheck/src/doctor/checks/tests`.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use twinlock_tests::{CONFIG, Launch};

use crate::doctor::planted::{
    DROP_IN, STACK, append, findings, findings_of, finds, finds_no, finds_with, on_debian, only, place_of, stand_in,
};

#[test]
fn a_configuration_that_sshd_refuses_is_found_with_the_line_that_is_to_blame() {
    on_debian(|world| {
        let sound = fs::read_to_string(DROP_IN).unwrap();
        append(world, DROP_IN, "KbdInteractiveAuthentification yes\n");
        let one = finds(world, "sshd-config", "lockout", Some(&place_of(DROP_IN, "KbdInteractiveAuthentif")));
        assert!(one.found.contains("KbdInteractiveAuthentif"), "{one:#?}");
        world.write(DROP_IN, &sound);
        let earlier = "/etc/ssh/sshd_config.d/00-a.conf";
        world.write(earlier, "# ours\nKbdInteractiveAuthentication no\n");
        let one = finds_with(world, "sshd-config", "lockout", Some(&format!("{earlier}:2")), &["sshd-unheard"]);
        assert!(one.found.contains("AuthenticationMethods"), "{one:#?}");
        fs::remove_file(earlier).unwrap();
        // The folder that goes with a socket-activated sshd is made, and is no fault.
        fs::remove_dir("/run/sshd").unwrap();
        finds_no(world, "sshd-config");
        // Where it cannot be made, no line of the configuration is blamed.
        fs::remove_dir("/run/sshd").unwrap();
        world.write("/run/sshd", "no folder");
        append(world, DROP_IN, "Match User nobody\n  KbdInteractiveAuthentication no\n");
        let one = finds(world, "sshd-config", "lockout", None);
        assert!(one.found.contains("/run/sshd") && one.mend.contains("install -d -m 0755"), "{one:#?}");
    });
}

#[test]
fn what_a_match_says_for_a_user_or_a_network_is_asked_for() {
    on_debian(|world| {
        let sound = fs::read_to_string(DROP_IN).unwrap();
        append(world, DROP_IN, "Match User alice\n    KbdInteractiveAuthentication no\n");
        let one = finds(world, "sshd-methods", "lockout", Some(&place_of(DROP_IN, "AuthenticationMethods")));
        assert!(one.found.starts_with("sshd has no way to log in for alice: "), "{one:#?}");

        world.write(DROP_IN, format!("{sound}Match Address 10.0.0.0/8\n    AuthenticationMethods publickey\n"));
        let one = only(&findings(world), "key-alone");
        assert!(one.severity == "lockout" && one.found.contains(" from 10.0.0.0"), "{one:#?}");
        let from = |address| findings_of(world, &["--user", "alice", "--from", address]);
        assert!(from("10.1.2.3").iter().any(|one| one.id == "key-alone"));
        assert!(from("192.0.2.7").iter().all(|one| one.id != "key-alone"));

        // An account that sshd admits by a key alone is no fault where policy or PAM exempts it.
        world.account("git");
        world.write(DROP_IN, format!("{sound}Match User git\n    AuthenticationMethods publickey\n"));
        let last = fs::read_to_string(DROP_IN).unwrap().lines().count();
        let one = only(&findings(world), "key-alone");
        assert_eq!((one.severity.as_str(), one.place.clone()), ("lockout", Some(format!("{DROP_IN}:{last}"))));
        assert!(one.found.contains(" git ") && one.mend.contains("Robots"), "{one:#?}");
        world.write(CONFIG, "[[rule]]\nusers = [\"git\"]\nsecond_factor = \"skip\"\n");
        finds_no(world, "key-alone");
        world.write(CONFIG, "");
        world.change(
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
