//! `twinlock`: enrolment and administration of second factors. What each verb does stands in the file of its name.

#![forbid(unsafe_code)]

mod check;
mod cli;
mod enroll;
mod failure;
mod journal;
mod output;
mod qr;
mod recovery;
mod remove;
mod scene;
mod status;
mod terminal;
mod unlock;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, Recovery};
use failure::Failure;

fn main() -> ExitCode {
    // Secrets stay out of core dumps. Where that fails they are still wiped after use.
    let _ = nix::sys::prctl::set_dumpable(false);
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(Cli { config, command }: Cli) -> Result<(), Failure> {
    match command {
        Command::Enroll(arguments) => enroll::run(&config, &arguments),
        Command::Status(arguments) => status::run(&config, &arguments),
        Command::Verify(arguments) => verify::run(&config, &arguments),
        Command::Recovery { verb: Recovery::New(arguments) } => recovery::run(&config, &arguments),
        Command::Unlock(arguments) => unlock::run(&config, &arguments),
        Command::Remove(arguments) => remove::run(&config, &arguments),
        Command::Check => check::run(&config),
    }
}
