//! `--enroll-until`: the rule by which users enrol, on trial together with sshd's configuration.

use std::fs;

use twinlock_tests::{CONFIG, Family};

use crate::ssh_enable::stock_host::{DROP_IN, configuration, journal, with_host};
use crate::ssh_enable::trial::wait_until;

const LAST_DAY: [&str; 2] = ["--enroll-until", "2199-01-31"];

/// An administrator's own, with a comment behind the last table and no line feed at its end.
const OWN: &str =
    "# Ours.\nhelp = \"Call 4711.\"\n\n[[rule]] # robots\nusers = [\"git\"]\nsecond_factor = \"skip\"\n# The end.";
const RULE: &str = "\n\n# Users who are not enrolled enrol at their next login. After the last day they are denied.\n\
    [[rule]]\nname = \"roll-out\"\nservices = [\"sshd\"]\nuntil = 2199-01-31\nsecond_factor = \"enroll\"\n";

fn config() -> String {
    fs::read_to_string(CONFIG).unwrap()
}

#[test]
fn the_rule_is_added_behind_what_is_there_and_goes_with_the_trial_unless_somebody_has_edited_the_file() {
    with_host(Family::Debian, |host| {
        let enable = |more: &[&str]| host.ssh(&[&["enable"], &LAST_DAY[..], more].concat());
        host.world.account("bob");
        host.world.write("/home/bob/.ssh/authorized_keys", host.sshd.public_key("ed25519"));
        host.world.write(CONFIG, OWN);
        let before = configuration();

        // Without the option bob would be denied; `plan` shows what it writes.
        assert!(host.ssh_done(&["plan"]).stderr.contains("1 account can log in today and will be denied: bob"));
        let plan = host.ssh_done(&[&["plan"], &LAST_DAY[..]].concat());
        assert!(plan.stderr.ends_with("until the end of 2199-01-31 (UTC)\n"), "{plan:?}");
        assert!(plan.stdout.contains("\n+LoginGraceTime 300\n") && plan.stdout.contains("\n+until = 2199-01-31\n"));
        assert_eq!(configuration(), before);

        let enabled = enable(&["--try", "2s"]);
        assert!(
            enabled.code == Some(0) && enabled.stderr.contains("until the end of 2199-01-31 (UTC)\n"),
            "{enabled:?}"
        );
        assert_eq!(config(), format!("{OWN}{RULE}"));
        assert!(fs::read_to_string(DROP_IN).unwrap().contains("\nLoginGraceTime 300\n"));
        let login = host.sshd.login("bob").run();
        assert!(login.prompts.iter().any(|prompt| prompt.contains("authenticator app")), "{login:#?}");
        wait_until("the end of the change", || journal().is_empty());
        assert_eq!(configuration(), before, "nobody confirmed it");
        wait_until("the lock", || host.ssh(&["plan"]).code == Some(0));

        // Kept and not edited, it goes with the rest; edited, it stays as it is.
        for edit in [None, Some("# Edited.\n")] {
            assert_eq!(enable(&[]).code, Some(0));
            host.ssh_done(&["confirm"]);
            let edited = edit.map(|edit| config() + edit);
            if let Some(text) = &edited {
                host.world.write(CONFIG, text);
            }
            let again = enable(&[]);
            assert!(again.code == Some(0) && again.stderr.starts_with("nothing to do"), "{again:?}");
            host.ssh_done(&["disable"]);
            assert_eq!(config(), edited.unwrap_or_else(|| OWN.to_owned()));
        }
        // The rule is there already, so the file is left alone.
        let text = config();
        let plan = host.ssh_done(&[&["plan"], &LAST_DAY[..]].concat());
        assert!(!plan.stdout.contains(&format!("--- {CONFIG}")), "{plan:?}");
        assert_eq!(enable(&["--keep"]).code, Some(0));
        assert_eq!(config(), text);
        host.world.write(CONFIG, OWN);
        let again = enable(&[]);
        assert!(
            again.code == Some(1) && again.stderr.contains("no rule lets users enrol until 2199-01-31"),
            "{again:?}"
        );
    });
}

#[test]
fn a_rule_that_would_have_no_effect_is_refused_and_nothing_is_changed() {
    with_host(Family::Debian, |host| {
        let sshd_waits = "LoginGraceTime 600\n";
        host.world.write("/etc/ssh/sshd_config.d/10-ours.conf", sshd_waits);
        for (config, day, told) in [
            ("", "2026-01-31", "would have no effect: its last day has passed"),
            (
                "[[rule]]\nname = \"all\"\nsecond_factor = \"required\"\n",
                "2199-01-31",
                "an earlier rule (all) matches every login",
            ),
            (
                "rule = [{ users = [\"git\"], second_factor = \"skip\" }]\n",
                "2199-01-31",
                "cannot add the rule of --enroll-until to",
            ),
        ] {
            host.world.write(CONFIG, config);
            let before = configuration();
            for verb in ["plan", "enable"] {
                let refused = host.ssh(&[verb, "--enroll-until", day]);
                assert!(refused.code == Some(1) && refused.stderr.contains(told), "{told}: {refused:?}");
                assert!(refused.stderr.contains("\nhint: "), "{refused:?}");
            }
            assert_eq!(configuration(), before, "{told}");
        }
        for words in [&["enable", "--enroll-until", "soon"][..], &["enable", "--enroll-until", "2199-01-31T00:00:00Z"]]
        {
            assert_eq!(host.ssh(words).code, Some(2), "{words:?}");
        }
        host.world.write("/etc/twinlock/other.toml", "");
        let other = host.ssh(&["plan", "--enroll-until", "2199-01-31", "--config", "/etc/twinlock/other.toml"]);
        assert!(other.code == Some(2) && other.stderr.contains("--config names another one"), "{other:?}");
        // An sshd that waits long enough is left as it is.
        host.world.write(CONFIG, "");
        assert!(!host.ssh_done(&["plan", "--enroll-until", "2199-01-31"]).stdout.contains("+LoginGraceTime"));
    });
}
