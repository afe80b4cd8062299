//! The pages against what they speak of: the shipped configuration, the module, the README.

use std::collections::BTreeSet;
use std::fs;

use twinlock_tests::{Attempt, World, in_world};

use crate::manual::help::{assert_can_be_typed, global_flags, verbs};
use crate::manual::pages::page;

fn source(world: &World, path: &str) -> String {
    fs::read_to_string(world.repository().join(path)).unwrap()
}

/// The reasons of the log.
pub(crate) fn reasons(world: &World) -> Vec<String> {
    let journal = source(world, "crates/core/src/audit.rs");
    let names = journal.split("fn name").nth(1).unwrap().split("\n}").next().unwrap();
    let names: Vec<_> = names.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect();
    assert!(names.len() >= 13 && names.contains(&"wrong-code".to_owned()), "{names:?}");
    names
}

#[test]
fn every_setting_is_in_the_manual_with_its_default() {
    in_world(|world| {
        let page = page(world, "twinlock.toml.5");
        let config = source(world, "config/config.toml");
        let settings: Vec<_> = config
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(" = "))
            .collect();
        assert!(settings.len() >= 10, "{settings:?}");
        for setting in settings {
            let shown = page
                .lines()
                .any(|line| line.trim_end().trim_matches('"') == setting.trim_end_matches('"') || line == setting);
            assert!(shown, "{setting}");
        }
    });
}

#[test]
fn every_argument_that_the_module_knows_is_in_the_manual_and_no_other() {
    in_world(|world| {
        world.service("svc", "auth required pam_twinlock.so nosuch\n");
        Attempt::new("svc").user("root").answer("000000").run(world);
        let line = world.wait_for_log(|line| line.text.contains("the arguments are ")).text;
        let known = line.split("the arguments are ").nth(1).unwrap().split(';').next().unwrap();
        let known: BTreeSet<String> = known.split(", ").map(str::to_owned).collect();
        let page = page(world, "pam_twinlock.8");
        let options = page.split(".SH OPTIONS").nth(1).unwrap().split(".SH").next().unwrap();
        let mut lines = options.lines();
        let mut told = BTreeSet::new();
        while lines.by_ref().any(|line| line == ".TP") {
            told.insert(lines.next().unwrap().to_owned());
        }
        assert_eq!(told, known);
    });
}

#[test]
fn every_reason_and_every_return_code_is_in_the_manual() {
    in_world(|world| {
        let page = page(world, "pam_twinlock.8");
        let terms: Vec<&str> = page.lines().collect();
        for name in reasons(world) {
            assert!(terms.contains(&name.as_str()), "{name}");
        }
        let returns = source(world, "pam_module/src/result.rs");
        // A constant there is what a conversation may return, not what the module does.
        let returned: Vec<_> = returns.lines().filter(|line| !line.trim().starts_with("const ")).collect();
        let returned = returned.join("\n");
        let codes: BTreeSet<&str> = returned
            .split("PamResultCode::")
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap())
            .filter(|code| !code.is_empty())
            .collect();
        assert!(codes.len() >= 10, "{codes:?}");
        for code in codes {
            assert!(terms.contains(&code), "{code}");
        }
    });
}

#[test]
fn the_readme_has_one_hundred_lines_at_most_and_installs_in_five_commands() {
    in_world(|world| {
        let readme = source(world, "README.md");
        assert!(readme.lines().count() <= 100, "{}", readme.lines().count());
        let section = readme.split("## Install\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let commands: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let [build, install, rest @ ..] = &commands[..] else { panic!("{commands:?}") };
        assert_eq!((*build, install.split(" ./").next()), ("make deb", Some("sudo apt install")));
        assert_eq!(
            rest,
            [
                "sudo twinlock enroll alice",
                "sudo twinlock ssh enable --enroll-until 2027-01-31",
                "sudo twinlock ssh confirm"
            ]
        );
        let (verbs, global) = (verbs(world), global_flags(world));
        let quoted = readme.split('`').skip(1).step_by(2).map(|line| line.trim_start_matches("sudo "));
        for line in quoted.filter(|line| line.starts_with("twinlock ") && *line != "twinlock help VERB") {
            assert_can_be_typed(line, &verbs, &global);
        }
    });
}

#[test]
fn the_limits_of_the_broker_are_in_its_page() {
    in_world(|world| {
        let page = page(world, "twinlockd.8");
        let limits = source(world, "broker/src/limits.rs");
        let ports = source(world, "crates/store/src/ports.rs");
        let talk = source(world, "broker/src/dialogue.rs");
        let session = source(world, "broker/src/session.rs");
        let server = source(world, "broker/src/server.rs");
        for (text, definition, told) in [
            (&limits, "MOST: usize = 256;", "256 in all"),
            (&limits, "MOST_OF_ONE: usize = 8;", "8 of one account"),
            (&ports, "Self::NewCodes => Duration::from_mins(2),", "others wait up to 2 minutes"),
            (&talk, "ANSWER: Duration = Duration::from_mins(5);", "5 minutes for each answer"),
            (&talk, "WHOLE: Duration = Duration::from_mins(15);", "15 for all of them"),
            (&session, "FIRST: Duration = Duration::from_secs(10);", "10 seconds for the first message"),
            (&server, "PATIENCE: Duration = Duration::from_secs(10);", "10 seconds for what is being written"),
        ] {
            assert!(text.contains(definition), "{definition} has changed: change the page and this test");
            let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(told), "{told}: {page}");
        }
    });
}

#[test]
fn every_change_that_is_logged_is_in_the_page_of_the_broker() {
    in_world(|world| {
        let names = source(world, "crates/core/src/notice.rs");
        let names = names.split("fn name").nth(1).unwrap().split("\n    }").next().unwrap();
        let mut words: BTreeSet<String> =
            names.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect();
        assert!(words.len() >= 10 && words.contains("device-added"), "{words:?}");
        for file in ["adopt", "forget", "import", "repair"] {
            let text = source(world, &format!("enroll_cli/src/{file}.rs"));
            let calls = text.lines().filter_map(|line| line.split_once("audit_log().changed("));
            let logged: Vec<_> = calls.flat_map(|(_, call)| call.split('"').skip(1).step_by(2)).collect();
            assert!(!logged.is_empty(), "{file}");
            words.extend(logged.into_iter().map(str::to_owned));
        }
        let page = page(world, "twinlockd.8");
        let log = page.split(".SH LOG").nth(1).unwrap().split(".SH").next().unwrap();
        for word in words {
            assert!(log.split([' ', '\n', ',', '.']).any(|known| known == word), "{word}: {log}");
        }
    });
}

/// The lines of a stack that name the module, its spaces made one.
fn ours(stack: &str) -> Vec<String> {
    let lines = stack.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.starts_with('#') && line.contains("pam_twinlock.so")).collect()
}

#[test]
fn the_examples_of_stacks_have_the_lines_of_the_shipped_ones() {
    in_world(|world| {
        let page = page(world, "pam_twinlock.8");
        let examples = page.split(".SH EXAMPLES").nth(1).unwrap();
        let examples: Vec<_> =
            examples.split(".nf\n").skip(1).map(|rest| rest.split("\n.fi").next().unwrap()).collect();
        for (example, shipped) in examples.iter().zip(["sshd.key-and-code", "sudo"]) {
            let shipped = world.shipped(format!("pam.d/debian/{shipped}"));
            assert_eq!(ours(example), ours(&shipped));
            for line in example.lines().filter(|line| !line.contains("pam_twinlock.so")) {
                assert!(shipped.lines().any(|known| known.split_whitespace().eq(line.split_whitespace())), "{line}");
            }
        }
        assert_eq!(examples.len(), 3, "{examples:?}");
    });
}
