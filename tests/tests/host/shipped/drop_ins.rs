//! `config/sshd_config.d/`: sshd takes the files, and what they say is what holds, beside whatever a vendor ships.

use std::collections::BTreeMap;

use twinlock_tests::{Family, FirstFactor, Launch, World, in_sshd_world};

const VARIANTS: [(FirstFactor, &str, &str); 2] = [
    (FirstFactor::Key, "key-and-code", "publickey,keyboard-interactive"),
    (FirstFactor::Password, "password-and-code", "keyboard-interactive"),
];

const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-twinlock.conf";

fn make_host_key() {
    let key = "/etc/ssh/ssh_host_ed25519_key";
    let made = Launch::new(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).run();
    assert_eq!(made.code, Some(0), "{made:?}");
    std::fs::create_dir_all("/run/sshd").unwrap();
}

fn assert_sshd_takes_it() {
    let output = Launch::new(["/usr/sbin/sshd", "-t"]).run();
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
}

/// What is in force for a user, names in small letters: their spelling differs between versions.
fn in_force(user: &str) -> BTreeMap<String, String> {
    let whom = format!("user={user},host=host,addr=192.0.2.7");
    let output = Launch::new(["/usr/sbin/sshd", "-T", "-C", &whom]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let pairs = output.stdout.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect()
}

fn assert_in_force(user: &str, methods: &str) {
    let settings = in_force(user);
    let expected = [
        ("usepam", "yes"),
        ("kbdinteractiveauthentication", "yes"),
        ("passwordauthentication", "no"),
        ("authenticationmethods", methods),
    ];
    for (name, value) in expected {
        assert_eq!(settings.get(name).map(String::as_str), Some(value), "{name} for {user}");
    }
}

/// Takes the mark away from what can be switched on.
fn switch_on_everything(world: &World) {
    let text = std::fs::read_to_string(DROP_IN).unwrap();
    let is_setting = |rest: &str| ["LoginGraceTime", "Match ", "    "].iter().any(|start| rest.starts_with(start));
    let lines = text.lines().map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line));
    let changed = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert_ne!(changed, text);
    world.write(DROP_IN, changed);
}

#[test]
fn each_drop_in_wins_over_the_files_of_debian_rhel_and_cloud_init() {
    for family in [Family::Debian, Family::Rhel] {
        for (first, _, methods) in VARIANTS {
            in_sshd_world(|world| {
                world.ship(family, first);
                world.write("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n");
                make_host_key();
                assert_sshd_takes_it();
                assert_in_force("alice", methods);
                assert_in_force("root", methods);
            });
        }
    }
}

#[test]
fn without_the_drop_in_nothing_of_it_holds() {
    in_sshd_world(|world| {
        world.ship(Family::Rhel, FirstFactor::Key);
        make_host_key();
        std::fs::remove_file(DROP_IN).unwrap();
        let settings = in_force("alice");
        assert_eq!(settings["authenticationmethods"], "any");
        assert_eq!(settings["kbdinteractiveauthentication"], "no");
    });
}

#[test]
fn the_lines_that_can_be_switched_on_are_right() {
    for (first, variant, methods) in VARIANTS {
        in_sshd_world(|world| {
            world.ship(Family::Debian, first);
            make_host_key();
            switch_on_everything(world);
            assert_sshd_takes_it();
            assert_in_force("alice", methods);
            for exempt in ["git", "backup", "root"] {
                assert_in_force(exempt, "publickey");
            }
            assert_eq!(in_force("root")["permitrootlogin"], "yes", "{variant}");
            assert_eq!(in_force("alice")["logingracetime"], "180", "{variant}");
        });
    }
}
