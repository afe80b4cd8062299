//! docs/migration.md: every command in a block marked `sh` is run as written, and then the phone logs in.

use std::fs;

use twinlock_tests::{Account, Authenticator, Family, Launch, PASSWORD, Sshd, World, in_sshd_world, set_mode};

use crate::import::given::{KEY, SECRET, google_authenticator};

const PAM: &str = "/etc/pam.d/sshd";

/// The commands of the section with this heading.
fn commands(world: &World, heading: &str) -> Vec<String> {
    let guide = fs::read_to_string(world.repository().join("docs/migration.md")).unwrap();
    let from = guide.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let section = guide.split_at(from + 4).1.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).map(|line| line.trim_start().to_owned()).collect()
}

/// Runs them all; the files of PAM and of sshd are then back byte for byte with one command more.
fn run_all(world: &World, heading: &str, logs_in: impl FnOnce()) {
    let commands = commands(world, heading);
    assert!(commands.len() >= 7, "{commands:?}");
    let before = fs::read_to_string(PAM).unwrap();
    for command in commands {
        let output = Launch::new(["sh", "-c", &command]).run();
        assert_eq!(output.code, Some(0), "{command}: {output:?}");
    }
    let findings = world.twinlock(&["doctor", "--json"]).stdout;
    assert!(findings.starts_with('['), "{findings}");
    for id in ["guard", "other-second-factor", "key-alone", "not-enrolled"] {
        assert!(!findings.contains(&format!("\"id\":\"{id}\"")), "{findings}");
    }
    logs_in();
    assert_eq!(world.twinlock(&["ssh", "disable"]).code, Some(0));
    assert_eq!(fs::read_to_string(PAM).unwrap(), before);
    assert!(!fs::exists("/etc/ssh/sshd_config.d/00-twinlock.conf").unwrap());
}

/// A host of a distribution on which these lines ask, in the place of the one that asks for the password; alice is the
/// administrator.
fn with_stack<'w>(world: &'w World, lines: &str, drop_in: &str) -> (Sshd<'w>, Account) {
    let sshd = world.stock(Family::Debian);
    world.write("/etc/ssh/sshd_config.d/20-other.conf", format!("{drop_in}KbdInteractiveAuthentication yes\n"));
    let stock = fs::read_to_string(PAM).unwrap();
    world.service("sshd", &stock.replace("@include common-auth\n", lines));
    let alice = world.account("alice");
    world.write(alice.home.join(".ssh/authorized_keys"), sshd.public_key("ed25519"));
    world.group("sudo", &["alice"]);
    (sshd, alice)
}

/// What `plan` says before the import.
fn names_alice_who_is_not_imported(world: &World, mode: &str, module: &str, import: &str) {
    let plan = world.twinlock(&["ssh", "plan", "--mode", mode]);
    let told = format!("Twinlock takes the place of {module}.\n");
    assert!(plan.code == Some(0) && plan.stderr.contains(&told), "{plan:?}");
    let hint = format!("will be denied: alice\nhint: run `{import}`, which imports the users of {module}");
    assert!(plan.stderr.contains(&hint), "{plan:?}");
    let enable = world.twinlock(&["ssh", "enable", "--mode", mode, "--without-enrolled-admin"]);
    assert!(enable.code == Some(1) && enable.stderr.contains(&hint), "{enable:?}");
}

#[test]
fn from_google_authenticator_as_the_guide_says() {
    in_sshd_world(|world| {
        let lines =
            "#@include common-auth\nauth required pam_google_authenticator.so nullok\nauth required pam_permit.so\n";
        let (sshd, alice) = with_stack(world, lines, "AuthenticationMethods publickey,keyboard-interactive\n");
        let mut codes = google_authenticator(world, &alice, &["-t", "-d", "-r", "3", "-R", "30", "-w", "3"]).codes();
        let used = codes.next();
        assert!(sshd.login("alice").answer(&used).run().granted);
        let import = "twinlock import google-authenticator --all";
        names_alice_who_is_not_imported(world, "key+code", "pam_google_authenticator.so", import);
        run_all(world, "From google-authenticator", || {
            assert!(!sshd.login("alice").answer(&used).run().granted);
            let login = sshd.login("alice").answer(codes.next()).run();
            assert!(login.granted, "{login:#?}");
            assert!(!alice.home.join(".google_authenticator").exists());
        });
    });
}

#[test]
fn from_pam_oath_as_the_guide_says() {
    in_sshd_world(|world| {
        let lines = "@include common-auth\nauth required pam_oath.so usersfile=/etc/users.oath window=5\n";
        let (sshd, _) = with_stack(world, lines, "AuthenticationMethods keyboard-interactive\n");
        world.write("/etc/users.oath", format!("HOTP/T30 alice - {KEY}\n"));
        set_mode("/etc/users.oath", 0o600);
        let mut codes = Authenticator::from_base32(SECRET).codes();
        let used = codes.next();
        let login = |code: &str| sshd.login("alice").without_key().answer(PASSWORD).answer(code).run().granted;
        assert!(login(&used));
        names_alice_who_is_not_imported(world, "password+code", "pam_oath.so", "twinlock import oath FILE");
        run_all(world, "From pam_oath", || {
            assert!(!login(&used));
            assert!(login(&codes.next()));
        });
    });
}
