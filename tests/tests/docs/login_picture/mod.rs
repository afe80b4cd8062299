//! `docs/login.svg`, the picture of the README: three logins to a real sshd. `TWINLOCK_WRITE_SNAPSHOTS=1` writes it anew.

mod svg;

use std::path::Path;
use std::{env, fs};

use twinlock_tests::{Family, FirstFactor, Sshd, World, in_sshd_world};

use crate::login_picture::svg::{Kind, Recording};

const WELCOME: &str = "Welcome, alice.";
/// What stands in the picture for the code of the run, which is another each time.
const CODE: &str = "492039";

/// Logs in as alice, and records what was on the terminal and what the module logged.
fn log_in(recording: &mut Recording, sshd: &Sshd<'_>, (answer, pictured): (&str, &str)) -> bool {
    recording.add(Kind::Prompt, "laptop $ ");
    recording.add(Kind::Typed, "ssh alice@127.0.0.1\n");
    let mut session = sshd.login("alice").command("echo \"Welcome, $(id -un).\"").terminal();
    let prompt = session.expect("code: ");
    recording.add(Kind::Output, &prompt);
    session.send_line(answer);
    let login = session.finish();
    let rest = &login.stdout[prompt.len()..];
    // The terminal echoes what is typed, unless the module asks it not to.
    let rest = if let Some(rest) = rest.strip_prefix(answer) {
        recording.add(Kind::Typed, pictured);
        rest
    } else {
        rest
    };
    recording.add(Kind::Output, rest);
    for line in login.server_log.iter().filter(|line| line.text.starts_with("pam_twinlock(")) {
        recording.add(Kind::Log, &format!("server log: {}\n", line.text));
    }
    recording.add(Kind::Output, "\n");
    login.stdout.contains(WELCOME)
}

/// A login with a code, with the same code again, and with a recovery code.
fn record(world: &World) -> Recording {
    let sshd = world.ship(Family::Debian, FirstFactor::Key);
    world.account("alice");
    let alice = world.deploy("alice");
    let code = alice.authenticator.codes().next();
    let recovery_code = &alice.recovery_codes[0];
    let mut recording = Recording::default();
    let granted = [(&code[..], CODE), (&code, CODE), (recovery_code, recovery_code)]
        .map(|answer| log_in(&mut recording, &sshd, answer));
    assert_eq!(granted, [true, false, true]);
    recording
}

#[test]
fn the_picture_of_the_readme_is_what_ssh_and_the_module_print() {
    let mut drawn = None;
    in_sshd_world(|world| drawn = Some(record(world).draw()));
    let Some(drawn) = drawn else { return };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = repository.join("docs/login.svg");
    if env::var_os("TWINLOCK_WRITE_SNAPSHOTS").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == drawn, "docs/login.svg is out of date. Write it with TWINLOCK_WRITE_SNAPSHOTS=1:\n{drawn}");
    let readme = fs::read_to_string(repository.join("README.md")).unwrap();
    assert!(readme.contains("](docs/login.svg)"), "the README shows docs/login.svg");
}
