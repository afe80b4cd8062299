//! A server that runs on: it is told to read its new configuration, and goes on for those who are connected.

use std::fs;
use std::net::TcpListener;

use twinlock_tests::{Family, Launch, Process};

use crate::scene::{Host, with_host};

const UNIT: &str = "/etc/systemd/system/twinlock-ssh-rollback.service";
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/twinlock-ssh-rollback.service";

/// A port that was free a moment ago.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn start(host: &Host<'_>) -> (Process, u16) {
    let port = port();
    let text = fs::read_to_string("/etc/ssh/sshd_config").unwrap();
    host.world.write("/etc/ssh/sshd_config", format!("{text}Port {port}\nListenAddress 127.0.0.1\n"));
    let sshd = Launch::new(["/usr/sbin/sshd", "-D", "-e"]).start();
    (sshd, port)
}

/// The methods that the server takes first, waiting for these.
fn offers(port: u16, wanted: &str) -> String {
    let port = port.to_string();
    let mut said = String::new();
    for _ in 0..100 {
        let options = ["PreferredAuthentications=none", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
        let options = options.iter().flat_map(|option| ["-o", option]);
        let words = ["ssh", "-F", "none", "-p", &port, "alice@127.0.0.1"].into_iter();
        said = Launch::new(words.chain(options).chain(["true"])).run().stderr;
        if said.contains(&format!("Permission denied ({wanted}).")) {
            return wanted.to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    said
}

#[test]
fn it_reads_the_new_configuration_and_the_old_one_again() {
    with_host(Family::Debian, |host| {
        let (sshd, port) = start(host);
        assert_eq!(offers(port, "publickey,password"), "publickey,password");
        let enabled = host.ssh_done(&["enable"]);
        assert!(!enabled.stderr.contains("no running sshd"), "{enabled:?}");
        assert_eq!(offers(port, "publickey"), "publickey");
        host.ssh_done(&["disable"]);
        assert_eq!(offers(port, "publickey,password"), "publickey,password");
        // One right after the other: it is told each time.
        for verb in ["enable", "disable", "enable", "disable"] {
            host.ssh_done(&[verb]);
            let wanted = if verb == "enable" { "publickey" } else { "publickey,password" };
            assert_eq!(offers(port, wanted), wanted, "{verb}");
        }
        assert!(sshd.is_running());
    });
}

#[test]
fn a_process_that_is_no_sshd_is_told_nothing() {
    with_host(Family::Debian, |host| {
        let other = Launch::new(["sleep", "60"]).start();
        host.world.write("/run/sshd.pid", format!("{}\n", other.pid()));
        let enabled = host.ssh_done(&["enable", "--keep"]);
        assert!(enabled.stderr.contains("note: no running sshd was found"), "{enabled:?}");
        assert!(other.is_running());
    });
}

#[test]
fn under_systemd_the_unit_is_reloaded_and_the_end_of_the_trial_is_a_timer_of_its_own() {
    with_host(Family::Rhel, |host| {
        fs::create_dir_all("/run/systemd/system").unwrap();
        // sshd.service runs, ssh.service does not.
        let systemctl = "#!/bin/sh\necho \"systemctl $*\" >>/run/asked\n[ \"$1 $3\" != 'is-active ssh.service' ]\n";
        host.world.write_script("/run/harness/bin/systemctl", systemctl);
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\necho \"systemd-run $*\" >>/run/asked\n");
        host.ssh_done(&["enable", "--try", "90s"]);
        let unit = fs::read_to_string(WANTED).unwrap();
        host.ssh_done(&["confirm"]);
        assert!(fs::symlink_metadata(WANTED).is_err() && fs::symlink_metadata(UNIT).is_err(), "gone when confirmed");
        let asked = fs::read_to_string("/run/asked").unwrap();
        let asked: Vec<_> = asked.lines().collect();
        let [run, first, second, reload, stop] = asked.as_slice() else { panic!("{asked:?}") };
        assert!(
            run.starts_with("systemd-run --quiet --collect --timer-property=AccuracySec=1s --unit=twinlock-ssh-"),
            "{run}"
        );
        let (_, command) = run.split_once(" --on-active=90s ").unwrap();
        let (program, words) = command.split_once(' ').unwrap();
        assert!(program.ends_with("/twinlock") && words.starts_with("ssh expire "), "{run}");
        // The same at the next boot, before sshd.
        assert!(unit.contains(&format!("\nExecStart=\"{program}\" {words} --at-boot\n")), "{unit}");
        assert!(unit.contains("\nBefore=ssh.service sshd.service "), "{unit}");
        assert_eq!(
            [*first, second],
            ["systemctl is-active --quiet ssh.service", "systemctl is-active --quiet sshd.service"]
        );
        assert_eq!(*reload, "systemctl reload sshd.service");
        assert!(stop.starts_with("systemctl stop twinlock-ssh-") && stop.contains(".timer"), "{stop}");

        // Where neither can be had, nothing is changed.
        host.ssh_done(&["disable"]);

        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\necho 'no bus' >&2\nexit 1\n");
        let refused = host.ssh(&["enable"]);
        assert!(refused.code == Some(1) && refused.stderr.contains("after 300 seconds: no bus"), "{refused:?}");
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\n");
        host.world.write_script("/run/harness/bin/systemctl", "#!/bin/sh\n[ \"$1\" != reload ]\n");
        let refused = host.ssh(&["enable"]);
        assert!(
            refused.code == Some(1) && refused.stderr.contains("systemctl reload ssh.service failed"),
            "{refused:?}"
        );
    });
}
