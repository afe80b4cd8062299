//! Accounts that can log in today and would be denied: named before anything changes, and left alone unless the
//! administrator says otherwise.

use std::fs;
use std::os::unix::fs::symlink;

use twinlock_tests::{CONFIG, Family, Output};

use crate::ssh_enable::stock_host::{Host, configuration, journal, with_host};

/// Adds accounts with a key and no password, as most hosts have them.
fn with_keys(host: &Host<'_>, names: &[String]) {
    for name in names {
        let account = host.world.account(name);
        host.world.write(account.home.join(".ssh/authorized_keys"), host.sshd.public_key("ed25519"));
    }
    lock_passwords(host, names);
}

fn lock_passwords(host: &Host<'_>, names: &[String]) {
    change_shadow(host, names, |line| line.replacen(":$6$", ":!$6$", 1));
}

fn change_shadow(host: &Host<'_>, names: &[String], change: impl Fn(&str) -> String) {
    let shadow = fs::read_to_string("/etc/shadow").unwrap();
    let is_named = |line: &str| names.iter().any(|name| line.starts_with(&format!("{name}:")));
    let lines = shadow.lines().map(|line| if is_named(line) { change(line) } else { line.to_owned() });
    host.world.write_secret("/etc/shadow", lines.collect::<Vec<_>>().join("\n") + "\n");
}

fn users(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("user{number:02}")).collect()
}

/// The accounts that `plan` names, as it counts and names them.
fn denied(host: &Host<'_>) -> Option<String> {
    let planned = host.ssh_done(&["plan"]);
    let problem = planned.stderr.lines().find(|line| line.contains("will be denied"))?;
    Some(problem.strip_prefix("problem: ").unwrap_or_else(|| panic!("{problem}")).to_owned())
}

const MANY: &str =
    "26 accounts can log in today and will be denied: user01, user02, user03, user04, user05 and 21 more";

#[test]
fn plan_and_enable_name_the_accounts_that_would_be_denied_and_enable_wants_to_be_told() {
    with_host(Family::Debian, |host| {
        with_keys(host, &users(26));
        let before = configuration();
        assert_eq!(denied(host).as_deref(), Some(MANY));

        let refused = host.ssh(&["enable"]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let [problem, hint] = refused.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{refused:?}") };
        assert_eq!(problem, format!("twinlock: {MANY}"));
        assert!(hint.contains("at their next login, with --enroll-until DATE"), "{hint}");
        assert!(hint.ends_with("to enable Twinlock all the same, add --deny-unenrolled"), "{hint}");
        assert_eq!((configuration(), journal()), (before, vec![]));

        let enabled = host.ssh_done(&["enable", "--deny-unenrolled"]);
        assert!(enabled.stderr.starts_with(&format!("warning: {MANY}\n")), "{enabled:?}");
        let confirmed = host.ssh_done(&["confirm"]);
        let warning = "warning: 26 accounts are not enrolled and will be denied: user01, ";
        assert!(confirmed.stderr.starts_with("confirmed: the new configuration stays\n"), "{confirmed:?}");
        assert!(confirmed.stderr.contains(warning), "{confirmed:?}");
    });
}

#[test]
fn another_flag_does_not_deny_accounts_that_are_not_enrolled() {
    with_host(Family::Debian, |host| {
        with_keys(host, &users(1));
        for flag in ["--despite-lockouts", "--without-break-glass", "--without-enrolled-admin", "--keep"] {
            let refused = host.ssh(&["enable", flag]);
            assert_eq!(refused.code, Some(1), "{flag}: {refused:?}");
            assert!(refused.stderr.contains("1 account can log in today and will be denied: user01\n"), "{refused:?}");
        }
    });
}

#[test]
fn a_rule_for_a_roll_out_denies_nobody_until_its_last_day() {
    with_host(Family::Debian, |host| {
        with_keys(host, &users(2));
        let rule = |until: &str| format!("[[rule]]\nsecond_factor = \"enroll\"\nuntil = {until}\n");
        host.world.write(CONFIG, rule("2020-01-31"));
        let both = "2 accounts can log in today and will be denied: user01, user02";
        assert_eq!(denied(host).as_deref(), Some(both));
        host.world.write(CONFIG, rule("2199-01-31"));
        assert_eq!(denied(host), None);
        host.ssh_done(&["enable"]);
        let confirmed = host.ssh_done(&["confirm"]);
        assert!(!confirmed.stderr.contains("denied"), "{confirmed:?}");
    });
}

#[test]
fn confirm_stands_and_says_so_if_the_configuration_is_broken() {
    with_host(Family::Debian, |host| {
        host.ssh_done(&["enable"]);
        host.world.write(CONFIG, "nonsense\n");
        let confirmed = host.ssh_done(&["confirm"]);
        assert!(
            confirmed
                .stderr
                .starts_with("confirmed: the new configuration stays\nwarning: cannot determine which accounts"),
            "{confirmed:?}"
        );
    });
}

#[test]
fn accounts_that_cannot_log_in_today_are_not_counted() {
    with_host(Family::Debian, |host| {
        let names = users(1);
        host.world.account("user01");
        let one = Some("1 account can log in today and will be denied: user01");
        assert_eq!(denied(host).as_deref(), one, "by its password");

        lock_passwords(host, &names);
        assert_eq!(denied(host), None, "no password and no key");

        let keys = "/home/user01/.ssh/authorized_keys";
        host.world.write(keys, "# none yet\n\n");
        assert_eq!(denied(host), None, "an empty list of keys");
        host.world.write(keys, host.sshd.public_key("ed25519"));
        assert_eq!(denied(host).as_deref(), one, "by its key");
        fs::rename(keys, "/home/user01/keys").unwrap();
        symlink("/home/user01/keys", keys).unwrap();
        assert_eq!(denied(host).as_deref(), one, "by a key behind a link");

        host.world.write("/etc/ssh/sshd_config.d/30-deny.conf", "DenyUsers user01\n");
        assert_eq!(denied(host), None, "sshd denies it");
        fs::remove_file("/etc/ssh/sshd_config.d/30-deny.conf").unwrap();

        change_shadow(host, &names, |line| line.replace("99999:7:::", "99999:7::20000:"));
        assert_eq!(denied(host), None, "it has expired");
        change_shadow(host, &names, |line| line.replace("20000:", "99999:"));
        assert_eq!(denied(host).as_deref(), one, "it has not expired yet");
    });
}

#[test]
fn keys_that_sshd_finds_elsewhere_count() {
    for lines in [
        "AuthorizedKeysFile /etc/ssh/keys/%u\n",
        "Match User user01\n AuthorizedKeysFile /etc/ssh/keys/%u\n",
        "AuthorizedKeysCommand /usr/bin/true\nAuthorizedKeysCommandUser nobody\n",
        "Match User user01\n TrustedUserCAKeys /etc/ssh/authority.pub\n",
    ] {
        with_host(Family::Debian, |host| {
            host.world.account("user01");
            lock_passwords(host, &users(1));
            assert_eq!(denied(host), None, "{lines}");
            host.world.write("/etc/ssh/keys/user01", host.sshd.public_key("ed25519"));
            host.world.write("/etc/ssh/sshd_config.d/60-keys.conf", lines);
            let found = denied(host);
            assert!(found.as_ref().is_some_and(|found| found.contains("user01")), "{lines}: {found:?}");
        });
    }
}

#[test]
fn root_counts_only_if_sshd_lets_it_in_today() {
    with_host(Family::Debian, |host| {
        let root = Some("1 account can log in today and will be denied: root");
        assert_eq!(denied(host), None, "sshd refuses its password, and it has no key");
        host.world.write("/root/.ssh/authorized_keys", host.sshd.public_key("ed25519"));
        assert_eq!(denied(host).as_deref(), root, "by its key");
        let closed = "no-X11-forwarding,command=\"echo 'Please login as the user \\\"admin\\\" rather than the user \\\"root\\\".';exit 142\" ";
        host.world.write("/root/.ssh/authorized_keys", closed.to_owned() + &host.sshd.public_key("ed25519"));
        assert_eq!(denied(host), None, "cloud-init has closed it");
        host.world.write("/root/.ssh/authorized_keys", host.sshd.public_key("ed25519"));
        host.world.write("/etc/ssh/sshd_config.d/20-root.conf", "PermitRootLogin no\n");
        assert_eq!(denied(host), None);
        fs::remove_file("/root/.ssh/authorized_keys").unwrap();
        host.world.write("/etc/ssh/sshd_config.d/20-root.conf", "PermitRootLogin yes\n");
        assert_eq!(denied(host).as_deref(), root, "by its password");
    });
}

#[test]
fn the_doctor_is_silent_before_and_calls_it_a_lockout_during_the_trial_and_after_it() {
    with_host(Family::Debian, |host| {
        with_keys(host, &users(1));
        let doctor = || host.world.twinlock(&["doctor"]);
        let found = "LOCKOUT not-enrolled: 1 account is not enrolled and will be denied: user01\n";
        assert!(!doctor().stdout.contains("not-enrolled"));
        host.ssh_done(&["enable", "--deny-unenrolled"]);
        for during in ["the trial", "what is confirmed"] {
            let doctor = doctor();
            assert!(doctor.stdout.contains(found) && doctor.code == Some(1), "{during}: {doctor:?}");
            host.ssh_done(&["confirm"]);
        }
        host.world.enrol("user01");
        assert!(!doctor().stdout.contains("not-enrolled"));
    });
}

#[test]
fn a_password_counts_only_if_sshd_takes_one_today() {
    with_host(Family::Debian, |host| {
        host.world.account("user01");
        assert!(denied(host).is_some());
        host.world.write(
            "/etc/ssh/sshd_config.d/30-keys.conf",
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
        );
        assert_eq!(denied(host), None);
    });
}

#[test]
fn accounts_without_the_first_factor_of_the_plan_are_named_enrolled_or_not() {
    with_host(Family::Debian, |host| {
        let names = users(2);
        let told =
            |output: &Output| output.stderr.lines().find(|line| line.contains("for lack of a")).map(str::to_owned);
        // user01 has a password, user02 a key, alice both.
        host.world.account("user01");
        host.world.enrol("user01");
        with_keys(host, &names[1..]);
        host.world.enrol("user02");
        let plan = |mode| told(&host.ssh_done(&["plan", "--mode", mode])).unwrap();
        let found = "1 account can log in today and will be denied, enrolled or not, for lack of a key: user01";
        assert_eq!(plan("key+code"), format!("problem: {found}"));
        let found = "1 account can log in today and will be denied, enrolled or not, for lack of a password: user02";
        assert_eq!(plan("password+code"), format!("problem: {found}"));

        let enabled = host.ssh_done(&["enable", "--mode", "password+code"]);
        assert_eq!(told(&enabled), Some(format!("warning: {found}")));
        assert!(!host.sshd.login("user02").run().granted);
        host.ssh_done(&["disable"]);
        assert!(host.sshd.login("user02").run().granted);
    });
}
