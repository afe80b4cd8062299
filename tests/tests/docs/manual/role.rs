//! The role in packaging/ansible, run by ansible on a host as its distribution installs it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use twinlock_tests::{CONFIG, Family, Launch, Login, Output, Sshd, World, in_sshd_world, in_world};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const FILES: [&str; 2] = ["/etc/pam.d/sshd", "/etc/ssh/sshd_config.d/00-twinlock.conf"];

/// A host without Twinlock switched on, and alice, an administrator who is not enrolled and holds root's key.
struct Host<'w> {
    world: &'w World,
    sshd: &'w Sshd<'w>,
    variables: Value,
}

fn on_a_host(test: impl FnOnce(&Host<'_>) + Send) {
    in_sshd_world(|world| {
        let sshd = world.stock(Family::Debian);
        world.account("alice");
        world.group("sudo", &["alice"]);
        let key = "/root/.ssh/id_ed25519";
        fs::create_dir_all("/root/.ssh").unwrap();
        Launch::new(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).run();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lobby = sshd.welcome(listener, &fs::read_to_string(format!("{key}.pub")).unwrap());
        world.write("/root/.ssh/known_hosts", format!("* {}\n", lobby.host_key()));
        let variables = json!({
            "ansible_connection": "local",
            "ansible_python_interpreter": "/usr/bin/python3",
            "twinlock_admin": "alice",
            "twinlock_admin_uri": format!("otpauth://totp/web01:alice?secret={SECRET}&issuer=web01"),
            // With a rule whose last day is over, as after every roll-out: a warning, which stops nothing.
            "twinlock_config": "# by ansible\nfail_delay = \"0s\"\n[[rule]]\nuntil = 2020-01-31\nsecond_factor = \"enroll\"\n",
            "twinlock_prove_host": "127.0.0.1",
            "twinlock_prove_port": port,
        });
        lobby.serve_during(|| test(&Host { world, sshd: &sshd, variables }));
    });
}

impl Host<'_> {
    /// The playbook with these variables in the place of others.
    fn play(&self, changed: &Value, words: &[&str]) -> Output {
        let mut variables = self.variables.clone();
        variables.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        self.world.write("/root/variables.json", variables.to_string());
        self.world.write("/root/inventory", "[twinlock]\nweb01\n");
        let playbook = self.world.repository().join("packaging/ansible/switch-on.yml");
        let own =
            ["ansible-playbook", "-i", "/root/inventory", "-e", "@/root/variables.json", playbook.to_str().unwrap()];
        assert!(Path::new("/usr/bin/ansible-playbook").exists(), "ansible is missing: run `make deps`");
        let play = Launch::new([&own, words].concat()).environment("ANSIBLE_PIPELINING", "1").start();
        // Each task starts a Python of its own: a play takes longer than anything else here.
        let begun = Instant::now();
        while play.is_running() && begun.elapsed() < Duration::from_mins(5) {
            thread::sleep(Duration::from_millis(50));
        }
        play.finish()
    }

    fn key_alone(&self) -> Login {
        self.sshd.login("alice").option("BatchMode=yes").run()
    }
}

/// Waits until the app shows another code.
fn wait_for_the_next_code() {
    let step = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
    let used = step();
    while step() == used {
        thread::sleep(Duration::from_millis(100));
    }
}

fn files() -> [Option<String>; 2] {
    FILES.map(|path| fs::read_to_string(path).ok())
}

#[test]
fn it_enrols_switches_on_proves_and_keeps_and_does_nothing_the_second_time() {
    on_a_host(|host| {
        assert!(host.key_alone().granted);
        let first = host.play(&json!({}), &["-vvv"]);
        assert_eq!(first.code, Some(0), "{first:#?}");
        assert!(!first.stdout.contains(SECRET), "the secret is in what ansible tells");
        let granted = host.world.entries_since(0).into_iter().filter(|entry| entry.value("result") == "granted");
        assert_eq!(granted.map(|entry| entry.value("user").to_owned()).collect::<Vec<_>>(), ["alice"], "the proof");
        assert!(!host.key_alone().granted);
        assert!(fs::read_to_string(CONFIG).unwrap().starts_with("# by ansible"));
        let plan = host.world.twinlock(&["ssh", "plan"]);
        assert!(plan.stdout.is_empty() && plan.stderr.contains("enabled"), "{plan:?}");

        let second = host.play(&json!({}), &[]);
        assert!(second.code == Some(0) && second.stdout.contains("changed=0 "), "{second:#?}");

        // Cut off during a trial: the next run proves it, and keeps it or takes it back.
        for (port, code, state) in [(json!({}), 0, "on"), (json!({"twinlock_prove_port": 1}), 2, "off")] {
            for words in [&["ssh", "disable"][..], &["ssh", "enable", "--try", "10m"], &["unlock", "alice"]] {
                let output = host.world.twinlock(words);
                assert_eq!(output.code, Some(0), "{output:?}");
            }
            // Its proof gives the code of this moment, which the play before has used.
            wait_for_the_next_code();
            let again = host.play(&port, &[]);
            assert_eq!(again.code, Some(code), "{again:#?}");
            let status = host.world.twinlock(&["ssh", "status", "--json"]).stdout;
            assert!(status.contains(&format!("\"state\":\"{state}\"")), "{status}: {again:#?}");
        }
    });
}

#[test]
fn a_new_login_that_does_not_work_brings_everything_back_at_once() {
    on_a_host(|host| {
        host.world.deploy("alice");
        let before = files();
        // The secret of the vault is not that of alice.
        let played = host.play(&json!({}), &[]);
        assert_eq!(played.code, Some(2), "{played:#?}");
        assert!(
            played.stdout.contains("Twinlock was not enabled, and the previous configuration of sshd was restored"),
            "{played:#?}"
        );
        assert!(host.world.entries_since(0).iter().any(|entry| entry.value("reason") == "wrong-code"));
        assert_eq!(files(), before);
        assert!(host.key_alone().granted);
    });
}

#[test]
fn accounts_that_would_be_denied_stop_the_play_unless_a_variable_says_otherwise() {
    on_a_host(|host| {
        let bob = host.world.account("bob");
        host.world.write(bob.home.join(".ssh/authorized_keys"), "ssh-ed25519 AAAA bob\n");
        let before = files();
        let played = host.play(&json!({}), &[]);
        let found = "1 account can log in today and will be denied: bob";
        assert!(played.code == Some(2) && played.stdout.contains(found), "{played:#?}");
        assert_eq!(files(), before);
        let played = host.play(&json!({ "twinlock_ssh_deny_unenrolled": true }), &[]);
        assert_eq!(played.code, Some(0), "{played:#?}");
        assert!(!host.key_alone().granted);
    });
}

#[test]
fn a_configuration_that_cannot_be_used_is_never_placed() {
    on_a_host(|host| {
        let before = (fs::read_to_string(CONFIG).unwrap(), files());
        let played = host.play(&json!({ "twinlock_config": "second_factor = \"optionnal\"\n" }), &[]);
        // ansible has it checked as a file of root's, of which the line and the column are said and not the text.
        assert!(
            played.code == Some(2) && played.stdout.contains(":1:17: this value is of the wrong type"),
            "{played:#?}"
        );
        assert_eq!((fs::read_to_string(CONFIG).unwrap(), files()), before);
    });
}

#[test]
fn asked_what_would_change_it_shows_the_lines_and_changes_nothing() {
    on_a_host(|host| {
        host.world.deploy("alice");
        let before = files();
        let played = host.play(&json!({}), &["--check"]);
        assert_eq!(played.code, Some(0), "{played:#?}");
        assert!(played.stdout.contains("+auth       required     pam_twinlock.so"), "{played:#?}");
        assert_eq!(files(), before);
    });
}

#[test]
fn ansible_and_the_linters_have_nothing_to_say() {
    in_world(|world| {
        // The linter wants to write beside what it reads.
        let folder = world.repository().join("packaging/ansible");
        Launch::new(["cp", "-r", folder.to_str().unwrap(), "/tmp/ansible"]).run();
        let in_folder = |command: &str| Launch::new(["sh", "-c", &format!("cd /tmp/ansible && {command}")]).run();
        let syntax = in_folder("ansible-playbook --syntax-check -i 'web01,' switch-on.yml");
        assert_eq!(syntax.code, Some(0), "{syntax:#?}");
        let rules = "{extends: default, rules: {line-length: {max: 160}}}";
        let yaml = in_folder(&format!("yamllint --strict -d '{rules}' ."));
        assert_eq!(yaml.code, Some(0), "{yaml:#?}");
        // `make deps` does not install it, because it needs many packages more.
        if Path::new("/usr/bin/ansible-lint").exists() {
            let lint = in_folder("ansible-lint --offline --nocolor --profile production switch-on.yml roles");
            assert_eq!(lint.code, Some(0), "{lint:#?}");
        }
    });
}
