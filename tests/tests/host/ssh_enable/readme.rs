//! "Install" of the README, followed word for word on a host with 27 accounts.

use std::fs;

use twinlock_tests::{
    Authenticator, CONFIG, Family, FirstFactor, Output, Terminal, World, in_sshd_world, recovery_codes_in,
};

use crate::ssh_enable::stock_host::with_host;

fn section(readme: &str) -> &str {
    readme.split("## Install\n").nth(1).unwrap().split("\n## ").next().unwrap()
}

/// The commands of the section, without `sudo`.
fn commands(readme: &str) -> Vec<Vec<&str>> {
    let lines = section(readme).lines().filter_map(|line| line.strip_prefix("    "));
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
        // The day on the page will be over.
        let readme = readme.replace("2027-01-31", "2199-01-31");

        // A login is one command more. People read 200 words a minute.
        assert!(commands(&readme).len() < 6, "{:?}", commands(&readme));
        let words = section(&readme).split_whitespace().count();
        assert!(words < 3 * 200, "{words}");

        let (app, outputs) = follow(world, &readme);
        let [enable, confirm] = &outputs[..] else { panic!("{outputs:?}") };
        for output in [enable, confirm] {
            assert!(output.code == Some(0) && !output.stderr.contains("denied"), "{output:?}");
        }
        assert!(enable.stderr.contains("enrol at their next login, until the end of 2199-01-31"), "{enable:?}");
        let login = sshd.login("alice").answer(app.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        for name in &others {
            let explained = world.twinlock(&["explain", name, "--key-type", "ssh-ed25519", "--json"]).stdout;
            assert!(explained.contains("\"outcome\":\"enrolls\""), "{name}: {explained}");
        }

        // As one of them meets it, and the next time.
        let mut session = sshd.login("user26").terminal();
        let shown = session.expect("Enter the code that the app shows now: ");
        let key = shown.rsplit_once("enter this key by hand:\n  ").unwrap().1.split_once("  (").unwrap().0;
        let mut codes = Authenticator::from_base32(&key.replace(' ', "")).codes();
        session.send_line(&codes.next());
        let shown = session.expect("Enter one of these codes to confirm that you saved them: ");
        session.send_line(&recovery_codes_in(&shown)[0]);
        let login = session.finish();
        assert!(login.granted, "{login:#?}");
        let login = sshd.login("user26").answer(codes.next()).run();
        assert!(login.granted, "{login:#?}");
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
