//! A trial as people follow it: on the terminal at which it began, on all others by wall(1), and by `ssh status`.

use std::fs;

use serde_json::{Value, json};
use twinlock_tests::{Family, Terminal};

use crate::ssh_enable::stock_host::{Host, configuration, journal, with_host};
use crate::ssh_enable::trial::wait_until;

fn status(host: &Host<'_>) -> Value {
    let text = host.ssh_done(&["status", "--json"]).stdout;
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn begin(host: &Host<'_>, span: &str) -> Terminal {
    let mut terminal = Terminal::start(host.world.twinlock_launch(&["ssh", "enable", "--try", span]));
    terminal.expect(". Enter: keep the change. Ctrl-C: leave it on trial.");
    terminal
}

#[test]
fn the_terminal_of_a_trial_counts_down_and_keeps_the_change_only_after_a_yes() {
    with_host(Family::Debian, |host| {
        let before = configuration();
        let mut terminal = begin(host, "10m");
        terminal.expect("On trial for 9:5");
        terminal.send_line("");
        terminal.expect("Has a login from another terminal worked? Type yes to keep the change: ");
        terminal.send_line("");
        terminal.expect("On trial for 9:5");
        assert_eq!(status(host)["state"], "trial", "an Enter is no yes");
        terminal.send_line("twinlock ssh confirm");
        terminal.expect("Type yes to keep the change: ");
        terminal.send_line("yes");
        let kept = terminal.finish();
        assert!(kept.code == Some(0) && kept.stdout.contains("confirmed: the new configuration stays"), "{kept:?}");
        assert_eq!(status(host)["state"], "on");
        host.ssh_done(&["disable"]);

        // Confirmed by another login.
        let mut terminal = begin(host, "10m");
        host.ssh_done(&["confirm"]);
        terminal.expect("confirmed from elsewhere");
        assert_eq!(terminal.finish().code, Some(0));
        host.ssh_done(&["disable"]);

        // Interrupted: the trial goes on.
        let mut terminal = begin(host, "10m");
        terminal.interrupt();
        assert_ne!(terminal.finish().code, Some(0));
        assert_eq!(status(host)["state"], "trial");
        host.ssh_done(&["disable"]);

        // Nobody does anything.
        let mut terminal = begin(host, "2s");
        terminal.expect("the change was not kept: the previous configuration is restored");
        assert_eq!((terminal.finish().code, configuration()), (Some(1), before));
    });
}

#[test]
fn status_says_off_trial_and_on_and_every_terminal_is_told_of_a_trial_and_its_end() {
    with_host(Family::Debian, |host| {
        host.world.write_script("/run/harness/bin/wall", "#!/bin/sh\nprintf '%s\\n' \"$*\" >>/run/wall\n");
        let told = || fs::read_to_string("/run/wall").unwrap_or_default();
        let said = || host.ssh_done(&["status"]).stdout;
        let all = |state: &str, mode: Value| json!({"service": "ssh", "state": state, "mode": mode, "until": null});
        assert_eq!(status(host), all("off", Value::Null));
        assert_eq!(said(), "off: `twinlock ssh enable` has not changed sshd's configuration\n");

        host.ssh_done(&["enable", "--try", "10m", "--mode", "password+code"]);
        let trial = status(host);
        assert_eq!((&trial["state"], &trial["mode"]), (&json!("trial"), &json!("password+code")));
        assert!(trial["until"].as_str().unwrap().starts_with('2'), "{trial}");
        let clock = said().split(" until ").nth(1).unwrap().split(';').next().unwrap().to_owned();
        assert!(
            clock.contains(':') && said().starts_with("trial: sshd asks for a password, then a code until "),
            "{clock}"
        );
        let begun =
            format!("Twinlock: sshd asks for a password, then a code, on trial until {clock}. If you cannot log in, ");
        assert!(told().starts_with(&begun), "{}", told());
        host.ssh_done(&["confirm"]);
        assert_eq!(status(host), all("on", json!("password+code")));
        assert_eq!(said(), "on: sshd asks for a password, then a code\n");
        host.ssh_done(&["disable"]);
        assert_eq!(told().lines().count(), 1, "{}", told());

        host.ssh_done(&["enable", "--try", "1s"]);
        wait_until("the end of the change", || journal().is_empty());
        let end = "Twinlock: the trial was not confirmed; sshd's previous configuration and PAM file are restored.";
        wait_until("wall", || told().lines().last() == Some(end));
        // Interrupted, and a record that cannot be read.
        host.ssh_done(&["enable", "--keep"]);
        assert!(told().ends_with(&format!("{end}\n")), "{}", told());
        let [kept, changing] = ["kept", "changing"].map(|phase| format!("/var/lib/twinlock/ssh/{phase}"));
        fs::rename(&kept, &changing).unwrap();
        assert_eq!(status(host), all("changing", json!("key+code")));
        fs::rename(&changing, &kept).unwrap();
        host.world.write(&kept, "{");
        assert_eq!(host.ssh(&["status"]).code, Some(1));
        let stranger = host.world.twinlock_launch(&["ssh", "status"]).account(&host.alice).run();
        assert_eq!(stranger.code, Some(3), "{stranger:?}");
    });
}
