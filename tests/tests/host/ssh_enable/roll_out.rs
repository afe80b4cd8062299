//! docs/roll-out.md, followed on a host with alice, who is an administrator, and bob, who is of the group `staff`.

use std::fs;

use twinlock_tests::{CONFIG, Family, in_sshd_world};

use crate::ssh_enable::readme::enroll;

/// What the page has in blocks: the configuration, and the commands without `sudo`.
fn blocks(page: &str) -> (&str, Vec<Vec<&str>>) {
    let recipe = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let commands = page.lines().filter_map(|line| line.strip_prefix("    sudo twinlock "));
    (recipe, commands.map(|line| line.split_whitespace().collect()).collect())
}

#[test]
fn the_commands_of_the_roll_out_page_enable_sshd_and_have_users_enrol_until_the_last_day() {
    in_sshd_world(|world| {
        let sshd = world.stock(Family::Debian);
        for name in ["alice", "bob"] {
            let account = world.account(name);
            world.write(account.home.join(".ssh/authorized_keys"), sshd.public_key("ed25519"));
        }
        world.group("sudo", &["alice"]);
        world.group("staff", &["bob"]);
        let page = fs::read_to_string(world.repository().join("docs/roll-out.md")).unwrap();
        // The day on the page will be over.
        let page = page.replace("2027-01-31", "2199-01-31").replace("2027-02-01", "2199-02-01");
        let (recipe, commands) = blocks(&page);
        world.write(CONFIG, format!("{recipe}\n[notify]\nsendmail = \"/etc/sendmail\"\n"));
        world.write_script("/etc/sendmail", "#!/bin/sh\ncat >>/etc/mails\n");

        let mut explained = Vec::new();
        let mut app = None;
        for words in &commands {
            if words[0] == "enroll" {
                app = Some(enroll(world, words));
                continue;
            }
            let output = world.twinlock(words);
            assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
            match words[..] {
                ["explain", ..] => {
                    let json = world.twinlock(&[&words[..], &["--json"]].concat()).stdout;
                    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
                    let mut all = json.as_array().into_iter().flatten();
                    let of_bob = all.find(|one| one["user"] == "bob").unwrap_or(&json);
                    explained.push(of_bob["outcome"].as_str().unwrap().to_owned());
                }
                ["announce"] => assert!(output.stdout.starts_with("To: bob"), "{output:?}"),
                ["ssh", "plan", ..] => assert!(!output.stderr.contains("denied"), "{output:?}"),
                ["list", ..] => {
                    assert!(output.stdout.contains("bob") && !output.stdout.contains("alice"), "{output:?}");
                }
                _ => {}
            }
        }
        assert_eq!(explained, ["enrolls", "refused"]);
        assert!(fs::read_to_string("/etc/mails").unwrap().contains("To: bob@"));
        let login = sshd.login("alice").answer(app.unwrap().codes().next()).run();
        assert!(login.granted, "{login:#?}");
        let login = sshd.login("bob").run();
        assert!(
            !login.granted && login.prompts.iter().any(|prompt| prompt.contains("authenticator app")),
            "{login:#?}"
        );
    });
}
