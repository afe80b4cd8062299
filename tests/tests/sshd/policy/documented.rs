//! The recipes of docs/policy.md and docs/more-than-one-host.md, unchanged: `twinlock explain` and the module must both do what the page expects.

use std::collections::HashMap;
use std::fs;

use serde_json::Value;
use twinlock_tests::{Attempt, EXACT, Enrolled, IGNORED, Operation, PamCode, World, in_world};

/// A fenced block of `toml`, and the lines of the block `expect` that follows it.
struct Recipe {
    config: String,
    expectations: Vec<String>,
}

fn recipes(world: &World) -> Vec<Recipe> {
    let pages = ["docs/policy.md", "docs/more-than-one-host.md"];
    let text = pages.map(|page| fs::read_to_string(world.repository().join(page)).unwrap()).concat();
    let mut recipes: Vec<Recipe> = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), block) {
            (Some("toml"), None) => recipes.push(Recipe { config: String::new(), expectations: Vec::new() }),
            (Some("expect"), None) => {
                assert!(recipes.last().unwrap().expectations.is_empty(), "two blocks of one recipe");
            }
            (None, Some("toml")) => recipes.last_mut().unwrap().config.extend([line, "\n"]),
            (None, Some("expect")) => recipes.last_mut().unwrap().expectations.push(line.to_owned()),
            _ => {}
        }
        if let Some(kind) = line.strip_prefix("```") {
            block = if block.is_some() { None } else { Some(kind) };
        }
    }
    recipes
}

/// The users of the page; returns those who are enrolled, with their authenticators.
fn people(world: &World) -> HashMap<&'static str, Enrolled> {
    world.set_up("");
    for name in ["alice", "bob", "carol", "dave", "git", "deploy", "firecall"] {
        world.account(name);
    }
    world.group("staff", &["alice", "bob", "carol"]);
    world.group("admins", &["carol"]);
    world.group("contractors", &["dave"]);
    world.group("robots", &["git", "deploy"]);
    ["alice", "carol", "dave"].into_iter().map(|name| (name, world.enrol(name))).collect()
}

/// A key of this type, in the form of `SSH_AUTH_INFO_0`.
fn key(kind: &str) -> String {
    let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    blob.extend(kind.as_bytes());
    blob.extend([0, 0, 0, 32]);
    blob.extend([7; 32]);
    format!("publickey {kind} {}\n", data_encoding::BASE64.encode(&blob))
}

/// The answer of `twinlock explain --json`.
fn explained(world: &World, words: &[&str]) -> Value {
    let output = world.twinlock(&[&["explain", "--json"], words].concat());
    assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

/// The login that these arguments of `explain` describe, through the module.
fn attempt(words: &[&str]) -> Attempt {
    let option = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let mut attempt = Attempt::new(option("--service").unwrap_or("sshd")).user(words[0]);
    if let Some(from) = option("--from") {
        attempt = attempt.rhost(from);
    }
    if let Some(kind) = option("--key-type") {
        attempt = attempt.pam_environment("SSH_AUTH_INFO_0", &key(kind));
    }
    if let Some(day) = option("--at") {
        attempt = attempt.environment("TZ", "UTC").under(["faketime", "-f", &format!("@{day} 12:00:00")]);
    }
    attempt
}

#[test]
fn explain_agrees_with_the_page_on_every_recipe() {
    in_world(|world| {
        people(world);
        let recipes = recipes(world);
        assert!(recipes.len() >= 8, "{}", recipes.len());
        for Recipe { config, expectations } in recipes {
            world.write("/etc/twinlock/config.toml", &config);
            let checked = world.twinlock(&["check"]);
            let silent = checked.code == Some(0);
            assert!(silent, "{config}: {checked:?}");
            assert!(expectations.len() >= 2, "{config}");
            for expectation in expectations {
                let mut words: Vec<_> = expectation.split_whitespace().collect();
                let wanted = words.pop().unwrap();
                assert_eq!(explained(world, &words)["outcome"], wanted, "{expectation}");
            }
        }
    });
}

#[test]
fn the_module_agrees_with_the_page_on_every_recipe() {
    in_world(|world| {
        let enrolled = people(world);
        for service in ["sshd", "sudo", "sudo-i", "su", "login", "vsftpd", "cockpit"] {
            world.service(service, EXACT);
        }
        for Recipe { config, expectations } in recipes(world) {
            world.write("/etc/twinlock/config.toml", &config);
            for expectation in expectations {
                let mut words: Vec<_> = expectation.split_whitespace().collect();
                let wanted = words.pop().unwrap();
                let outcome = attempt(&words).answer("not a code").run(world);
                let prompts = outcome.prompts();
                match wanted {
                    "passes" => assert!(outcome.code() == IGNORED && prompts.is_empty(), "{expectation}"),
                    "enrolls" => assert!(prompts[0].contains("enter this key"), "{expectation}: {outcome:?}"),
                    "asked" | "refused" => {
                        assert_eq!(
                            (outcome.code(), prompts),
                            (PamCode::AuthErr, vec!["Verification code: "]),
                            "{expectation}"
                        );
                        assert_eq!(enrolled.contains_key(words[0]), wanted == "asked", "{expectation}");
                    }
                    other => panic!("{other} is no outcome"),
                }
            }
        }
    });
}

#[test]
fn users_who_are_asked_log_in_with_a_code() {
    in_world(|world| {
        let enrolled = people(world);
        world.service("sshd", EXACT);
        for Recipe { config, expectations } in recipes(world) {
            world.write("/etc/twinlock/config.toml", &config);
            let asked = expectations.iter().filter(|line| line.ends_with(" asked") && !line.contains("--at"));
            let by_ssh: Vec<_> = asked.filter(|line| !line.contains("--service")).collect();
            for line in by_ssh {
                let words: Vec<_> = line.split_whitespace().collect();
                let user = enrolled[words[0]].user.clone();
                // Recovery codes are many; codes of the app are three a moment.
                let code = world.twinlock(&["recovery", "new", &user, "--no-confirm"]);
                let code = code.stdout.lines().next().unwrap().to_owned();
                let outcome = attempt(&words[..words.len() - 1]).answer(code).run(world);
                assert_eq!(outcome.code(), PamCode::Success, "{line}");
            }
        }
    });
}

#[test]
fn the_guard_agrees_with_explain_on_logins_by_key_alone() {
    in_world(|world| {
        people(world);
        world.service("sshd", EXACT);
        let mut ends = Vec::new();
        for Recipe { config, expectations } in recipes(world) {
            world.write("/etc/twinlock/config.toml", &config);
            for expectation in expectations {
                let mut words: Vec<_> = expectation.split_whitespace().collect();
                words.pop();
                let told = explained(world, &words);
                if told["service"] != "sshd" {
                    assert_eq!(told["key_alone"], Value::Null, "{expectation}");
                    continue;
                }
                // In the account phase sshd names no key.
                let key = words.iter().position(|word| *word == "--key-type");
                key.map(|at| words.drain(at..at + 2));
                let code = attempt(&words).operations([Operation::AcctMgmt]).run(world).code();
                let end = if code == IGNORED { "passes" } else { "refused" };
                assert_eq!(told["key_alone"], end, "{expectation}: {code:?}");
                ends.push(end);
            }
        }
        assert!(ends.contains(&"passes") && ends.contains(&"refused"), "{ends:?}");
    });
}

#[test]
fn a_remembered_login_is_not_asked_again() {
    in_world(|world| {
        let enrolled = people(world);
        world.service("sshd", EXACT);
        let mut tried = 0;
        for Recipe { config, expectations } in recipes(world) {
            world.write("/etc/twinlock/config.toml", &config);
            for expectation in expectations.iter().filter(|line| line.ends_with(" asked")) {
                let words: Vec<_> = expectation.split_whitespace().collect();
                let words = &words[..words.len() - 1];
                if explained(world, words)["remember"].is_null() {
                    continue;
                }
                let login = attempt(words).answer(enrolled[words[0]].codes().next()).run(world);
                assert_eq!(login.code(), PamCode::Success, "{expectation}");
                let again = attempt(words).run(world);
                assert_eq!((again.code(), again.prompts().len()), (PamCode::Success, 0), "{expectation}");
                assert_eq!(world.twinlock(&["forget", words[0]]).code, Some(0));
                assert_eq!(attempt(words).answer("junk").run(world).code(), PamCode::AuthErr, "{expectation}");
                tried += 1;
            }
        }
        assert_eq!(tried, 1);
    });
}
