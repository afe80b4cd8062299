//! What most tests begin with, and what they look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use twinlock_tests::{Enrolled, Family, FirstFactor, LogLine, Login, Sshd, World, in_sshd_world};

/// The prompt of everybody.
pub(crate) const PROMPT: &str = "Verification code: ";

/// The prompt for a second code.
pub(crate) const NEXT: &str = "Wait for the next code and enter it: ";

/// Runs the test on a host with this server and with alice, who is enrolled and never logged in.
pub(crate) fn with_alice(
    server: fn(&World) -> Sshd<'_>,
    test: impl for<'w> FnOnce(&'w World, Sshd<'w>, &Enrolled) + Send,
) {
    on_a_host(server, |world, sshd| test(world, sshd, &world.deploy("alice")));
}

/// Runs the test on a host with this server, with nobody enrolled.
pub(crate) fn on_a_host(server: fn(&World) -> Sshd<'_>, test: impl for<'w> FnOnce(&'w World, Sshd<'w>) + Send) {
    in_sshd_world(|world| test(world, server(world)));
}

/// A Debian host that asks for key and code, with `alice`. It holds nothing back after a refusal, to save time.
pub(crate) fn key_and_code(world: &World) -> Sshd<'_> {
    let sshd = world.ship(Family::Debian, FirstFactor::Key);
    set(world, "fail_delay", "\"0s\"");
    world.account("alice");
    sshd
}

/// The same by a stack that leaves it to sshd whether a key comes first.
pub(crate) fn any_way_and_code(world: &World) -> Sshd<'_> {
    let sshd = key_and_code(world);
    world.change("/etc/pam.d/sshd", " require_key", "");
    sshd
}

/// The same with password and code.
pub(crate) fn password_and_code(world: &World) -> Sshd<'_> {
    let sshd = world.ship(Family::Debian, FirstFactor::Password);
    set(world, "fail_delay", "\"0s\"");
    world.account("alice");
    sshd
}

/// Takes the mark of comment from a key of the shipped configuration, and gives it another value.
pub(crate) fn set(world: &World, key: &str, value: &str) {
    let text = fs::read_to_string("/etc/twinlock/config.toml").unwrap();
    let lines = text
        .lines()
        .map(|line| if line.starts_with(&format!("#{key} = ")) { format!("{key} = {value}") } else { line.into() });
    let changed = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert_ne!(changed, text, "{key} is not in the shipped configuration");
    world.write("/etc/twinlock/config.toml", changed);
}

/// Puts lines of sshd's configuration before all others: they win.
pub(crate) fn before_the_drop_in(world: &World, lines: &str) {
    world.write("/etc/ssh/sshd_config.d/0-before.conf", lines);
}

/// The lines of our module, without the name in front: one an attempt.
pub(crate) fn ours(login: &Login) -> Vec<String> {
    texts(&login.server_log)
}

/// The same of any part of the log.
pub(crate) fn texts(log: &[LogLine]) -> Vec<String> {
    let ours = log.iter().filter_map(|line| {
        let rest = line.text.strip_prefix("pam_twinlock(sshd:")?;
        assert_eq!(line.facility, 10, "AUTHPRIV: {line:?}");
        Some(rest.split_once("): ")?.1.to_owned())
    });
    ours.collect()
}

/// The line of a code that was accepted.
pub(crate) fn granted(user: &str, authenticator: &str) -> String {
    format!(
        "result=granted reason=- user={user} method=totp authenticator={authenticator} service=sshd rhost=127.0.0.1 failures=0"
    )
}

/// The line of an answer that was verified, or would have been, and was refused.
pub(crate) fn refused(reason: &str, user: &str, method: &str, failures: u32) -> String {
    format!(
        "result=refused reason={reason} user={user} method={method} authenticator=- service=sshd rhost=127.0.0.1 failures={failures}"
    )
}

/// The line of an answer that was not looked at; a detail may follow.
pub(crate) fn unseen(reason: &str, user: &str) -> String {
    format!(
        "result=refused reason={reason} user={user} method=- authenticator=- service=sshd rhost=127.0.0.1 failures=-"
    )
}

/// Wrong answers in a row, as `twinlock status` knows them.
pub(crate) fn failures(world: &World, user: &str) -> u64 {
    throttle(world, user)["failures"].as_u64().unwrap()
}

/// The mode of the throttle.
pub(crate) fn mode(world: &World, user: &str) -> String {
    throttle(world, user)["mode"].as_str().unwrap().to_owned()
}

fn throttle(world: &World, user: &str) -> serde_json::Value {
    let output = world.twinlock(&["status", user, "--json"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut status: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    status["throttle"].take()
}

/// The names of all files and folders of the store.
pub(crate) fn store() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![Path::new("/var/lib/twinlock").to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            names.insert(entry.path().display().to_string());
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    names
}
