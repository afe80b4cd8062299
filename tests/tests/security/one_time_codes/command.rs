//! The commands that enrol.

use std::fs;

use crate::contender::{Contender, Scene};
use crate::row::Finding;
use data_encoding::BASE32_NOPAD;

/// Enrols bob under strace, with the command's own defaults; what it said, and the sockets that it made.
fn enrolled(scene: &Scene<'_>) -> Option<(String, Vec<String>)> {
    let output = scene.enrolling()?.under(["strace", "-f", "-o", "/run/trace", "-e", "trace=socket,connect"]).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    let trace = fs::read_to_string("/run/trace").unwrap();
    let sockets = trace.lines().filter(|line| line.contains("socket(")).map(str::to_owned).collect();
    Some((output.stdout, sockets))
}

/// The secret in the address that was shown.
fn secret(said: &str) -> Vec<u8> {
    let (_, rest) = said.split_once("secret=").or_else(|| said.split_once("secret%3D")).unwrap();
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
    BASE32_NOPAD.decode(&rest.as_bytes()[..end]).unwrap()
}

pub(super) fn new_secrets_are_long_enough(contender: Contender) -> Finding {
    const MADE: usize = 5;
    contender.scene(|scene| {
        scene.world.account("bob");
        let mut secrets = Vec::new();
        for _ in 0..MADE {
            let Some((said, _)) = enrolled(scene) else { return Finding::Unfit("no secrets made") };
            secrets.push(secret(&said));
        }
        let shortest = secrets.iter().map(|secret| secret.len() * 8).min().unwrap();
        secrets.sort();
        secrets.dedup();
        Finding::of(
            shortest >= 160 && secrets.len() == MADE,
            format!("{} different secrets of {shortest} bits", secrets.len()),
        )
    })
}

pub(super) fn enrolling_tells_nobody(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        let Some((said, sockets)) = enrolled(scene) else { return Finding::Unfit("no enrolment") };
        let remote = sockets.iter().filter(|call| !call.contains("AF_UNIX") && !call.contains("AF_NETLINK")).count();
        let linked = said.split_whitespace().any(|word| word.starts_with("http") && word.contains("secret"));
        Finding::of(
            remote == 0 && !linked,
            match (remote, linked) {
                (0, false) => "no network, no link".into(),
                (_, true) => "shows a link to a website with the secret; `--qr-mode=NONE` omits it".into(),
                (sockets, false) => format!("{sockets} network sockets"),
            },
        )
    })
}
