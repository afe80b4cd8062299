//! docs/migration.md: every command in a block marked `sh` is run as written, and then the phone logs in.

use std::fs;

use twinlock_tests::{Launch, Sshd, World, set_mode};

use crate::import::given::{KEY, SECRET, google_authenticator, in_sshd_world};

const REST: &str = "account required pam_permit.so\nsession required pam_permit.so\n";

/// The commands of the section with this heading.
fn commands(world: &World, heading: &str) -> Vec<String> {
    let guide = fs::read_to_string(world.repository().join("docs/migration.md")).unwrap();
    let from = guide.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let section = guide.split_at(from + 4).1.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(String::from).collect()
}

fn run_all(world: &World, heading: &str) {
    let commands = commands(world, heading);
    assert!(commands.len() >= 5, "{commands:?}");
    for command in commands {
        let output = Launch::new(["sh", "-c", &command]).run();
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    }
    let findings = world.twinlock(&["doctor", "--json"]).stdout;
    assert!(findings.starts_with('['), "{findings}");
    assert!(!findings.contains("\"id\":\"guard\""), "{findings}");
}

#[test]
fn from_google_authenticator_as_the_guide_says() {
    in_sshd_world(|world| {
        let alice = world.account("alice");
        world.service("sshd", &format!("auth required pam_google_authenticator.so nullok\n{REST}"));
        let mut codes = google_authenticator(world, &alice, &["-t", "-d", "-r", "3", "-R", "30", "-w", "3"]).codes();
        let used = codes.next();
        assert!(Sshd::new(world).login("alice").answer(&used).run().granted);
        world.install();
        run_all(world, "From google-authenticator");
        let sshd = Sshd::new(world);
        assert!(!sshd.login("alice").answer(&used).run().granted);
        let login = sshd.login("alice").answer(codes.next()).run();
        assert!(login.granted, "{login:#?}");
        assert!(!alice.home.join(".google_authenticator").exists());
    });
}

#[test]
fn from_pam_oath_as_the_guide_says() {
    in_sshd_world(|world| {
        world.account("alice");
        world.write("/etc/users.oath", format!("HOTP/T30 alice - {KEY}\n"));
        set_mode("/etc/users.oath", 0o600);
        world.service("sshd", &format!("auth required pam_oath.so usersfile=/etc/users.oath window=5\n{REST}"));
        let mut codes = twinlock_tests::Authenticator::from_base32(SECRET).codes();
        let used = codes.next();
        assert!(Sshd::new(world).login("alice").answer(&used).run().granted);
        world.install();
        run_all(world, "From pam_oath");
        let sshd = Sshd::new(world);
        assert!(!sshd.login("alice").answer(&used).run().granted);
        let login = sshd.login("alice").answer(codes.next()).run();
        assert!(login.granted, "{login:#?}");
    });
}
