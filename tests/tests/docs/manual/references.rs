//! docs/log.md and docs/json.md: every key, word and field that the programs write, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use twinlock_tests::{Attempt, Authenticator, World, in_world, is_root_in_earnest};

use crate::manual::sources::reasons;

/// One line of a list: the words that it explains, and all words in code type behind them.
#[derive(Debug)]
struct Item {
    words: Vec<String>,
    others: Vec<String>,
    text: String,
}

impl Item {
    fn new(line: &str) -> Self {
        let mut words = Vec::new();
        let mut rest = line;
        while let Some((word, behind)) = rest.strip_prefix('`').and_then(|begun| begun.split_once('`')) {
            words.push(word.to_owned());
            let Some(next) = behind.strip_prefix(", ") else {
                rest = behind;
                break;
            };
            rest = next;
        }
        let others = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Self { words, others, text: rest.to_owned() }
    }
}

/// The list under each heading of a page.
fn lists(world: &World, page: &str) -> BTreeMap<String, Vec<Item>> {
    let page = fs::read_to_string(world.repository().join("docs").join(page)).unwrap();
    let sections = page.split("\n#").skip(1).map(|section| section.trim_start_matches('#').trim_start());
    let one = |section: &str| {
        let (heading, text) = section.split_once('\n').unwrap();
        let items = text.lines().filter_map(|line| line.strip_prefix("- ")).filter(|line| line.starts_with('`'));
        (heading.trim_matches('`').to_owned(), items.map(Item::new).collect())
    };
    sections.map(one).collect()
}

fn words(items: &[Item]) -> Vec<&str> {
    items.iter().flat_map(|item| &item.words).map(String::as_str).collect()
}

fn source(world: &World, path: &str) -> String {
    fs::read_to_string(world.repository().join(path)).unwrap()
}

/// The source files of a folder without their tests.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            all += text.split("#[cfg(test)]\nmod tests").next().unwrap();
        }
    }
    all
}

#[test]
fn the_keys_of_an_attempt_are_those_that_are_written_in_their_order() {
    in_world(|world| {
        let recorded = source(world, "crates/service/tests/bytes/log.txt");
        // The line that has all keys; a detail is the last of them.
        let line = recorded.lines().next().unwrap().split('"').next().unwrap();
        let keys = line.split(' ').map(|word| word.split_inclusive('=').next().unwrap());
        let lists = lists(world, "log.md");
        assert_eq!(words(&lists["Attempts"]), keys.collect::<Vec<_>>());
    });
}

#[test]
fn every_reason_is_in_the_reference_of_the_log_and_no_other() {
    in_world(|world| {
        assert_eq!(words(&lists(world, "log.md")["Reasons"]), reasons(world));
    });
}

#[test]
fn every_change_that_is_logged_is_in_the_reference_and_no_other() {
    in_world(|world| {
        let recorded = source(world, "crates/service/tests/bytes/log.txt");
        let of_owners = recorded.lines().filter_map(|line| line.strip_prefix("change=")?.split(' ').next());
        // What root's command does besides.
        let command = sources(&world.repository().join("enroll_cli/src"));
        let calls = command.split(".changed").skip(1).map(|call| call.split(";\n").next().unwrap());
        let of_root = calls.flat_map(|call| call.split('"').skip(1).step_by(2));
        let written: BTreeSet<&str> = of_owners.chain(of_root).collect();
        assert!(written.len() >= 16 && written.contains("import-replaced"), "{written:?}");
        let lists = lists(world, "log.md");
        assert_eq!(words(&lists["Changes"]).into_iter().collect::<BTreeSet<_>>(), written);
        // The keys, which are those of the longest line and those that root's command adds.
        let longest = recorded.lines().find(|line| line.starts_with("change=") && line.contains("rhost=")).unwrap();
        let keys =
            longest.split(' ').skip(2).map(|word| word.split('=').next().unwrap()).chain(["by-loginuid", "until"]);
        let page = source(world, "docs/log.md");
        let section = page.split("## Changes").nth(1).unwrap().split("## ").next().unwrap();
        for key in keys {
            assert!(section.contains(&format!("`{key}=`")), "{key}");
        }
    });
}

#[test]
fn every_other_line_of_the_log_is_in_the_reference() {
    in_world(|world| {
        let folders = ["crates/service/src", "broker/src"].map(|folder| sources(&world.repository().join(folder)));
        let text = folders.concat();
        let key = |text: &str| {
            let (key, _) = text.split_once('=')?;
            (key.len() > 3 && key.chars().all(|c| c.is_ascii_lowercase() || c == '-')).then(|| format!("{key}="))
        };
        let written: BTreeSet<String> = text.split('"').filter_map(key).collect();
        let trial = sources(&world.repository().join("crates/hostcheck/src/trial"));
        let lists = lists(world, "log.md");
        let mut told: BTreeSet<String> = words(&lists["Other lines"]).into_iter().map(str::to_owned).collect();
        for verb in ["ssh", "sudo", "su"] {
            assert!(trial.contains(&format!("=> \"{verb}\",")) && told.remove(&format!("{verb}:")), "{verb}");
        }
        // A change has a section of its own.
        told.insert("change=".into());
        assert_eq!(told, written);
    });
}

/// What a command prints as JSON.
fn json(world: &World, words: &[&str]) -> Value {
    let output = world.twinlock(&[words, &["--json"]].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{words:?}: {error}: {output:?}"))
}

/// The objects of an array, or one object.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    let one = value.as_object().into_iter();
    let all: Vec<_> = one.chain(value.as_array().into_iter().flatten().filter_map(Value::as_object)).collect();
    assert!(!all.is_empty(), "{value} has no fields");
    all
}

fn fields(value: &Value) -> BTreeSet<&str> {
    objects(value).into_iter().flat_map(|object| object.keys()).map(String::as_str).collect()
}

fn values<'v>(value: &'v Value, field: &str) -> Vec<&'v Value> {
    objects(value).into_iter().filter_map(|object| object.get(field)).collect()
}

#[test]
fn every_field_of_the_json_is_in_its_reference_and_no_other() {
    if !is_root_in_earnest("another user") {
        return;
    }
    in_world(|world| {
        let sshd = "auth required pam_twinlock.so\naccount required pam_twinlock.so\n";
        world.set_up("[[rule]]\nname = \"day\"\nsecond_factor = \"required\"\nremember = \"10h\"\n");
        world.broker_service();
        world.service("sshd", sshd);
        let alice = world.account("alice");
        let _broker = world.broker();
        let enrolled = json(world, &["enroll", "alice", "--no-confirm"]);
        let app = Authenticator::from_uri(enrolled["uri"].as_str().unwrap());
        // One login that is remembered, and one in a program of hers, which names an address.
        let key = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
        let login = Attempt::new("sshd").user("alice").rhost("192.0.2.7").pam_environment("SSH_AUTH_INFO_0", key);
        login.answer(app.code_at(app.now_step())).run(world);
        let lock = Attempt::new("lock").user("alice").rhost("192.0.2.8").as_account(&alice);
        world.service("lock", sshd);
        lock.answer(app.code_at(app.now_step() + 1)).run(world);
        world.write_secret("/root/old", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" TOTP_AUTH\n12345678\n");
        world.account("bob");
        world.write("/etc/twinlock/over.toml", "[[rule]]\nuntil = 2020-01-31\nsecond_factor = \"skip\"\n");
        let import = ["import", "google-authenticator", "--user", "bob", "/root/old"];

        let issued = json(world, &["recovery", "issue", "alice"]);
        let status = json(world, &["status", "alice"]);
        let report = json(world, &["report"]);
        let printed = [
            ("status", status.clone()),
            ("Authenticators", status["authenticators"].clone()),
            ("Throttle", status["throttle"].clone()),
            ("list", json(world, &["list"])),
            ("device list", json(world, &["device", "list", "alice"])),
            ("enroll", enrolled),
            ("recovery issue", issued),
            ("recovery new", json(world, &["recovery", "new", "alice", "--no-confirm"])),
            ("recovery count", json(world, &["recovery", "count", "alice"])),
            ("import", json(world, &import)),
            ("doctor", json(world, &["doctor"])),
            ("check", json(world, &["check", "--config-only", "/etc/twinlock/over.toml"])),
            ("report", report.clone()),
            ("Accounts of the report", report["accounts"].clone()),
            ("ssh status", json(world, &["ssh", "status"])),
            ("explain", json(world, &["explain", "alice", "--from", "192.0.2.7"])),
        ];
        let lists = lists(world, "json.md");
        assert_eq!(
            lists.keys().map(String::as_str).collect::<BTreeSet<_>>(),
            printed.iter().map(|(heading, _)| *heading).collect()
        );
        for (heading, value) in &printed {
            // Its section has no list, and refers to another one.
            let items = if *heading == "device list" { &lists["Authenticators"] } else { &lists[*heading] };
            assert_eq!(words(items).into_iter().collect::<BTreeSet<_>>(), fields(value), "{heading}");
            for item in items {
                let found: Vec<_> = item.words.iter().flat_map(|word| values(value, word)).collect();
                match item.text.split_once(": `") {
                    // What it is made of.
                    Some(_) => {
                        let made_of = found.iter().flat_map(|value| fields(value)).collect::<BTreeSet<_>>();
                        let told = item.others.iter().map(String::as_str).collect();
                        assert_eq!(made_of, told, "{heading}: {:?}", item.words);
                    }
                    // What it can be.
                    None if item.text.starts_with(" `") => {
                        for value in found {
                            assert!(item.others.iter().any(|word| *value == **word), "{heading}: {value}: {item:?}");
                        }
                    }
                    None => {}
                }
            }
        }
    });
}
