//! `twinlock report`: what it says of accounts, held to what the module does of their logins.

use std::collections::BTreeMap;

use serde_json::Value;
use twinlock_tests::{Attempt, CONFIG, EXACT, IGNORED, PamCode, VERIFIED_KEY, World};

use crate::cli::alice::with_alice;

const RULES: &str = "fail_delay = \"0s\"\n\
    [[rule]]\nname = \"office\"\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"skip\"\n\
    [[rule]]\nname = \"robots\"\nusers = [\"bob\"]\nuntil = 2099-01-31\nsecond_factor = \"skip\"\n\
    [[rule]]\nname = \"roll-out\"\nusers = [\"carol\"]\nuntil = 2099-01-31\nsecond_factor = \"enroll\"\n";

fn report(world: &World) -> Value {
    world.twinlock(&["report", "--json"]).json()
}

/// The coverage of each account.
fn coverage(report: &Value) -> BTreeMap<&str, &str> {
    let accounts = report["accounts"].as_array().unwrap();
    accounts.iter().map(|row| (row["user"].as_str().unwrap(), row["coverage"].as_str().unwrap())).collect()
}

/// What the module does in a login from there that answers with something that is not a code.
fn done(world: &World, user: &str, from: &str) -> &'static str {
    let login = Attempt::new("sshd").user(user).rhost(from).pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY);
    let login = login.answer("no code").run(world);
    match (login.code(), login.prompts().first()) {
        (IGNORED, None) => "exempt",
        (_, Some(prompt)) if prompt.contains("Set it up now") => "pending",
        (PamCode::AuthErr | PamCode::AuthinfoUnavail, Some(_)) => "covered",
        other => panic!("{other:?}: {login:?}"),
    }
}

#[test]
fn the_report_says_of_each_account_what_the_module_does() {
    with_alice(|world, _| {
        for name in ["bob", "carol"] {
            world.account(name);
        }
        world.write(CONFIG, RULES);
        // Without the module in the PAM file nobody is asked.
        assert!(coverage(&report(world)).values().all(|one| *one == "unprotected"));
        world.service("sshd", EXACT);
        let told = report(world);
        let covered = coverage(&told);
        for user in ["alice", "bob", "carol", "root"] {
            assert_eq!(covered[user], done(world, user, "198.51.100.7"), "{user}");
        }
        let row =
            |user: &str| told["accounts"].as_array().unwrap().iter().find(|row| row["user"] == user).unwrap().clone();
        let rule = &row("bob")["rule"];
        assert_eq!((rule["number"].as_u64(), rule["until"].as_str()), (Some(2), Some("2099-01-31")));
        // The exemption by network is named, and it is one.
        assert_eq!(row("alice")["exemptions"][0]["name"], "office");
        assert_eq!(done(world, "alice", "192.0.2.7"), "exempt");
        assert_eq!(told["totals"]["covered"], covered.values().filter(|one| **one == "covered").count());
        // Another day, another report: the last day of a rule flips it.
        world.write(CONFIG, RULES.replace("2099", "2020"));
        assert_eq!(coverage(&report(world))["bob"], "covered");
        assert_eq!(done(world, "bob", "198.51.100.7"), "covered");
    });
}

#[test]
fn explain_of_all_names_those_whom_the_module_refuses_after_the_last_day() {
    with_alice(|world, _| {
        for name in ["bob", "carol"] {
            world.account(name);
        }
        world.service("sshd", EXACT);
        let refused = |day: &str| {
            world.write(CONFIG, RULES);
            let output = world.twinlock(&["explain", "--all", "--from", "198.51.100.7", "--at", day]);
            let line = output.stdout.lines().find(|line| line.starts_with("refused:")).unwrap().to_owned();
            line.rsplit_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(refused("2099-01-31"), "root");
        assert_eq!(refused("2099-02-01"), "bob, carol, root");
        world.write(CONFIG, RULES.replace("2099", "2020"));
        assert_eq!(done(world, "carol", "198.51.100.7"), "covered");
    });
}

#[test]
fn no_cell_of_the_csv_is_a_formula_and_only_root_reads_it() {
    with_alice(|world, alice| {
        world.enrol_with("alice", &["--add", "--label", "=HYPERLINK(\"http://192.0.2.1\")"]);
        let csv = world.twinlock(&["report", "--csv"]).stdout;
        assert!(csv.lines().count() >= 3 && csv.ends_with("\"\r\n"), "{csv}");
        assert!(csv.contains(",\"phone, =HYPERLINK(\"\"http://192.0.2.1\"\")\","), "{csv}");
        world.twinlock(&["device", "remove", "alice", &alice.enrolled.id]);
        let csv = world.twinlock(&["report", "--csv"]).stdout;
        assert!(csv.contains(",\"'=HYPERLINK(\"\"http://192.0.2.1\"\")\","), "{csv}");
        let as_alice = world.twinlock_launch(&["report"]).account(&alice.account).run();
        assert_eq!((as_alice.code, as_alice.stdout.as_str()), (Some(3), ""), "{as_alice:?}");
    });
}
