//! `make demo`.

use std::fs;
use std::process::{Command, Output, Stdio};

use twinlock_tests::in_sshd_world;

/// Runs it outside of any world, as `make demo` does; None where there can be no sshd world.
fn demo(arguments: &[&str]) -> Option<Output> {
    let mut possible = false;
    in_sshd_world(|_| possible = true);
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(arguments).stdin(Stdio::null());
    possible.then(|| command.output().unwrap())
}

#[test]
fn the_demonstration_shows_what_it_says_on_80_columns_without_colour() {
    let Some(output) = demo(&[]) else { return };
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    for reason in ["wrong-code", "- user=alice", "replayed", "bypass"] {
        assert!(shown.contains(&format!("reason={reason}")), "{reason}:\n{shown}");
    }
    assert!(shown.trim_end().ends_with("namespace, which is gone now."), "{shown}");
    assert!(!shown.contains('\x1b'), "{shown}");
    for line in shown.lines() {
        assert!(line.chars().count() <= 80 && !line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn a_server_that_was_to_stay_leaves_nothing_behind() {
    let Some(output) = demo(&["--stay"]) else { return };
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    let (_, rest) = shown.split_once("ssh -F ").unwrap();
    let (configuration, _) = rest.split_once(" demo").unwrap();
    assert!(configuration.starts_with("/tmp/twinlock-demo-"), "{configuration}");
    assert!(!fs::exists(configuration).unwrap());
}

#[test]
fn a_mistyped_word_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).arg("--stays").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"usage: demo [--stay]"));
}
