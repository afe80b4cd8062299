//! When nothing is switched on: each refusal with what to do, and by which name it is overridden.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::symlink;

use nix::mount::{MsFlags, mount};
use twinlock_tests::{CONFIG, Family, FirstFactor, Output, Snapshot, set_mode};

use crate::ssh_enable::stock_host::{DROP_IN, Host, JOURNAL, PAM, configuration, journal, with_host};

fn refuses(host: &Host<'_>, words: &[&str], told: &[&str]) -> Output {
    let before = configuration();
    let output = host.ssh(words);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{words:?}: {output:?}");
    assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {output:?}");
    assert!(output.stderr.lines().last().unwrap().starts_with("hint: "), "{output:?}");
    assert_eq!(configuration(), before, "{words:?}");
    output
}

/// Refused, and done all the same with this flag.
fn refuses_without(host: &Host<'_>, told: &str, flag: &str) {
    refuses(host, &["enable"], &[told, &format!("to enable Twinlock all the same, add {flag}")]);
    assert_eq!(journal(), [""; 0]);
    let enabled = host.ssh_done(&["enable", flag]);
    assert!(enabled.stderr.starts_with("warning: ") && enabled.stderr.contains(told), "{enabled:?}");
    host.ssh_done(&["disable"]);
}

const NOBODY: &str = "no administrator is enrolled";

#[test]
fn nobody_with_administrator_rights_is_enrolled() {
    with_host(Family::Debian, |host| {
        host.world.group("sudo", &[]);
        refuses_without(host, NOBODY, "--without-enrolled-admin");
    });
    with_host(Family::Debian, |host| {
        host.world.account("bob");
        host.world.group("sudo", &["bob"]);
        refuses(host, &["enable"], &[NOBODY]);
    });
}

#[test]
fn root_counts_where_sshd_lets_it_answer() {
    with_host(Family::Debian, |host| {
        host.world.group("sudo", &[]);
        host.world.deploy("root");
        refuses(host, &["enable"], &[NOBODY]);
        host.world.write("/etc/ssh/sshd_config.d/20-root.conf", "PermitRootLogin yes\n");
        host.ssh_done(&["enable", "--keep"]);
    });
}

const BREAK_GLASS: &str = "no way in is left if codes fail";

/// Nobody has a password.
fn lock_passwords(host: &Host<'_>) {
    let shadow = fs::read_to_string("/etc/shadow").unwrap();
    host.world.write_secret("/etc/shadow", shadow.replace(":$6$", ":!$6$"));
}

#[test]
fn no_break_glass_is_left() {
    with_host(Family::Debian, |host| {
        lock_passwords(host);
        refuses_without(host, BREAK_GLASS, "--without-break-glass");
    });
    with_host(Family::Rhel, |host| {
        let login = fs::read_to_string("/etc/pam.d/login").unwrap();
        host.world.service("login", &format!("{login}auth required pam_twinlock.so\n"));
        refuses_without(host, BREAK_GLASS, "--without-break-glass");
    });
}

#[test]
fn an_account_that_a_rule_spares_the_code_is_a_break_glass() {
    with_host(Family::Debian, |host| {
        host.world.account("glass");
        host.world.group("sudo", &["alice", "glass"]);
        lock_passwords(host);
        refuses(host, &["enable"], &[BREAK_GLASS]);
        host.world.write(CONFIG, "[[rule]]\nname = \"glass\"\nusers = [\"glass\"]\nsecond_factor = \"skip\"\n");
        host.ssh_done(&["enable", "--keep"]);
    });
}

#[test]
fn what_the_doctor_finds_of_the_host_as_it_would_be() {
    let first = "/etc/ssh/sshd_config.d/00-first.conf";
    for (path, text, told) in [
        (first, "AuthenticationMethods publickey\n", "key-alone: sshd lets alice, root in with a key alone"),
        (
            "/etc/ssh/sshd_config.d/60-match.conf",
            "Match User alice\n KbdInteractiveAuthentication no\n",
            "sshd-methods: sshd has no way to log in for alice: ",
        ),
        (first, "UsePAM no\n", "use-pam: "),
        (
            "/etc/ssh/sshd_config.d/60-match.conf",
            "Match User alice\n AuthenticationMethods publickey\n",
            "the account line of pam_twinlock.so denies such a login (/etc/ssh/sshd_config.d/60-match.conf:2)",
        ),
        (
            "/etc/ssh/sshd_config.d/60-match.conf",
            "Match User alice\n AuthenticationMethods keyboard-interactive\n",
            "code-alone: sshd asks alice for no key, and the line of pam_twinlock.so has `require_key`",
        ),
    ] {
        with_host(Family::Debian, |host| {
            host.world.write(path, text);
            refuses_without(host, told, "--despite-lockouts");
        });
    }
}

#[test]
fn what_would_bar_every_code() {
    with_host(Family::Debian, |host| {
        set_mode("/var/lib/twinlock/credentials", 0o777);
        // The store is prepared before anything is judged, and no flag gets past one that is not root's alone.
        let everything = ["enable", "--without-enrolled-admin", "--despite-lockouts", "--deny-unenrolled"];
        refuses(host, &everything, &["cannot trust /var/lib/twinlock/credentials: its mode is 0777"]);
    });
    with_host(Family::Debian, |host| {
        host.world.install();
        fs::remove_file(host.world.module_path()).unwrap();
        refuses(host, &["enable"], &["module: ", "--despite-lockouts"]);
    });
}

#[test]
fn a_setting_that_no_login_meets_is_not_held_against_it() {
    with_host(Family::Debian, |host| {
        // sshd takes the methods of AuthenticationMethods alone.
        host.world.write("/etc/ssh/sshd_config.d/00-first.conf", "PasswordAuthentication yes\n");
        host.ssh_done(&["enable", "--keep"]);
        host.asks_for_both(FirstFactor::Key);
    });
}

#[test]
fn a_main_file_without_drop_ins_is_named_with_the_line_it_needs() {
    for text in ["UsePAM yes\n", "Match User git\nInclude /etc/ssh/sshd_config.d/*.conf\n"] {
        with_host(Family::Debian, |host| {
            host.world.write("/etc/ssh/sshd_config", text);
            refuses(
                host,
                &["enable"],
                &[
                    "/etc/ssh/sshd_config does not include",
                    "make `Include /etc/ssh/sshd_config.d/*.conf` the first line of /etc/ssh/sshd_config",
                ],
            );
            assert!(!fs::exists(format!("{JOURNAL}/candidate")).unwrap());
        });
    }
}

#[test]
fn what_sshd_does_not_take_is_said_in_its_words() {
    with_host(Family::Debian, |host| {
        host.world.write("/etc/ssh/sshd_config.d/90-broken.conf", "Nonsense yes\n");
        let refused = refuses(
            host,
            &["enable"],
            &["sshd would reject the new configuration: /etc/ssh/sshd_config.d/90-broken.conf"],
        );
        assert!(refused.stderr.contains("Bad configuration option: Nonsense"), "{refused:?}");
    });
}

#[test]
fn an_sshd_that_does_not_end_is_ended_and_nothing_is_changed() {
    with_host(Family::Debian, |host| {
        host.world.write_script("/tmp/endless", "#!/bin/sh\nexec sleep 60\n");
        mount(Some("/tmp/endless"), "/usr/sbin/sshd", None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        refuses(host, &["enable"], &["sshd would reject the new configuration: it takes too long"]);
    });
}

#[test]
fn a_stack_that_is_not_known_is_left_alone() {
    with_host(Family::Debian, |host| {
        for (text, told) in [
            (
                "auth required pam_unix.so\naccount required pam_unix.so\n",
                "/etc/pam.d/sshd:1: Twinlock does not know what `required pam_unix.so` is for",
            ),
            ("auth required pam_duo.so\n@include common-auth\n", "/etc/pam.d/sshd:1: pam_duo.so asks"),
            (
                "@include common-auth\nauth required pam_twinlock.so\n",
                "/etc/pam.d/sshd:2: pam_twinlock.so is in this file already",
            ),
        ] {
            host.world.service("sshd", text);
            refuses(host, &["enable"], &[told]);
            refuses(host, &["plan"], &[told]);
        }
    });
}

#[test]
fn a_file_that_cannot_be_trusted_is_left_alone() {
    with_host(Family::Debian, |host| {
        fs::rename(PAM, "/etc/pam.d/elsewhere").unwrap();
        symlink("elsewhere", PAM).unwrap();
        refuses(host, &["enable"], &["/etc/pam.d/sshd: it is a symbolic link"]);
        fs::remove_file(PAM).unwrap();
        fs::copy("/etc/pam.d/elsewhere", PAM).unwrap();
        assert_eq!(twinlock_tests::Launch::new(["chmod", "0666", PAM]).run().code, Some(0));
        refuses(host, &["enable"], &["/etc/pam.d/sshd: others than root can write to it"]);
        fs::remove_file(PAM).unwrap();
        refuses(host, &["enable"], &["PAM has no file for sshd"]);
    });
}

#[test]
fn what_was_changed_since_is_not_lost_unasked() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        host.ssh_done(&["enable"]);
        let pam = fs::read_to_string(PAM).unwrap();
        host.world.write(PAM, format!("{pam}# mine\n"));
        let flag = "--discard-changes";
        let confirmed = host.ssh_done(&["confirm"]);
        assert!(confirmed.stderr.starts_with("note: a file was changed after `twinlock ssh enable`"), "{confirmed:?}");
        for verb in ["enable", "disable"] {
            refuses(host, &[verb], &["was changed after", flag]);
        }
        host.ssh_done(&["disable", flag]);
        assert_eq!(configuration(), before);
    });
    with_host(Family::Debian, |host| {
        host.ssh_done(&["enable", "--keep"]);
        fs::remove_file(DROP_IN).unwrap();
        refuses(host, &["disable"], &["was changed after"]);
    });
}

#[test]
fn the_other_mode_wants_the_first_one_off() {
    with_host(Family::Debian, |host| {
        host.ssh_done(&["enable", "--keep"]);
        refuses(
            host,
            &["enable", "--mode", "password+code"],
            &["Twinlock is enabled for sshd (key+code)", "twinlock ssh disable"],
        );
    });
}

#[test]
fn one_at_a_time() {
    with_host(Family::Debian, |host| {
        host.ssh_done(&["plan"]);
        let folder = OpenOptions::new().read(true).open(JOURNAL).unwrap();
        folder.lock().unwrap();
        for verb in ["plan", "enable", "confirm", "disable"] {
            refuses(host, &[verb], &["another `twinlock ssh` command is running"]);
        }
    });
}

#[test]
fn none_but_root() {
    with_host(Family::Debian, |host| {
        for verb in ["plan", "enable", "confirm", "disable"] {
            let before = (configuration(), Snapshot::of("/var/lib/twinlock"));
            let output = host.world.twinlock_launch(&["ssh", verb]).account(&host.alice).run();
            assert_eq!(output.code, Some(3), "{output:?}");
            assert_eq!((configuration(), Snapshot::of("/var/lib/twinlock")), before);
        }
    });
}

#[test]
fn a_trial_of_no_or_of_endless_length_cannot_be_typed() {
    with_host(Family::Debian, |host| {
        for span in ["0s", "2days", "soon", "-1s"] {
            assert_eq!(host.ssh(&["enable", &format!("--try={span}")]).code, Some(2), "{span}");
        }
        assert_eq!(host.ssh(&["enable", "--try", "5m", "--keep"]).code, Some(2));
    });
}
