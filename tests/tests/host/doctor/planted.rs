//! A sound host, faults that are planted there, and what the doctor says of them.

use std::fs;

use nix::mount::{MsFlags, mount};
use serde::Deserialize;
use twinlock_tests::{Family, FirstFactor, Output, World, in_sshd_world, set_mode};

/// What `doctor --json` says of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) severity: String,
    pub(crate) found: String,
    pub(crate) place: Option<String>,
    pub(crate) why: String,
    pub(crate) mend: String,
}

pub(crate) const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-twinlock.conf";
pub(crate) const STACK: &str = "/etc/pam.d/sshd";

/// The four hosts that the shipped files make.
pub(crate) const HOSTS: [(Family, FirstFactor); 4] = [
    (Family::Debian, FirstFactor::Key),
    (Family::Debian, FirstFactor::Password),
    (Family::Rhel, FirstFactor::Key),
    (Family::Rhel, FirstFactor::Password),
];

/// A test on the recommended host.
pub(crate) fn on_debian(test: impl FnOnce(&World) + Send) {
    on(Family::Debian, FirstFactor::Key, test);
}

pub(crate) fn on(family: Family, first: FirstFactor, test: impl FnOnce(&World) + Send) {
    in_sshd_world(|world| {
        world.ship_sound(family, first);
        test(world);
    });
}

/// Puts lines at the beginning of the drop-in, before everything else that sshd reads.
pub(crate) fn first_in_drop_in(world: &World, lines: &str) {
    let text = fs::read_to_string(DROP_IN).unwrap();
    world.write(DROP_IN, format!("{lines}{text}"));
}

/// Adds lines to the end of a file; in the drop-in Match lines belong there.
pub(crate) fn append(world: &World, path: &str, lines: &str) {
    let text = fs::read_to_string(path).unwrap();
    world.write(path, text + lines);
}

/// Adds an account with a key.
pub(crate) fn account_with_key(world: &World, name: &str) {
    let account = world.account(name);
    world.write(account.home.join(".ssh/authorized_keys"), format!("ssh-ed25519 AAAA {name}\n"));
}

/// The number of the line that begins so, as places have it.
pub(crate) fn place_of(path: &str, start: &str) -> String {
    let text = fs::read_to_string(path).unwrap();
    let number =
        text.lines().position(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{path} has no {start:?}"));
    format!("{path}:{}", number + 1)
}

/// Puts a script in the place of a program of the host, which stays at `/tmp/real/NAME`.
pub(crate) fn stand_in(world: &World, program: &str, script: &str) {
    let name = program.rsplit('/').next().unwrap();
    fs::create_dir_all("/tmp/real").unwrap();
    let real = format!("/tmp/real/{name}");
    fs::copy(program, &real).unwrap();
    set_mode(&real, 0o755);
    let false_one = format!("/tmp/false-{name}");
    world.write_script(&false_one, &format!("#!/bin/sh\n{script}\n"));
    mount(Some(false_one.as_str()), program, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
}

/// What it says.
pub(crate) fn findings(world: &World) -> Vec<Finding> {
    findings_of(world, &[])
}

pub(crate) fn findings_of(world: &World, arguments: &[&str]) -> Vec<Finding> {
    let output = world.twinlock(&[&["doctor", "--json"], arguments].concat());
    let findings: Vec<Finding> = parse(&output);
    let worse = findings.iter().any(|finding| finding.severity != "hint");
    assert_eq!(output.code, Some(i32::from(worse)), "{output:?}");
    assert_eq!(output.stderr, "", "{output:?}");
    findings
}

fn parse(output: &Output) -> Vec<Finding> {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The one finding of this name.
pub(crate) fn only(findings: &[Finding], id: &str) -> Finding {
    let all: Vec<_> = findings.iter().filter(|finding| finding.id == id).collect();
    assert_eq!(all.len(), 1, "{id} in {findings:#?}");
    assert!(all[0].why.len() > 10 && all[0].mend.len() > 10, "{:#?}", all[0]);
    all[0].clone()
}

/// With the fault in place, this is found, so bad and there; and nothing above a hint beside what else is named.
#[track_caller]
pub(crate) fn finds(world: &World, id: &str, severity: &str, place: Option<&str>) -> Finding {
    finds_with(world, id, severity, place, &[])
}

#[track_caller]
pub(crate) fn finds_with(world: &World, id: &str, severity: &str, place: Option<&str>, beside: &[&str]) -> Finding {
    let findings = findings(world);
    let one = only(&findings, id);
    assert_eq!((one.severity.as_str(), one.place.as_deref()), (severity, place), "{findings:#?}");
    let others: Vec<_> = findings
        .iter()
        .filter(|other| other.id != id && other.severity != "hint")
        .map(|other| other.id.as_str())
        .collect();
    assert_eq!(others, beside, "{findings:#?}");
    one
}

/// Nothing of this name is found.
#[track_caller]
pub(crate) fn finds_no(world: &World, id: &str) {
    let findings = findings(world);
    assert!(findings.iter().all(|finding| finding.id != id), "{findings:#?}");
}
