//! A trial ends by itself unless it is confirmed: in time, without its session, after a reboot.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use twinlock_tests::{DEADLINE, Family, FirstFactor, Terminal};

use crate::ssh_enable::stock_host::{JOURNAL, PAM, configuration, journal, pair, with_host};

/// Waits for it, longer than the trial lasts.
pub(crate) fn wait_until(what: &str, mut come: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !come() {
        assert!(Instant::now() < end, "waited for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_nobody_confirms_is_undone_in_time() {
    for family in [Family::Debian, Family::Rhel] {
        with_host(family, |host| {
            let before = configuration();
            host.ssh_done(&["enable", "--try", "2s"]);
            wait_until("the old configuration", || configuration() == before);
            wait_until("the end of the change", || journal().is_empty());
            assert!(host.key_alone().granted);
            host.world.wait_for_log(|line| line.text.contains("not confirmed in time"));
            let late = host.ssh(&["confirm"]);
            assert_eq!(
                (late.code, late.stderr.as_str()),
                (
                    Some(1),
                    "twinlock: there is nothing to confirm: Twinlock is not enabled for sshd\nhint: `twinlock ssh enable` starts a trial\n"
                )
            );
        });
    }
}

#[test]
fn the_end_of_the_session_and_of_its_terminal_does_not_save_the_trial() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        let mut terminal = Terminal::start(host.world.twinlock_launch(&["ssh", "enable", "--try", "3s"]));
        terminal.expect("twinlock ssh confirm");
        // Hangs up, and kills whatever is in the session.
        drop(terminal);
        assert_ne!(configuration(), before);
        wait_until("the old configuration", || configuration() == before);
    });
}

#[test]
fn what_is_confirmed_stays_beyond_the_end_of_the_trial() {
    with_host(Family::Debian, |host| {
        host.ssh_done(&["enable", "--try", "3s"]);
        host.ssh_done(&["confirm"]);
        let confirmed = configuration();
        thread::sleep(Duration::from_secs(5));
        assert_eq!(configuration(), confirmed);
        assert!(journal().contains(&"kept".to_owned()));
        host.asks_for_both(FirstFactor::Key);
    });
}

#[test]
fn a_trial_is_undone_on_demand() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        host.ssh_done(&["enable"]);
        host.ssh_done(&["disable"]);
        assert_eq!((configuration(), journal()), (before, vec![]));
    });
}

#[test]
fn the_first_command_after_the_time_or_a_reboot_undoes_what_nobody_else_has() {
    for (from, to) in [("\"boot\":\"", "\"boot\":\"another"), ("\"until\":", "\"until\":1,\"was\":")] {
        for words in ["plan", "confirm", "enable", "disable"] {
            with_host(Family::Debian, |host| {
                let before = configuration();
                host.ssh_done(&["enable"]);
                let path = format!("{JOURNAL}/trying");
                let record = fs::read_to_string(&path).unwrap();
                let changed = record.replacen(from, to, 1);
                assert_ne!(changed, record);
                host.world.write_secret(&path, changed);
                let output = host.ssh(&[words]);
                assert!(
                    output.stderr.starts_with("note: the trial was not confirmed in time; sshd's previous configuration and PAM file are restored\n"),
                    "{output:?}"
                );
                assert_eq!(output.code, Some(i32::from(words == "confirm")), "{words}: {output:?}");
                host.ssh_done(&["disable"]);
                assert_eq!(configuration(), before, "{words}");
            });
        }
    }
}

#[test]
fn a_trial_that_is_over_is_over_for_its_own_process_alone() {
    with_host(Family::Debian, |host| {
        host.ssh_done(&["enable", "--keep"]);
        let kept = configuration();
        // The process of a trial that was before this one.
        let output = host.ssh_done(&["expire", "0123456789abcdef"]);
        assert_eq!((output.stdout.as_str(), configuration()), ("waiting\n", kept));
    });
}

#[test]
fn a_change_that_somebody_made_during_the_trial_does_not_outlive_it() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        host.ssh_done(&["enable", "--try", "2s"]);
        host.world.write(PAM, "auth required pam_deny.so\n");
        wait_until("the old configuration", || configuration() == before);
    });
}

#[test]
fn where_no_password_was_good_the_way_back_waits_for_those_who_connected_before() {
    with_host(Family::Debian, |host| {
        host.world.write("/etc/ssh/sshd_config.d/20-keys.conf", "PasswordAuthentication no\nLoginGraceTime 2\n");
        let before = configuration();
        host.ssh_done(&["enable", "--mode", "password+code", "--keep"]);
        let bridge = fs::read_to_string(format!("{JOURNAL}/pam.bridge")).unwrap();
        let began = Instant::now();
        let disable = host.world.twinlock_launch(&["ssh", "disable"]).start();
        // sshd is as before, and the stack still asks for a code.
        wait_until("the bridge", || pair() == [Some(bridge.clone()), None]);
        let output = disable.finish();
        assert!(
            output.code == Some(0) && output.stderr.starts_with("waiting 2 seconds (LoginGraceTime) "),
            "{output:?}"
        );
        assert!(began.elapsed() >= Duration::from_secs(2));
        assert_eq!(configuration(), before);
    });
}
