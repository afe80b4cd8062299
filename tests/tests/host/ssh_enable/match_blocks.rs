//! The `Match` blocks of exempt logins: made, out of date, and taken back.

use std::fs;

use twinlock_tests::{CONFIG, Family, FirstFactor, Launch};

use crate::ssh_enable::stock_host::{DROP_IN, configuration, with_host};

const RULE: &str =
    "\n[[rule]]\nname = \"deploy\"\nusers = [\"deploy\"]\nfrom = [\"127.0.0.0/8\"]\nsecond_factor = \"skip\"\n";

/// What sshd has in force for a user from this address.
fn in_force(user: &str, address: &str) -> String {
    let connection = format!("user={user},host={address},addr={address}");
    let output = Launch::new(["/usr/sbin/sshd", "-T", "-C", &connection]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

#[test]
fn a_program_that_a_rule_exempts_gets_in_with_its_key_alone_until_disable_restores_every_byte() {
    with_host(Family::Debian, |host| {
        let deploy = host.world.account("deploy");
        host.world.write(deploy.home.join(".ssh/authorized_keys"), host.sshd.public_key("ed25519"));
        let config = fs::read_to_string(CONFIG).unwrap() + RULE;
        host.world.write(CONFIG, &config);
        let before = configuration();
        let plan = host.ssh_done(&["plan"]).stdout;
        assert!(plan.contains("\n+Match User deploy Address 127.0.0.0/8\n"), "{plan}");

        // From elsewhere, the account of the program is denied, and is meant to be.
        host.ssh_done(&["enable", "--keep", "--deny-unenrolled"]);
        let program = || host.sshd.login("deploy").option("BatchMode=yes").run();
        let mark = host.world.log_mark();
        let login = program();
        assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        let log = host.world.entries_since(mark);
        assert!(log.len() == 1 && log[0].text.ends_with("detail=\"not asked, by the rule: deploy\""), "{log:#?}");
        host.asks_for_both(FirstFactor::Key);

        // The block ends where it ends, and is of these users from these networks alone.
        let sound = fs::read_to_string(DROP_IN).unwrap();
        host.world.write(DROP_IN, format!("{sound}LogLevel VERBOSE\n"));
        for (user, address, methods) in [
            ("deploy", "127.0.0.1", "publickey"),
            ("deploy", "203.0.113.1", "publickey,keyboard-interactive"),
            ("alice", "127.0.0.1", "publickey,keyboard-interactive"),
        ] {
            let settings = in_force(user, address);
            assert!(settings.contains(&format!("\nauthenticationmethods {methods}\n")), "{user} {address}: {settings}");
            assert!(settings.contains("\nloglevel VERBOSE\n"), "{user} {address}: {settings}");
        }
        host.world.write(DROP_IN, &sound);

        // Without the rule the block lets nobody in, and it is said that it is out of date.
        let is_stale = || {
            let enable = host.ssh_done(&["enable"]).stderr.contains("the Match blocks");
            let doctor = host.world.twinlock(&["doctor", "--json"]).stdout.contains("\"match-blocks\"");
            assert_eq!(enable, doctor);
            doctor
        };
        assert!(!is_stale());
        host.world.write(CONFIG, config.replace(RULE, ""));
        let denied = program();
        assert!(!denied.granted, "{denied:#?}");
        assert!(denied.server_log.iter().any(|line| line.text.contains("reason=bypass")), "{denied:#?}");
        assert!(is_stale());

        host.world.write(CONFIG, &config);
        host.ssh_done(&["disable"]);
        assert_eq!(configuration(), before);
    });
}

#[test]
fn none_is_made_where_a_block_of_the_administrator_has_methods() {
    with_host(Family::Debian, |host| {
        host.world.account("deploy");
        host.world.write(CONFIG, fs::read_to_string(CONFIG).unwrap() + RULE);
        let own = "/etc/ssh/sshd_config.d/60-own.conf";
        host.world.write(own, "Match User deploy Address 127.0.0.0/8\n    AuthenticationMethods publickey,publickey\n");
        host.ssh_done(&["plan"]);
        let enabled = host.ssh_done(&["enable", "--keep", "--deny-unenrolled"]);
        let said = format!("no Match blocks are made from the rules, because {own}:2 sets AuthenticationMethods");
        assert!(enabled.stderr.contains(&said), "{enabled:?}");
        let settings = in_force("deploy", "127.0.0.1");
        assert!(settings.contains("\nauthenticationmethods publickey,publickey\n"), "{settings}");
        fs::remove_file(own).unwrap();
        let again = host.ssh_done(&["enable"]).stderr;
        assert!(again.contains("the Match blocks that `twinlock ssh enable` made"), "one can be made now: {again}");
    });
}
