//! "Install" of the README, followed word for word on a host with 27 accounts.

use std::fs;

use twinlock_tests::{Authenticator, CONFIG, Family, FirstFactor, Output, Sshd, Terminal, World, in_sshd_world};

use crate::ssh_enable::stock_host::{configuration, with_host};

/// The commands of the section, without `sudo`.
fn commands(readme: &str) -> Vec<Vec<&str>> {
    let section = readme.split("## Install\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| line.split_whitespace().filter(|word| *word != "sudo").collect()).collect()
}

/// The dialogue of `twinlock enroll`, as a person goes through it.
pub(super) fn enroll(world: &World, words: &[&str]) -> Authenticator {
    let mut terminal = Terminal::start(world.twinlock_launch(words));
    let shown = terminal.expect("Enter the code that the app shows now: ");
    let app = Authenticator::from_uri(shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap());
    // The step before: the current one is still there for the login.
    terminal.send_line(&app.code_at(app.now_step() - 1));
    let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
    let is_code = |word: &&str| word.len() == 19 && word.matches('-').count() == 3;
    terminal.send_line(shown.split_whitespace().find(is_code).unwrap());
    assert_eq!(terminal.finish().code, Some(0));
    app
}

/// What the commands after the enrolment say. The packages are installed, as `make deb` and `apt install` have it.
fn follow(world: &World, readme: &str) -> (Authenticator, Vec<Output>) {
    let (mut app, mut outputs) = (None, Vec::new());
    for command in commands(readme) {
        match command[..] {
            ["make", "deb"] | ["apt", "install", ..] => {}
            ["twinlock", ref words @ ..] if words[0] == "enroll" => app = Some(enroll(world, words)),
            ["twinlock", ref words @ ..] => outputs.push(world.twinlock(words)),
            _ => panic!("{command:?}"),
        }
    }
    (app.unwrap(), outputs)
}

fn logs_in_by_key_alone(sshd: &Sshd<'_>, user: &str) {
    let login = sshd.login(user).run();
    assert!(login.granted && login.prompts.is_empty(), "{user}: {login:#?}");
}

#[test]
fn the_commands_of_the_readme_lock_nobody_out_of_a_host_with_27_accounts() {
    in_sshd_world(|world| {
        let sshd = world.stock(Family::Debian);
        let others: Vec<String> = (1..=26).map(|number| format!("user{number:02}")).collect();
        for name in others.iter().map(String::as_str).chain(["alice"]) {
            let account = world.account(name);
            world.write(account.home.join(".ssh/authorized_keys"), sshd.public_key("ed25519"));
        }
        world.group("sudo", &["alice"]);
        world.group("staff", &others.iter().map(String::as_str).collect::<Vec<_>>());
        let readme = fs::read_to_string(world.repository().join("README.md")).unwrap();
        let before = configuration();

        let (app, outputs) = follow(world, &readme);
        let [enable, confirm] = &outputs[..] else { panic!("{outputs:?}") };
        let plan = world.twinlock(&["ssh", "plan"]);
        let denied =
            "26 accounts can log in today and will be denied: user01, user02, user03, user04, user05 and 21 more";
        assert!(plan.code == Some(0) && plan.stderr.contains(&format!("problem: {denied}\n")), "{plan:?}");
        assert!(enable.code == Some(1) && enable.stderr.starts_with(&format!("twinlock: {denied}\n")), "{enable:?}");
        assert_eq!(confirm.code, Some(1), "{confirm:?}");
        assert_eq!(configuration(), before);
        for name in others.iter().map(String::as_str).chain(["alice"]) {
            logs_in_by_key_alone(&sshd, name);
        }

        // What the README says to do then.
        let page = "docs/policy.md#a-roll-out-with-a-date";
        assert!(readme.contains(page), "the README names {page}");
        let policy = fs::read_to_string(world.repository().join("docs/policy.md")).unwrap();
        let recipe = policy.split("## A roll-out with a date").nth(1).unwrap();
        let recipe = recipe.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let date = recipe.lines().find(|line| line.starts_with("until = ")).unwrap();
        world.write(CONFIG, recipe.replace(date, "until = 2199-01-31"));
        for words in [["ssh", "enable"], ["ssh", "confirm"]] {
            let output = world.twinlock(&words);
            assert!(output.code == Some(0) && !output.stderr.contains("denied"), "{output:?}");
        }
        let login = sshd.login("alice").answer(app.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        let login = sshd.login("user26").run();
        assert!(login.prompts.iter().any(|prompt| prompt.contains("authenticator app")), "{login:#?}");
    });
}

#[test]
fn the_way_out_of_the_readme_works_where_an_edit_under_stress_has_broken_the_configuration() {
    with_host(Family::Debian, |host| {
        for page in ["README.md", "docs/troubleshooting.md"] {
            let text = fs::read_to_string(host.world.repository().join(page)).unwrap();
            let way_out =
                text.split("**Locked out:**").nth(1).or_else(|| text.split("**Nobody gets in at all?**").nth(1));
            let first = way_out.and_then(|text| text.split('`').nth(1));
            assert_eq!(first, Some("twinlock ssh disable"), "{page}");
        }
        host.ssh_done(&["enable", "--keep"]);
        let rule = "[[rule]]\nname = \"all\"\nsecond_factor = \"required\"\n";
        // Above the rule it is heeded, and the rule still asks; below it, the file is broken.
        host.world.write(CONFIG, format!("second_factor = \"skip\"\n{rule}"));
        assert!(!host.key_alone().granted);
        host.world.write(CONFIG, format!("{rule}[notify]\nsecond_factor = \"skip\"\n"));
        assert!(!host.both(FirstFactor::Key, &host.code()).granted);
        let check = host.world.twinlock(&["check"]);
        let told = format!("{CONFIG}:5:1: unknown key here: `second_factor` belongs above `[[rule]]` (line 1)\n");
        assert!(check.stderr.contains(&told), "{check:?}");
        host.ssh_done(&["disable"]);
        assert!(host.key_alone().granted);
    });
}
