//! `twinlock check`: what `sshd -t` is to sshd.

use std::fs;

use serde_json::Value;
use twinlock_tests::{CONFIG, STORE, Snapshot, World, credentials_of, state_of};

use crate::cli::alice::{with_account, with_alice};

/// It names all of this, changes nothing, and exits by the gravest: in words and as JSON, and differently with --strict.
fn finds(world: &World, (errors, warnings): (usize, usize), told: &[&str]) {
    let store = Snapshot::of(STORE);
    let (code, strict) = if errors > 0 { (1, 1) } else { (0, 3) };
    let output = world.twinlock(&["check"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(code), ""), "{output:?}");
    let lines = |start: &str| output.stderr.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!([lines("error: "), lines("warning: ")], [errors, warnings], "{output:?}");
    assert_eq!(lines("hint: "), errors + warnings, "{output:?}");
    assert!(told.iter().all(|text| output.stderr.contains(text)), "{told:?} in {}", output.stderr);
    let output = world.twinlock(&["check", "--strict", "--json"]);
    let found: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    let grades = |grade: &str| found.iter().filter(|found| found["grade"] == grade).count();
    assert_eq!((output.code, grades("error"), grades("warning")), (Some(strict), errors, warnings), "{output:?}");
    let count = |number, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let summary = match (errors, warnings) {
        (_, 0) => count(errors, "error"),
        (0, _) => count(warnings, "warning"),
        (_, _) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    assert!(output.stderr.ends_with(&format!("twinlock: found {summary}\n")), "{output:?}");
    assert_eq!(Snapshot::of(STORE), store);
}

#[test]
fn a_sound_host_is_fine() {
    with_alice(|world, _| {
        let fine = "no problems found in /etc/twinlock/config.toml and /var/lib/twinlock (1 enrolled user)\n";
        assert_eq!(world.twinlock(&["check"]).parts(), (Some(0), fine, ""));
    });
}

#[test]
fn a_host_without_users_is_fine() {
    with_account(|world, _| assert_eq!(world.twinlock(&["check"]).code, Some(0)));
}

#[test]
fn the_shipped_configuration_is_fine() {
    with_alice(|world, _| {
        world.write(CONFIG, world.shipped("config.toml"));
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn another_configuration_can_be_tried_before_it_is_put_in_force() {
    with_alice(|world, _| {
        world.write("/etc/twinlock/new.toml", "second_factor = \"none\"\n");
        let output = world.twinlock(&["check", "--config", "/etc/twinlock/new.toml"]);
        assert!(
            output.code == Some(1) && output.stderr.starts_with("twinlock: /etc/twinlock/new.toml:1:17: "),
            "{output:?}"
        );
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn credentials_of_an_account_that_is_gone_are_found() {
    with_alice(|world, _| {
        world.remove_account("alice");
        finds(world, (0, 1), &["credentials/alice.toml: there is no account named alice", "`twinlock remove alice`"]);
    });
}

#[test]
fn a_renamed_account_is_an_error_because_it_is_refused() {
    with_account(|world, _| {
        world.enrol("alice");
        world.remove_account("alice");
        world.account_with_uid("alina", 1001);
        finds(
            world,
            (1, 0),
            &["error: credentials/alice.toml: there is no account named alice", "`twinlock adopt alice NEW`"],
        );
    });
}

/// What `validate` of configuration management runs: a host on which somebody has left takes a new configuration.
#[test]
fn the_configuration_alone_can_be_checked() {
    with_alice(|world, _| {
        world.write_secret(state_of("alice"), "torn");
        world.service("cron", "account required pam_twinlock.so\n");
        let new = "/etc/twinlock/new.toml";
        let only = |words: &[&str]| world.twinlock(&[&["check", "--config-only", new], words].concat());
        world.write(new, "second_factor = \"skip\"\n");
        assert_eq!(only(&[]).parts(), (Some(0), "no problems found in /etc/twinlock/new.toml\n", ""));
        let rule = |line: &str| world.write(new, format!("[[rule]]\nsecond_factor = \"enroll\"\n{line}\n"));
        rule("until = 2020-01-31");
        let output = only(&[]);
        let end = "hint: remove the rule, or give it a later `until`\nfound 1 warning\n";
        assert!(output.code == Some(0) && output.stderr.ends_with(end), "{output:?}");
        assert_eq!(only(&["--strict"]).code, Some(3));
        rule("users = []");
        assert!(only(&[]).code == Some(1) && only(&[]).stderr.starts_with("error: /etc/twinlock/new.toml:1: "));
        rule("until = \"soon\"");
        assert!(only(&[]).code == Some(1) && only(&[]).stderr.starts_with("twinlock: /etc/twinlock/new.toml:3:9: "));
    });
}

#[test]
fn groups_of_the_help_desk_that_the_host_lacks_are_a_warning() {
    with_alice(|world, _| {
        let help_desk = |group: &str, protected: &str| {
            let groups = format!("[helpdesk]\ngroup = \"{group}\"\nprotected_groups = [\"{protected}\"]\n");
            world.write(CONFIG, groups);
        };
        help_desk("shadow", "root");
        assert_eq!(world.twinlock(&["check", "--strict"]).code, Some(0));
        help_desk("nosuch", "root");
        finds(world, (0, 1), &["no group named nosuch, which `[helpdesk]` names, so the help desk can help nobody"]);
        help_desk("shadow", "neither");
        finds(world, (0, 1), &["no group named neither, which `[helpdesk]` names"]);
    });
}

#[test]
fn mails_without_a_program_that_sends_them_are_a_warning() {
    with_alice(|world, _| {
        world.write(CONFIG, "[notify]\nmail = true\nsendmail = \"/etc/sendmail\"\n");
        finds(world, (0, 1), &["`mail = true`, and /etc/sendmail cannot be run, so no mail is sent: ENOENT"]);
        world.write("/etc/sendmail", "#!/bin/sh\n");
        finds(world, (0, 1), &["/etc/sendmail cannot be run"]);
        world.write_script("/etc/sendmail", "#!/bin/sh\n");
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
        world.write(CONFIG, "[notify]\nsendmail = \"/etc/nosuch\"\n");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "no mail is wanted");
    });
}

#[test]
fn a_catalogue_that_is_missing_damaged_or_incomplete_is_a_warning() {
    with_alice(|world, _| {
        world.write(CONFIG, "language = \"/etc/own.toml\"\n");
        finds(world, (0, 1), &["the texts of `language = \"/etc/own.toml\"` cannot be read, so they are in English"]);
        world.write("/etc/own.toml", "code-prompt = \"Code:");
        finds(world, (0, 1), &["cannot be read, so they are in English: /etc/own.toml:1:"]);
        let german = world.shipped("locale/de.toml");
        world.write("/etc/own.toml", &german);
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "complete");
        world.write("/etc/own.toml", german.replace("{time}", "{zeit}").replace("code-used = ", "code-use = "));
        finds(
            world,
            (0, 1),
            &["code-use (unknown)", "code-used (missing)", "app-code-mismatch (other values in braces"],
        );
    });
}

#[test]
fn a_file_whose_name_nobody_can_have_is_found() {
    with_alice(|world, _| {
        world.write_secret(format!("{STORE}/credentials/a b.toml"), "");
        finds(world, (1, 0), &["credentials/a b.toml: the name of the file is not"]);
    });
}

#[test]
fn a_torn_state_is_found() {
    with_alice(|world, _| {
        world.write_secret(state_of("alice"), vec![0; 8192]);
        finds(world, (1, 0), &["state/alice: it is damaged"]);
    });
}

#[test]
fn credentials_of_another_uid_are_found() {
    with_account(|world, _| {
        world.enrol("alice");
        world.account_with_uid("alice", 4711);
        finds(world, (1, 0), &["it was made for uid 1001, but the account has uid 4711"]);
    });
}

#[test]
fn all_problems_are_told_at_once() {
    with_alice(|world, _| {
        world.account("bob");
        world.deploy("bob");
        world.write_secret(credentials_of("bob"), "torn");
        world.write_secret(state_of("alice"), "torn");
        finds(world, (2, 0), &["credentials/bob.toml: ", "state/alice: "]);
    });
}

#[test]
fn a_missing_store_is_found() {
    with_alice(|world, _| {
        fs::remove_dir_all(STORE).unwrap();
        let output = world.twinlock(&["check"]);
        assert!(
            output.code == Some(1) && output.stderr.contains("cannot open /var/lib/twinlock: it does not exist"),
            "{output:?}"
        );
    });
}

const ENROLLS: &str = "[[rule]]\nname = \"roll-out\"\nsecond_factor = \"enroll\"\n";

#[test]
fn every_flaw_of_the_rules_is_found_with_its_line() {
    with_alice(|world, _| {
        world.write(
            CONFIG,
            "[[rule]]\nname = \"old\"\nuntil = 2020-01-31\nsecond_factor = \"skip\"\n\n[[rule]]\nusers = [\"zoe\"]\n\
             groups = [\"nosuch\"]\nsecond_factor = \"skip\"\n",
        );
        let told = [
            "warning: /etc/twinlock/config.toml:1: rule (old): its last day has passed",
            "warning: /etc/twinlock/config.toml:6: rule (without a name): there is no group named nosuch",
            "warning: /etc/twinlock/config.toml:6: rule (without a name): there is no account named zoe",
        ];
        finds(world, (0, 3), &told);
    });
}

#[test]
fn a_guard_is_found_in_every_service_that_may_run_it_alone() {
    with_alice(|world, _| {
        for service in
            ["atd", "cron", "crond", "polkit-1", "runuser", "runuser-l", "su", "su-l", "sudo", "sudo-i", "systemd-user"]
        {
            world.service(
                service,
                "auth required pam_permit.so\nACCOUNT\t[success=ok default=die] \\\n  pam_twinlock.so\n",
            );
            finds(
                world,
                (1, 0),
                &[&format!("error: /etc/pam.d/{service}:2: "), &format!(" also applies to {service}, which can ")],
            );
            world.service(service, "auth required pam_twinlock.so\naccount required pam_unix.so\n");
            assert_eq!(world.twinlock(&["check"]).code, Some(0), "{service}");
        }
    });
}

#[test]
fn a_guard_that_several_services_include_is_one_problem() {
    with_alice(|world, _| {
        world.service("common-account", "account required pam_twinlock.so\n");
        world.service("cron", "@include common-account\n");
        world.service("su", "account include common-account\n");
        world.service("sudo", "auth include common-account\n");
        world.service("sshd", "auth required pam_twinlock.so\n@include common-account\n");
        let place = "error: /etc/pam.d/common-account:1: the account line of pam_twinlock.so also applies to cron, ";
        let output = world.twinlock(&["check"]);
        // More than these may include it: services of the host's own in /usr/lib/pam.d.
        assert!(output.stderr.starts_with(place) && output.stderr.ends_with("twinlock: found 1 error\n"), "{output:?}");
        let services = output.stderr.split(" also applies to ").nth(1).unwrap().split(", which").next().unwrap();
        let services: Vec<_> = services.split(", ").collect();
        assert!(services.contains(&"su") && !services.contains(&"sudo") && !services.contains(&"sshd"), "{services:?}");
    });
}

#[test]
fn the_guard_of_sshd_and_of_login_is_none() {
    with_alice(|world, _| {
        for service in ["sshd", "login", "gdm-password"] {
            world.service(service, "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        }
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn enrolling_inside_a_login_wants_the_account_line_of_sshd() {
    with_alice(|world, _| {
        world.write(CONFIG, ENROLLS);
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "sshd has no file");
        world.service("sshd", "auth required pam_unix.so\naccount required pam_unix.so\n");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "not switched on yet");
        world.service("sshd", "auth required pam_twinlock.so\naccount required pam_unix.so\n");
        let told = "/etc/pam.d/sshd has no account line of pam_twinlock.so, so no enrolment during a login is stored";
        finds(world, (1, 0), &[told, "hint: add `account required pam_twinlock.so`"]);
        world.write(CONFIG, ENROLLS.replace("[[rule]]", "[[rule]]\nservices = [\"login\"]"));
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "another service");
        world.write(CONFIG, ENROLLS);
        world.service("sshd", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "as shipped");
    });
}

#[test]
fn a_strict_rule_on_keys_that_also_holds_without_one_is_found() {
    with_alice(|world, _| {
        let config = "second_factor = \"skip\"\n[[rule]]\nname = \"soft keys\"\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"required\"\n";
        world.write(CONFIG, config);
        let told = "/etc/twinlock/config.toml:2: rule (soft keys): it is stricter than what follows it, so its second_factor = \"required\" also applies to logins for which sshd reports no key";
        finds(world, (1, 0), &[told, "hint: first add a rule for the key_types that are exempt"]);
        world.write(CONFIG, config.replace("skip", "required").replace("ssh-rsa", "sk-ssh-ed25519@openssh.com"));
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "nothing that follows is more lenient");
    });
}

#[test]
fn networks_that_are_not_compared_with_the_source_of_a_service_are_found() {
    with_alice(|world, _| {
        let rule = |services: &str| {
            let rule = "from = [\"192.0.2.0/24\"]\nsecond_factor = \"skip\"\n";
            world.write(CONFIG, format!("[[rule]]\nname = \"inside\"\n{services}\n{rule}"));
        };
        rule("");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "no other service has the module");
        world.service("vsftpd", "auth required pam_unix.so\naccount required pam_twinlock.so\n");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "it asks nobody");
        world.service("vsftpd", "auth required pam_unix.so\nauth required pam_twinlock.so\n");
        let told = "/etc/twinlock/config.toml:1: rule (inside): it lists networks and does not name the service vsftpd";
        finds(world, (1, 0), &[told, "hint: add \"vsftpd\" to `services` of the rule if vsftpd gives PAM addresses"]);
        for services in ["services = [\"sshd\"]", "services = [\"sshd\", \"vsftpd\"]", "services = [\"!vsftpd\"]"] {
            rule(services);
            assert_eq!(world.twinlock(&["check"]).code, Some(0), "{services}");
        }
    });
}
