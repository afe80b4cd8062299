//! `twinlock announce`: who is told, of which day, by print and by mail.

use std::fs;

use twinlock_tests::{CONFIG, EXACT, World, tool};

use crate::cli::alice::with_alice;

/// alice is enrolled. The users of the roll-out enrol at their next login, root needs a code, dan is exempt.
fn rules(last_day: &str) -> String {
    format!(
        "help = \"Call 4711.\"\n[notify]\nsendmail = \"/etc/sendmail\"\n\
         [[rule]]\nname = \"roll-out\"\nusers = [\"alice\", \"bob\", \"carol\"]\nuntil = {last_day}\nsecond_factor = \"enroll\"\n\
         [[rule]]\nusers = [\"dan\"]\nsecond_factor = \"skip\"\n"
    )
}

/// Prints the mail, and the addresses that it is for, into a file.
const SENDMAIL: &str = "#!/bin/sh\necho \"for: $*\" >>/etc/mails\ncat >>/etc/mails\n";
const NOBODY: &str = "nothing to announce: no user who is not enrolled has a last day, or a reminder, today\n";

fn announced(world: &World, arguments: &[&str]) -> String {
    let output = world.twinlock(&[&["announce"], arguments].concat());
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

fn in_days(days: u32) -> String {
    tool(&["date", "--utc", "--date", &format!("+{days} days"), "+%F"]).stdout.trim().to_owned()
}

#[test]
fn users_who_enrol_by_a_rule_are_told_its_last_day() {
    with_alice(|world, _| {
        for user in ["bob", "carol", "dan"] {
            world.account(user);
        }
        world.service("sshd", EXACT);
        world.write(CONFIG, rules("2099-01-31"));
        let told = announced(world, &[]);
        assert!(told.starts_with("To: bob, carol\n\nFrom 2099-02-01 on, logging in to "), "{told}");
        assert!(told.contains("Until 2099-01-31,") || told.contains("Until\n2099-01-31,"), "{told}");
        assert!(told.ends_with("\nHelp: Call 4711.\n"), "{told}");
        assert!(told.lines().all(|line| line.len() <= 76), "{told}");

        let typed = announced(world, &["--until", "2098-12-31"]);
        assert!(typed.starts_with("To: bob, carol, root\n\nFrom 2099-01-01 on,"), "not only by a rule: {typed}");
        world.deploy("bob");
        assert!(announced(world, &[]).starts_with("To: carol\n"));
        world.write(CONFIG, rules("2020-01-31"));
        assert_eq!(announced(world, &[]), NOBODY);
        world.write(CONFIG, rules("2099-01-31").replace("until = 2099-01-31\n", ""));
        let endless = world.twinlock(&["announce"]);
        let said = "carol can enrol at any time: the rule that decides has no last day";
        assert!(endless.code == Some(1) && endless.stderr.contains(said), "{endless:?}");
    });
}

#[test]
fn mails_go_to_those_users_and_reminders_on_three_days() {
    with_alice(|world, _| {
        world.account("bob");
        world.service("sshd", EXACT);
        world.write_script("/etc/sendmail", SENDMAIL);
        world.write(CONFIG, rules("2099-01-31"));
        let sent = world.twinlock(&["announce", "--mail"]);
        assert_eq!((sent.code, sent.stdout.as_str()), (Some(0), ""), "{sent:?}");
        assert!(sent.stderr.contains("bob: mail sent (last day 2099-01-31)"), "{sent:?}");
        let mails = fs::read_to_string("/etc/mails").unwrap();
        assert_eq!(mails.matches("for: ").count(), 1, "{mails}");
        assert!(mails.contains("To: bob@") && mails.contains("Subject: Set up your second factor for "), "{mails}");
        assert!(mails.contains("From 2099-02-01 on"), "{mails}");

        for (days, reminded) in [(15, false), (14, true), (4, false), (3, true), (2, false), (1, true)] {
            world.write(CONFIG, rules(&in_days(days)));
            assert_eq!(announced(world, &["--remind"]) != NOBODY, reminded, "{days}");
        }
        world.write_script("/etc/sendmail", "#!/bin/sh\nexit 1\n");
        let failed = world.twinlock(&["announce", "--mail"]);
        assert!(failed.code == Some(1) && failed.stderr.contains("bob: mail not sent: "), "{failed:?}");
        assert!(failed.stderr.contains("1 mail was not sent"), "{failed:?}");
    });
}
