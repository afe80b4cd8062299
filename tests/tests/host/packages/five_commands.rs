//! From the packages to a protected host, by the five commands of the README and with nothing edited by hand: in the root,
//! with its own sshd on its own network and its own ssh client.

use nix::sched::{CloneFlags, unshare};
use twinlock_tests::{Authenticator, Launch, Output, Terminal};

use crate::packages::built::{has, package, text};
use crate::packages::root::{Root, in_root};

const KEY: &str = "/home/admin/.ssh/id_ed25519";
const PROMPT: &str = "Verification code: ";

/// A fresh host: its sshd runs, and an administrator with a password and a key logs in.
fn with_fresh_host(test: impl FnOnce(&Root) + Send) {
    if !has("dh") {
        return;
    }
    in_root(|root| {
        // Port 22 of nobody else's.
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        text("ip", &["link", "set", "lo", "up"]);
        root.succeed(&["useradd", "--create-home", "--shell", "/bin/sh", "--groups", "sudo", "admin"]);
        let password = root.run_reading("admin:correct horse\n", &["chpasswd"]);
        assert!(password.status.success(), "{password:?}");
        root.succeed(&["install", "--directory", "--owner", "admin", "--mode", "0700", "/home/admin/.ssh"]);
        root.succeed(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY]);
        root.succeed(&["install", "--owner", "admin", &format!("{KEY}.pub"), "/home/admin/.ssh/authorized_keys"]);
        root.succeed(&["ssh-keygen", "-A"]);
        root.succeed(&["mkdir", "--parents", "/run/sshd"]);
        let server = inside(root, &["sh", "-c", "exec /usr/sbin/sshd -D -e 2>&1"]).start();
        server.wait_for_output("Server listening on 0.0.0.0 port 22");
        test(root);
        server.kill();
    });
}

fn inside(root: &Root, arguments: &[&str]) -> Launch {
    let path = root.path("");
    let root = path.to_str().unwrap();
    let environment = ["env", "--ignore-environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=xterm"];
    Launch::new(["chroot", root].iter().chain(&environment).chain(arguments).copied())
}

/// A login with the key, on a terminal; what is asked is answered with this, if anything is.
fn login(root: &Root, code: Option<&str>) -> Output {
    let options = ["-o", "StrictHostKeyChecking=accept-new", "-o", "NumberOfPasswordPrompts=1"];
    let end = ["-i", KEY, "admin@127.0.0.1", "id -un"];
    let mut terminal = Terminal::start(inside(root, &[&["ssh"], &options[..], &end].concat()));
    if let (Some(code), Some(_)) = (code, terminal.expect_or_end(PROMPT)) {
        terminal.send_line(code);
    }
    terminal.finish()
}

fn is_in(login: &Output) -> bool {
    login.code == Some(0) && login.stdout.lines().any(|line| line == "admin")
}

/// The enrolment, as a person goes through it.
fn enroll(root: &Root) -> Authenticator {
    let mut terminal = Terminal::start(inside(root, &["twinlock", "enroll", "admin"]));
    let shown = terminal.expect("Enter the code that the app shows now: ");
    let address = shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap();
    let app = Authenticator::from_uri(address);
    // The step before: the current one is still there for the login.
    terminal.send_line(&app.code_at(app.now_step() - 1));
    let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
    let is_code = |word: &&str| word.len() == 19 && word.matches('-').count() == 3;
    terminal.send_line(shown.split_whitespace().find(is_code).unwrap());
    assert_eq!(terminal.finish().code, Some(0));
    app
}

#[test]
fn five_commands_lead_from_the_packages_to_a_host_that_asks_for_key_and_code() {
    with_fresh_host(|root| {
        assert!(is_in(&login(root, None)), "a key is enough before");

        let packages = ["libpam-twinlock", "twinlock"].map(|name| root.bring(&package(name, "deb")));
        root.succeed(&["apt-get", "-o", "Dpkg::Use-Pty=0", "install", "--yes", &packages[0], &packages[1]]);
        let before = root.what_logins_need();
        let app = enroll(root);
        let enabled = root.succeed(&["twinlock", "ssh", "enable", "--enroll-until", "2199-01-31"]);
        assert!(enabled.contains("enabled for a trial of 5m: sshd asks for a key, then a code"), "{enabled}");
        let code = app.codes().next();
        let granted = login(root, Some(&code));
        assert!(is_in(&granted), "{granted:?}");
        let confirmed = root.succeed(&["twinlock", "ssh", "confirm"]);
        assert!(confirmed.contains("confirmed: the new configuration stays"), "{confirmed}");

        for answer in [code.clone(), app.wrong_code()] {
            let refused = login(root, Some(&answer));
            assert!(!is_in(&refused), "{answer}: {refused:?}");
        }
        let doctor = root.run(&["twinlock", "doctor"]);
        assert!(!String::from_utf8_lossy(&doctor.stdout).contains("LOCKOUT"), "{doctor:?}");
        assert!(!String::from_utf8_lossy(&doctor.stdout).contains("OPEN"), "{doctor:?}");

        root.succeed(&["twinlock", "ssh", "disable"]);
        assert_eq!(root.what_logins_need(), before);
        assert!(is_in(&login(root, None)));
    });
}
