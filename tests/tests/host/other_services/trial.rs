//! `twinlock sudo` and `twinlock su`: enabled on trial as a distribution installs them, and disabled again.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use twinlock_tests::{CONFIG, DEADLINE, Family, Launch, Output, PASSWORD};

use crate::other_services::hosts::{CODE, Host, PASSWORD_PROMPT, SUDO_PASSWORD, on_each_host, ran, right_and_wrong};

const AS_ROOT: [&str; 4] = ["sudo", "sh", "-c", "echo ran as $(id -u)"];
const ROOTS_SHELL: [&str; 5] = ["sudo", "-i", "sh", "-c", "echo ran as $(id -u)"];
const RAN: &str = "ran as 0";
const SORRY: &str = "Sorry, try again.";

const DEBIAN: [(&str, &str); 4] = [
    (
        "sudo",
        "#%PAM-1.0\n\n# Set up user limits from /etc/security/limits.conf.\nsession    required   pam_limits.so\n\n\
              @include common-auth\n@include common-account\n@include common-session-noninteractive\n",
    ),
    (
        "sudo-i",
        "#%PAM-1.0\n\n# Set up user limits from /etc/security/limits.conf.\nsession    required   pam_limits.so\n\n\
                @include common-auth\n@include common-account\n@include common-session\n",
    ),
    (
        "su",
        "# Root needs no password.\nauth       sufficient pam_rootok.so\n# auth       required   pam_wheel.so\n\
            session       required   pam_env.so readenv=1\nsession    required   pam_limits.so\n\
            @include common-auth\n@include common-account\n@include common-session\n",
    ),
    (
        "su-l",
        "#%PAM-1.0\nauth\t\tinclude\t\tsu\naccount\t\tinclude\t\tsu\npassword\tinclude\t\tsu\n\
              session\t\toptional\tpam_keyinit.so force revoke\nsession\t\tinclude\t\tsu\n",
    ),
];
const RHEL: [(&str, &str); 4] = [
    (
        "sudo",
        "#%PAM-1.0\nauth       include      system-auth\naccount    include      system-auth\n\
              password   include      system-auth\nsession    include      system-auth\n",
    ),
    (
        "sudo-i",
        "#%PAM-1.0\nauth       include      sudo\naccount    include      sudo\npassword   include      sudo\n\
                session    optional     pam_keyinit.so force revoke\nsession    include      sudo\n",
    ),
    (
        "su",
        "#%PAM-1.0\nauth\t\trequired\tpam_env.so\nauth\t\tsufficient\tpam_rootok.so\n\
            #auth\t\tsufficient\tpam_wheel.so trust use_uid\nauth\t\tsubstack\tsystem-auth\nauth\t\tinclude\t\tpostlogin\n\
            account\t\tsufficient\tpam_succeed_if.so uid = 0 use_uid quiet\naccount\t\tinclude\t\tsystem-auth\n\
            password\tinclude\t\tsystem-auth\nsession\t\tinclude\t\tsystem-auth\nsession\t\tinclude\t\tpostlogin\n",
    ),
    (
        "su-l",
        "#%PAM-1.0\nauth\t\tinclude\t\tsu\naccount\t\tinclude\t\tsu\npassword\tinclude\t\tsu\n\
              session\t\toptional\tpam_keyinit.so force revoke\nsession\t\tinclude\t\tsu\n",
    ),
];

/// A host whose sudo and su are as the distribution installs them; alice may use sudo, and root has a password.
fn on_each_stock_host(test: impl Fn(&Host<'_>) + Send + Sync) {
    on_each_host(|host| {
        for (name, text) in if host.family == Family::Debian { DEBIAN } else { RHEL } {
            host.world.service(name, text);
        }
        test(host);
    });
}

fn files() -> Vec<(String, String)> {
    let mut all: Vec<_> = fs::read_dir("/etc/pam.d")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    all.sort();
    all
}

fn done(host: &Host<'_>, words: &[&str]) -> Output {
    let output = host.world.twinlock(words);
    assert_eq!(output.code, Some(0), "{:?} {words:?}: {output:?}", host.family);
    output
}

fn refused(host: &Host<'_>, words: &[&str], told: &str) {
    let before = files();
    let output = host.world.twinlock(words);
    assert!(output.code == Some(1) && output.stderr.contains(told), "{:?} {words:?}: {output:?}", host.family);
    assert_eq!(files(), before, "{words:?}");
}

fn wait_until_restored(before: &[(String, String)]) {
    let end = Instant::now() + DEADLINE;
    while files() != before {
        assert!(Instant::now() < end, "waited for the old files");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn sudo_and_roots_shell_ask_for_a_code_from_enable_to_disable_and_every_byte_comes_back() {
    on_each_stock_host(|host| {
        let family = host.family;
        let enrolled = host.world.enrol("alice");
        let mut codes = enrolled.codes();
        let before = files();
        let plan = done(host, &["sudo", "plan"]);
        assert!(plan.stdout.contains("+auth       required     pam_twinlock.so\n"), "{family:?}: {plan:?}");
        assert_eq!(plan.stdout.contains("+++ /etc/pam.d/sudo-i\n"), family == Family::Debian, "{plan:?}");
        assert!(!plan.stderr.contains("problem: "), "{family:?}: {plan:?}");
        assert_eq!(files(), before);

        let enabled = done(host, &["sudo", "enable"]);
        let told = "enabled for a trial of 5m: sudo asks for the password, then a code\n";
        assert!(enabled.stderr.starts_with(told) && enabled.stderr.contains("twinlock sudo confirm\n"), "{enabled:?}");
        for command in [&AS_ROOT[..], &ROOTS_SHELL] {
            let wrong = enrolled.authenticator.wrong_code();
            let shown = host.alice_runs(command).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &wrong);
            assert!(!shown.refused_with(SORRY).contains(RAN), "{family:?}: {command:?}");
            let output = host.alice_runs(command).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &codes.next()).end();
            assert!(ran(&output, RAN), "{family:?} {command:?}: {output:#?}");
        }
        assert_eq!(done(host, &["sudo", "confirm"]).stderr, "confirmed: the new configuration stays\n");
        assert_eq!(done(host, &["sudo", "enable"]).stderr, "nothing to do: Twinlock is enabled for sudo\n");
        done(host, &["sudo", "disable"]);
        assert_eq!(files(), before, "{family:?}");
        for command in [&AS_ROOT[..], &ROOTS_SHELL] {
            let output = host.alice_runs(command).answer(SUDO_PASSWORD, PASSWORD).end();
            assert!(ran(&output, RAN), "{family:?} {command:?}: {output:#?}");
        }
    });
}

#[test]
fn su_asks_for_the_code_of_its_target_from_enable_to_disable_and_every_byte_comes_back() {
    on_each_stock_host(|host| {
        let family = host.family;
        for user in ["alice", "bob"] {
            host.world.enrol(user);
        }
        let before = files();
        refused(host, &["su", "enable"], "1 account can be changed to with su today, and will be denied: root");
        let (right, wrong) = right_and_wrong(&host.world.enrol("root"));
        done(host, &["su", "enable"]);
        let to_root = ["su", "-", "-c", "echo I am $(id -un)"];
        let output = host.alice_runs(&to_root).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &wrong).end();
        assert!(output.code == Some(1) && !output.stdout.contains("I am root"), "{family:?}: {output:#?}");
        let output = host.alice_runs(&to_root).answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &right).end();
        assert!(ran(&output, "I am root"), "{family:?}: {output:#?}");
        assert!(ran(&Launch::new(["su", "bob", "-c", "echo I am $(id -un)"]).run(), "I am bob"), "root gives nothing");
        done(host, &["su", "disable"]);
        assert_eq!(files(), before, "{family:?}");
        let output = host.alice_runs(&to_root).answer(PASSWORD_PROMPT, PASSWORD).end();
        assert!(ran(&output, "I am root"), "{family:?}: {output:#?}");
    });
}

#[test]
fn what_nobody_confirms_is_undone_in_time_and_at_the_next_boot() {
    on_each_stock_host(|host| {
        host.world.enrol("alice");
        let before = files();
        done(host, &["sudo", "enable", "--try", "2s"]);
        assert_ne!(files(), before);
        wait_until_restored(&before);
        host.world.wait_for_log(|line| line.text.contains("sudo: trial not confirmed in time"));

        fs::create_dir_all("/run/systemd/system").unwrap();
        host.world.write_script("/run/harness/bin/systemctl", "#!/bin/sh\n[ \"$1\" != is-active ]\n");
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\n");
        done(host, &["sudo", "enable"]);
        let unit = fs::read_to_string("/etc/systemd/system/twinlock-sudo-rollback.service").unwrap();
        assert!(unit.contains("\nOnFailure=twinlock-sudo-rollback-retry.service\n"), "{unit}");
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let undone = Launch::new(command.split(' ').map(|word| word.trim_matches('"'))).run();
        assert_eq!((undone.code, files()), (Some(0), before), "{undone:?}");
        let units = fs::read_dir("/etc/systemd/system")
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("twinlock-sudo"));
        assert_eq!(units.count(), 0);
    });
}

#[test]
fn sudo_is_left_alone_where_nobody_could_use_it_afterwards() {
    on_each_stock_host(|host| {
        host.world.enrol("bob");
        refused(host, &["sudo", "enable"], "no administrator who uses sudo is enrolled");
        let words = ["sudo", "enable", "--without-enrolled-admin"];
        refused(
            host,
            &words,
            "1 account can use sudo today and will be denied: alice\nhint: run `twinlock enroll alice`",
        );
        host.world.enrol("alice");
        let carol = host.world.account("carol");
        let invoked = host.world.twinlock_launch(&["sudo", "enable"]).environment("SUDO_USER", &carol.name).run();
        let told = "1 account can use sudo today and will be denied: carol\n";
        assert!(invoked.code == Some(1) && invoked.stderr.contains(told), "{invoked:?}");

        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        host.world.write_secret("/etc/shadow", shadow.replace("root:$6$", "root:!$6$"));
        refused(host, &["sudo", "enable"], "nobody can become root if codes fail");
        let glass =
            "[[rule]]\nname = \"glass\"\nusers = [\"carol\"]\nservices = [\"sudo\"]\nsecond_factor = \"skip\"\n";
        host.world.write(CONFIG, glass);
        host.world.group("sudo", &["alice", "carol"]);
        done(host, &["sudo", "enable", "--keep"]);
        done(host, &["sudo", "disable"]);
    });
}

#[test]
fn a_stack_that_is_not_known_or_lets_people_past_the_code_is_left_alone_and_lines_of_ours_are_not_added_twice() {
    on_each_stock_host(|host| {
        host.world.enrol("alice");
        let stock = fs::read_to_string("/etc/pam.d/sudo").unwrap();
        host.world.service("sudo", &format!("auth sufficient pam_ssh_agent_auth.so\n{stock}"));
        let told = "/etc/pam.d/sudo:1: Twinlock does not know what `sufficient pam_ssh_agent_auth.so` is for";
        refused(host, &["sudo", "enable"], told);
        host.world.ship_service(host.family, "sudo");
        if host.family == Family::Rhel {
            refused(host, &["sudo", "enable"], "pam_twinlock.so is in this file already");
            return;
        }
        let by_hand = fs::read_to_string("/etc/pam.d/sudo").unwrap();
        done(host, &["sudo", "enable", "--keep"]);
        assert_eq!(fs::read_to_string("/etc/pam.d/sudo").unwrap(), by_hand, "what was made by hand stays");
        assert!(
            fs::read_to_string("/etc/pam.d/sudo-i").unwrap().contains("\nauth       required     pam_twinlock.so\n")
        );
        done(host, &["sudo", "disable"]);

        host.world.service("sudo", &stock);
        let common = fs::read_to_string("/etc/pam.d/common-auth").unwrap();
        host.world.service("common-auth", &format!("auth sufficient pam_unix.so\n{common}"));
        refused(host, &["sudo", "enable"], "pam-order: when `auth sufficient pam_unix.so` succeeds, it ends the login");
    });
}
