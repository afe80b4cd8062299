//! `twinlock completions`: from the one definition of what can be typed, without what is hidden there.

use clap::{Command, CommandFactory};

use crate::{cli::Cli, failure::Failure, output::print_styled};

pub(crate) fn run(shell: clap_complete::Shell) -> Result<(), Failure> {
    let whole = Cli::command();
    let mut shown = Command::new("twinlock")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .args(whole.get_arguments())
        .subcommands(whole.get_subcommands().filter(|verb| !verb.is_hide_set()));
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut shown, "twinlock", &mut script);
    print_styled(&String::from_utf8_lossy(&script))
}
