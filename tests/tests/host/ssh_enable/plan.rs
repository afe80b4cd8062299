//! `plan` shows what `enable` does, and does nothing.

use std::fs;

use twinlock_tests::{Family, Launch};

use crate::ssh_enable::stock_host::{DROP_IN, FAMILIES, MODES, PAM, configuration, journal, pair, with_host};

/// What patch(1) makes of a file by a part of the plan.
fn patched(world: &twinlock_tests::World, name: &str, diff: &str) -> String {
    world.write("/tmp/plan.diff", diff);
    let old = fs::read(name).unwrap_or_default();
    world.write("/tmp/patched", old);
    let output = Launch::new(["patch", "--fuzz=0", "/tmp/patched", "/tmp/plan.diff"]).run();
    assert_eq!(output.code, Some(0), "{output:?}\n{diff}");
    fs::read_to_string("/tmp/patched").unwrap()
}

#[test]
fn what_plan_shows_is_exactly_what_enable_writes() {
    for family in FAMILIES {
        for (_, mode) in MODES {
            for drop_in in [None, Some("LogLevel VERBOSE\n")] {
                with_host(family, |host| {
                    if let Some(text) = drop_in {
                        host.world.write(DROP_IN, text);
                    }
                    let before = configuration();
                    let planned = host.ssh_done(&["plan", "--mode", mode]);
                    assert_eq!(configuration(), before, "nothing is changed");
                    assert_eq!(journal(), [""; 0]);
                    assert_eq!(planned.stderr.lines().count(), 1, "nothing speaks against it: {planned:?}");
                    let (pam, ours) = planned.stdout.split_at(planned.stdout.rfind("\n--- ").unwrap() + 1);
                    assert!(pam.starts_with("--- /etc/pam.d/sshd\n+++ /etc/pam.d/sshd\n@@ "), "{pam}");
                    let old = if drop_in.is_some() { DROP_IN } else { "/dev/null" };
                    assert!(ours.starts_with(&format!("--- {old}\n+++ {DROP_IN}\n@@ ")), "{ours}");
                    let wanted = [patched(host.world, PAM, pam), patched(host.world, DROP_IN, ours)];
                    host.ssh_done(&["enable", "--mode", mode, "--keep"]);
                    assert_eq!(pair().map(Option::unwrap), wanted, "{family:?} {mode}");
                });
            }
        }
    }
}

#[test]
fn the_lines_that_go_are_the_one_that_asks_for_the_password_and_none_else() {
    for (family, mode, gone) in [
        (Family::Debian, "key+code", vec!["-@include common-auth"]),
        (Family::Debian, "password+code", vec![]),
        (Family::Rhel, "key+code", vec!["-auth       substack     password-auth"]),
        (Family::Rhel, "password+code", vec!["-auth       substack     password-auth"]),
    ] {
        with_host(family, |host| {
            let planned = host.ssh_done(&["plan", "--mode", mode]);
            let removed: Vec<_> =
                planned.stdout.lines().filter(|line| line.starts_with('-') && !line.starts_with("---")).collect();
            assert_eq!(removed, gone, "{family:?} {mode}");
        });
    }
}

#[test]
fn plan_says_what_speaks_against_it() {
    with_host(Family::Debian, |host| {
        host.world.group("sudo", &[]);
        host.world.write("/etc/ssh/sshd_config.d/00-first.conf", "AuthenticationMethods publickey\n");
        let planned = host.ssh_done(&["plan"]);
        let problems: Vec<_> = planned.stderr.lines().filter(|line| line.starts_with("problem: ")).collect();
        assert_eq!(problems.len(), 2, "{planned:?}");
        assert!(problems[0].contains("no administrator is enrolled"), "{problems:?}");
        assert!(problems[1].contains("key-alone: sshd lets alice, root in with a key alone"), "{problems:?}");
    });
}
