//! `make demo`: real logins, refused and granted, in a private copy of this host; with `--stay`, yours too.
//!
//! It checks every step and ends with a failure if one did not go as it should. Nothing on the host is changed.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a demonstration that cannot go on ends, as a test does"
)]

mod screen;
mod stay;
mod tour;

use std::io::{Write, stderr};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use nix::unistd::geteuid;
use twinlock_tests::{Family, World, in_sshd_world};

use crate::screen::Screen;

const USAGE: &str = "usage: demo [--stay]   (--stay leaves a server up at the end, for you and your phone)";
const NEEDS_ROOT: &str = "demo: this needs root: it mounts a private copy of the host and runs a real sshd in it.\n\
    hint: sudo make demo";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let stay = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--stay"] => true,
        _ => return complain(USAGE, 2),
    };
    if !geteuid().is_root() {
        return complain(NEEDS_ROOT, 1);
    }
    // What a step that failed has to say stands alone, without the place in the source.
    panic::set_hook(Box::new(|failure| {
        let text = failure.payload().downcast_ref::<String>().map(String::as_str);
        let text = text.or(failure.payload().downcast_ref::<&str>().copied()).unwrap_or("a step failed");
        complain(&format!("\ndemo: FAILED: {text}"), 1);
    }));
    let shown = catch_unwind(AssertUnwindSafe(|| {
        let mut screen = Screen::new();
        let toured = in_the_world(|world| tour::run(world, &mut screen));
        toured && (!stay || stay::run(&mut screen))
    }));
    match shown {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Runs `show` in a world; false if there can be none here, for which the harness has printed the reason.
fn in_the_world(show: impl FnOnce(&World) + Send) -> bool {
    let mut shown = false;
    in_sshd_world(|world| {
        show(world);
        shown = true;
    });
    shown
}

/// The family of distributions whose files are shown: that of this host.
fn family() -> Family {
    if std::fs::exists("/etc/redhat-release").unwrap_or(false) { Family::Rhel } else { Family::Debian }
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Nobody is left to be told if standard error is closed.
    let _told = writeln!(stderr().lock(), "{text}");
    code.into()
}
