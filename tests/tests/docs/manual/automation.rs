//! The recipes of docs/automation.md, unchanged, with a real sshd and real clients.

use std::fs;
use std::net::TcpListener;

use twinlock_tests::{
    Account, CONFIG, Family, FirstFactor, Launch, Login, Output, Sshd, Terminal, World, in_sshd_world,
};

use crate::manual::guides::blocks;
use crate::manual::scenes::Host;

/// The block of this kind with this number.
fn block(world: &World, kind: &str, number: usize) -> String {
    let page = fs::read_to_string(world.repository().join("docs/automation.md")).unwrap();
    let fence = format!("```{kind}\n");
    let blocks = page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>()[number].to_owned()
}

/// The networks of the page, on the loopback.
fn on_the_loopback(text: &str) -> String {
    let here = text.replace("10.0.5.", "127.0.5.");
    assert_ne!(here, text, "the page has other networks now");
    here
}

const BUILD_HOST: &str = "127.0.5.9";

/// A host with the account of programs.
fn with_deploy(test: impl FnOnce(&World, &Sshd<'_>) + Send) {
    in_sshd_world(|world| {
        let sshd = world.ship_sound(Family::Debian, FirstFactor::Key);
        world.account("deploy");
        test(world, &sshd);
    });
}

fn configure(world: &World, rule: &str) {
    world.write(CONFIG, format!("fail_delay = \"0s\"\n{}", on_the_loopback(rule)));
}

fn batch(sshd: &Sshd<'_>, from: &str) -> Login {
    sshd.login("deploy").from(from).option("BatchMode=yes").run()
}

#[test]
fn the_account_of_a_program_gets_in_from_its_hosts_by_key_alone_and_from_nowhere_else() {
    with_deploy(|world, sshd| {
        configure(world, &block(world, "toml", 0));
        let alone = batch(sshd, BUILD_HOST);
        assert!(!alone.granted, "the rule without the Match: {alone:?}");
        world.write("/etc/ssh/sshd_config.d/50-deploy.conf", on_the_loopback(&block(world, "sshd-config", 0)));
        let inside = batch(sshd, BUILD_HOST);
        assert!(inside.granted && inside.prompts.is_empty(), "{inside:?}");
        let outside = sshd.login("deploy").answer("123456").run();
        assert!(!outside.granted && outside.prompts == ["Verification code: "], "{outside:?}");
        // The Match without the rule.
        world.write(CONFIG, "fail_delay = \"0s\"\n");
        let guarded = batch(sshd, BUILD_HOST);
        assert!(!guarded.granted, "{guarded:?}");
        assert!(guarded.server_log.iter().any(|line| line.text.contains("reason=bypass")), "{guarded:?}");
    });
}

#[test]
fn a_program_that_can_do_keyboard_interactive_needs_the_rule_alone_and_the_right_type_of_key() {
    with_deploy(|world, sshd| {
        configure(world, &block(world, "toml", 1));
        let inside = sshd.login("deploy").from(BUILD_HOST).without_askpass().run();
        assert!(inside.granted, "{inside:?}");
        for other in [
            sshd.login("deploy").from(BUILD_HOST).with_key_type("ecdsa").answer("123456").run(),
            sshd.login("deploy").answer("123456").run(),
        ] {
            assert!(!other.granted && other.prompts == ["Verification code: "], "{other:?}");
        }
    });
}

#[test]
fn what_is_printed_without_anybody_to_ask_is_what_the_page_says() {
    in_sshd_world(|world| {
        let host = Host::of(world);
        let login = host.sshd.login("alice").option("BatchMode=yes").run();
        let told = block(world, "client", 0);
        assert_eq!(login.stderr.trim_end().replace("127.0.0.1", "host"), told.trim_end());
        assert_eq!(login.code, Some(255));
        let strange = host.sshd.login("alice").option("BatchMode=yes").with_strange_key().run();
        assert!(strange.stderr.contains("Permission denied (publickey)."), "{strange:?}");
        assert!(world.entries_since(0).is_empty(), "nothing came to Twinlock");
    });
}

/// A server that answers every client, and a client with the page's configuration, in this account's home.
struct Shared<'w> {
    world: &'w World,
    person: Account,
}

const WEB: &str = "web01.example.org";

impl Shared<'_> {
    fn launch(&self, words: &[&str]) -> Launch {
        Launch::new(words).account(&self.person).environment("SSH_ASKPASS_REQUIRE", "never")
    }

    fn done(&self, words: &[&str]) -> Output {
        let output = self.launch(words).run();
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        output
    }

    /// Codes that opened something so far.
    fn granted(&self) -> usize {
        self.world.entries_since(0).iter().filter(|entry| entry.value("result") == "granted").count()
    }
}

/// Alice's code opens a connection of the person, as the page says; then the test goes on, and the connection is closed.
fn through_one_connection(test: impl FnOnce(&Shared<'_>) + Send) {
    in_sshd_world(|world| {
        let host = Host::of(world);
        let person = world.account("person");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let key = "/home/person/.ssh/id_ed25519";
        fs::create_dir_all("/home/person/.ssh").unwrap();
        Launch::new(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).run();
        let lobby = host.sshd.welcome(listener, &fs::read_to_string(format!("{key}.pub")).unwrap());
        world.write("/home/person/.ssh/known_hosts", format!("* {}\n", lobby.host_key()));
        let own = format!(
            "Host *\n    HostName 127.0.0.1\n    Port {port}\n    User alice\n    IdentityAgent none\n    StrictHostKeyChecking yes\n"
        );
        // ssh takes the folder of the account, and not that of HOME.
        world.write("/home/person/.ssh/config", block(world, "ssh-config", 0) + &own);
        Launch::new(["chown", "-R", "person:", "/home/person"]).run();
        lobby.serve_during(|| {
            let shared = Shared { world, person };
            let mut terminal = Terminal::start(shared.launch(&["ssh", WEB, "true"]));
            terminal.expect("Verification code: ");
            terminal.send_line(&host.alice.codes().next());
            assert_eq!(terminal.finish().code, Some(0));
            test(&shared);
            shared.done(&["ssh", "-O", "exit", WEB]);
            assert_eq!(shared.granted(), 1, "one code for all of it");
            let denied = shared.launch(&["ssh", "-o", "BatchMode=yes", WEB, "true"]).run();
            assert_eq!(denied.code, Some(255), "without the connection: {denied:?}");
        });
    });
}

#[test]
fn scp_sftp_rsync_and_git_go_through_a_connection_that_one_code_opened() {
    through_one_connection(|shared| {
        let world = shared.world;
        world.write("/home/alice/there", "from the server\n");
        Launch::new(["git", "init", "-q", "--bare", "/home/alice/site.git"]).run();
        Launch::new(["chown", "-R", "alice:", "/home/alice"]).run();
        let page = fs::read_to_string(world.repository().join("docs/automation.md")).unwrap();
        let commands = blocks(&page, "sh");
        assert!(fs::exists("/usr/bin/rsync").unwrap(), "rsync is missing: run `make deps`");
        for program in ["scp ", "sftp ", "rsync ", "git ", "ssh -O check "] {
            let command = commands.iter().find(|line| line.starts_with(program)).unwrap();
            let folder = format!("/home/person/{}", program.trim_end());
            shared.done(&["sh", "-c", &format!("mkdir '{folder}' && cd '{folder}' && {command}")]);
            match program {
                "ssh -O check " => {}
                "git " => assert!(fs::exists(format!("{folder}/site/.git")).unwrap()),
                _ => {
                    let copied = fs::read_to_string(format!("{folder}/there")).unwrap();
                    assert_eq!(copied, "from the server\n", "{command}");
                }
            }
        }
        // And back.
        let push = "cd git/site && git -c user.name=p -c user.email=p@h commit -q --allow-empty -m first && git push -q origin HEAD";
        shared.done(&["sh", "-c", &format!("cd /home/person && {push}")]);
    });
}

#[test]
fn ansible_goes_through_a_connection_that_one_code_opened() {
    through_one_connection(|shared| {
        let world = shared.world;
        assert!(fs::exists("/usr/bin/ansible").unwrap(), "ansible is missing: run `make deps`");
        world.write("/home/person/ansible.cfg", block(world, "ini", 0));
        let python = "ansible_python_interpreter=/usr/bin/python3";
        let words = ["ansible", "all", "-i", "web01.example.org,", "-m", "ping", "-e", python];
        let launch = shared.launch(&words).environment("ANSIBLE_CONFIG", "/home/person/ansible.cfg");
        let output = launch.run();
        assert!(output.code == Some(0) && output.stdout.contains("pong"), "{output:?}");
    });
}
