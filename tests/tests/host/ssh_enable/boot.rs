//! The end of a trial at the next boot: systemd starts it before sshd, and whatever becomes of it, sshd starts too.

use std::fs;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use twinlock_tests::{Family, Launch, Output};

use crate::ssh_enable::stock_host::{Host, configuration, journal, with_host};

const FOLDER: &str = "/etc/systemd/system";
const UNIT: &str = "/etc/systemd/system/twinlock-ssh-rollback.service";
const RETRY: &str = "/etc/systemd/system/twinlock-ssh-rollback-retry.service";

/// sshd's units of Debian and of RHEL, without what has no bearing on the order.
const SERVICE: &str = "[Unit]\nAfter=network.target\n[Service]\nType=notify\nExecStart=/usr/sbin/sshd -D\n\
                       RuntimeDirectory=sshd\n[Install]\nWantedBy=multi-user.target\n";
const SOCKET: &str = "[Unit]\nBefore=sockets.target\n[Socket]\nListenStream=22\nAccept=no\n";

/// On a host that systemd has booted.
fn with_systemd(test: impl FnOnce(&Host<'_>) + Send) {
    with_host(Family::Debian, |host| {
        fs::create_dir_all("/run/systemd/system").unwrap();
        // No sshd runs yet.
        host.world.write_script("/run/harness/bin/systemctl", "#!/bin/sh\n[ \"$1\" != is-active ]\n");
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\n");
        test(host);
    });
}

/// Runs what a unit starts.
fn run(unit: &str) -> Output {
    start(unit).run()
}

fn start(unit: &str) -> Launch {
    let text = fs::read_to_string(unit).unwrap();
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    Launch::new(command.split(' ').map(|word| word.trim_matches('"')))
}

fn set_read_only(folder: &str) {
    mount(Some(folder), folder, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(None::<&str>, folder, None::<&str>, flags, None::<&str>).unwrap();
}

/// What systemd says of the order in which it would start everything.
fn cycles() -> Vec<String> {
    let verified = Launch::new(["systemd-analyze", "--no-pager", "verify", "--man=no", "multi-user.target"]).run();
    verified.stderr.lines().filter(|line| line.contains("cycle")).map(str::to_owned).collect()
}

#[test]
fn systemd_finds_an_order_in_which_the_unit_is_before_sshd_and_its_socket() {
    for name in ["ssh", "sshd"] {
        with_systemd(|host| {
            host.ssh_done(&["enable"]);
            host.world.write(format!("{FOLDER}/{name}.service"), SERVICE);
            host.world.write(format!("{FOLDER}/{name}.socket"), SOCKET);
            for (target, unit) in [("multi-user", "service"), ("sockets", "socket")] {
                let wants = format!("{FOLDER}/{target}.target.wants");
                fs::create_dir_all(&wants).unwrap();
                let unit = format!("{name}.{unit}");
                std::os::unix::fs::symlink(format!("{FOLDER}/{unit}"), format!("{wants}/{unit}")).unwrap();
            }
            assert_eq!(cycles(), [""; 0], "{name}");
            let ours = fs::read_to_string(UNIT).unwrap();
            let before = ours.lines().find_map(|line| line.strip_prefix("Before=")).unwrap();
            for unit in ["service", "socket"] {
                assert!(before.split(' ').any(|word| word == format!("{name}.{unit}")), "{ours}");
            }
            // With the default dependencies there is none, and systemd would start all but sshd's socket.
            host.world.write(UNIT, ours.replace("DefaultDependencies=no\n", ""));
            assert!(cycles().iter().any(|line| line.contains("Found ordering cycle")), "{:?}", cycles());
        });
    }
}

#[test]
fn a_roll_back_that_cannot_write_fails_soon_and_is_tried_again_later() {
    with_systemd(|host| {
        let before = configuration();
        host.ssh_done(&["enable"]);
        set_read_only("/etc/pam.d");
        // It ends within the deadline of the harness, which is the time that systemd gives it.
        let failed = run(UNIT);
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert!(failed.stderr.contains("Read-only file system"), "{failed:?}");
        assert_ne!(configuration(), before);
        let unit = fs::read_to_string(UNIT).unwrap();
        assert!(unit.contains("\nTimeoutStartSec=30\n"), "{unit}");
        assert!(unit.contains("\nOnFailure=twinlock-ssh-rollback-retry.service\n"), "{unit}");
        let retry = fs::read_to_string(RETRY).unwrap();
        assert!(!retry.contains("Before=") && retry.contains("\nRestart=on-failure\n"), "{retry}");
        let later = start(RETRY).start();
        host.world.wait_for_log(|line| line.text.contains("cannot undo the trial that nobody confirmed"));
        umount2("/etc/pam.d", MntFlags::MNT_DETACH).unwrap();
        assert_eq!(later.finish().code, Some(0));
        assert_eq!((configuration(), journal()), (before, vec![]));
        assert!(!fs::exists(UNIT).unwrap() && !fs::exists(RETRY).unwrap());
    });
}

#[test]
fn at_boot_there_is_nobody_who_connected_before_to_be_waited_for() {
    with_systemd(|host| {
        // Without /run/sshd, as at boot, sshd says nothing of its settings.
        host.world.write("/etc/ssh/sshd_config.d/20-keys.conf", "PasswordAuthentication no\n");
        let before = configuration();
        host.ssh_done(&["enable", "--mode", "password+code"]);
        fs::remove_dir("/run/sshd").unwrap();
        let undone = run(UNIT);
        assert_eq!((undone.code, undone.stderr.as_str()), (Some(0), ""), "{undone:?}");
        assert_eq!((configuration(), journal()), (before, vec![]));
    });
}

/// The power may be cut after a trial was confirmed, before its units were removed from the disk.
#[test]
fn units_of_a_trial_that_was_confirmed_remove_themselves() {
    with_systemd(|host| {
        host.ssh_done(&["enable"]);
        let (unit, retry) = (fs::read_to_string(UNIT).unwrap(), fs::read_to_string(RETRY).unwrap());
        host.ssh_done(&["confirm"]);
        assert!(!fs::exists(UNIT).unwrap() && !fs::exists(RETRY).unwrap());
        let confirmed = configuration();
        host.world.write(UNIT, unit);
        host.world.write(RETRY, retry);
        assert_eq!(run(UNIT).code, Some(0));
        assert_eq!(configuration(), confirmed);
        assert!(!fs::exists(UNIT).unwrap() && !fs::exists(RETRY).unwrap());
    });
}
