//! `twinlock completions`: from the one definition of what can be typed.

use clap::CommandFactory;

use crate::{cli::Cli, failure::Failure, output::print};

pub(crate) fn run(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "twinlock", &mut script);
    print(&String::from_utf8_lossy(&script))
}
