//! The manual, the help, the README, the completions and what the programs do are one.

mod automation;
mod completions;
mod guides;
mod help;
mod links;
mod map;
mod monitoring;
mod pages;
mod references;
mod role;
mod scenes;
mod sources;
mod symptoms;
mod troubleshooting;

use std::path::Path;

use twinlock_tests::{Launch, Output};

/// Runs a tool of the host, which `make deps` installs.
fn tool(arguments: &[&str]) -> Output {
    let name = arguments[0];
    assert!(Path::new("/usr/bin").join(name).exists(), "{name} is missing: run `make deps`");
    Launch::new(arguments).environment("TERM", "dumb").run()
}
