//! A server that runs on: it is told to read its new configuration, and goes on for those who are connected.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;

use twinlock_tests::{Family, Launch, Process};

use crate::ssh_enable::stock_host::{Host, with_host};

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

/// These units of systemd run, and no others. What it is asked is written to `/run/asked`.
fn systemd_runs(host: &Host<'_>, units: &str) {
    let systemctl = format!(
        "#!/bin/sh\necho \"systemctl $*\" >>/run/asked\n\
         [ \"$1\" != is-active ] || case ' {units} ' in *\" $3 \"*) ;; *) exit 3;; esac\n"
    );
    host.world.write_script("/run/harness/bin/systemctl", &systemctl);
}

#[test]
fn an_sshd_that_has_its_socket_from_systemd_is_restarted_or_left_alone() {
    for (units, asked_for) in [("ssh.socket", None), ("ssh.socket ssh.service", Some("systemctl restart ssh.service"))]
    {
        with_host(Family::Debian, |host| {
            fs::create_dir_all("/run/systemd/system").unwrap();
            systemd_runs(host, units);
            host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\n");
            // As systemd leaves it when ssh.service ends.
            fs::remove_dir("/run/sshd").unwrap();
            host.ssh_done(&["enable"]);
            let asked = fs::read_to_string("/run/asked").unwrap();
            let changes: Vec<_> = asked.lines().filter(|line| !line.contains(" is-active ")).collect();
            assert_eq!(changes, asked_for.as_slice(), "{units}");
            let made = fs::metadata("/run/sshd").unwrap();
            assert_eq!((made.mode() & 0o7777, made.uid()), (0o755, 0));
        });
    }
}

#[test]
fn under_systemd_the_unit_is_reloaded_and_the_end_of_the_trial_is_a_timer_of_its_own() {
    with_host(Family::Rhel, |host| {
        fs::create_dir_all("/run/systemd/system").unwrap();
        systemd_runs(host, "sshd.service");
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\necho \"systemd-run $*\" >>/run/asked\n");
        host.ssh_done(&["enable", "--try", "90s"]);
        let unit = fs::read_to_string(WANTED).unwrap();
        host.ssh_done(&["confirm"]);
        assert!(fs::symlink_metadata(WANTED).is_err() && fs::symlink_metadata(UNIT).is_err(), "gone when confirmed");
        let asked = fs::read_to_string("/run/asked").unwrap();
        let asked: Vec<_> = asked.lines().collect();
        let [run, first, second, socket, reload, stop] = asked.as_slice() else { panic!("{asked:?}") };
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
            [*first, second, socket],
            ["ssh.service", "sshd.service", "sshd.socket"].map(|unit| format!("systemctl is-active --quiet {unit}"))
        );
        assert_eq!(*reload, "systemctl reload sshd.service");
        assert!(stop.starts_with("systemctl stop twinlock-ssh-") && stop.contains(".timer"), "{stop}");

        // Where neither can be had, nothing is changed.
        host.ssh_done(&["disable"]);

        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\necho 'no bus' >&2\nexit 1\n");
        let refused = host.ssh(&["enable"]);
        assert!(
            refused.code == Some(1) && refused.stderr.contains("the timer that would end the trial: no bus"),
            "{refused:?}"
        );
        host.world.write_script("/run/harness/bin/systemd-run", "#!/bin/sh\n");
        let systemctl = "#!/bin/sh\n[ \"$1\" != reload ] && [ \"$3\" != ssh.socket ]\n";
        host.world.write_script("/run/harness/bin/systemctl", systemctl);
        let refused = host.ssh(&["enable"]);
        assert!(
            refused.code == Some(1) && refused.stderr.contains("systemctl reload ssh.service failed"),
            "{refused:?}"
        );
    });
}
