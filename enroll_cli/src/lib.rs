//! `twinlock`: enrolment and administration of second factors. What each verb does stands in the file of its name.
//!
//! A library, so that `xtask` can write the manual page from the definitions that the command reads.

#![forbid(unsafe_code)]

mod accounts;
mod acknowledge;
mod adopt;
mod announce;
mod authenticator;
mod backend;
mod check;
mod cli;
mod completions;
mod context;
mod countdown;
mod csv;
mod device;
mod dialogue;
mod doctor;
mod echo;
mod emergency;
mod enroll;
mod explain;
mod explanation;
mod failure;
mod forget;
mod import;
mod language;
mod layout;
mod list;
mod messages;
mod metrics;
mod options;
mod output;
mod picture;
mod progress;
mod recovery;
mod remove;
mod repair;
mod report;
mod resync;
mod seal;
mod secret;
mod ssh;
mod status;
mod store;
mod sudo;
mod table;
mod terminal;
mod test_login;
mod trial;
mod unlock;
mod usage;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command, Recovery};
use failure::Failure;
use twinlock_hostcheck::trial::ChangedService;

/// Runs the command with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    // Secrets stay out of core dumps. Where that fails they are still wiped after use.
    let _ = nix::sys::prctl::set_dumpable(false);
    match Cli::try_parse().map(run) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => output::report(failure),
        Err(error) => usage::report(&error),
    }
}

fn run(Cli { config, command }: Cli) -> Result<(), Failure> {
    match command {
        Command::Enroll(arguments) => enroll::run(&config, &arguments),
        Command::Status(arguments) => status::run(&config, &arguments),
        Command::Verify(arguments) => verify::run(&config, &arguments),
        Command::Recovery { verb: Recovery::New(arguments) } => recovery::renew(&config, &arguments),
        Command::Recovery { verb: Recovery::Issue(arguments) } => recovery::issue(&config, &arguments),
        Command::Recovery { verb: Recovery::Count(arguments) } => recovery::count(&config, &arguments),
        Command::Unlock(arguments) => unlock::run(&config, &arguments),
        Command::Forget(arguments) => forget::run(&config, &arguments),
        Command::Remove(arguments) => remove::run(&config, &arguments),
        Command::Device { verb } => device::run(&config, verb),
        Command::Acknowledge(arguments) => acknowledge::run(&config, &arguments),
        Command::Resync(arguments) => resync::run(&config, &arguments),
        Command::List(arguments) => list::run(&config, &arguments),
        Command::Import { from } => import::run(&config, &from),
        Command::Adopt(arguments) => adopt::run(&config, &arguments),
        Command::Repair(arguments) => repair::run(&config, &arguments),
        Command::Store { verb } => store::run(&config, &verb),
        Command::Report(arguments) => report::run(&config, &arguments),
        Command::Metrics(arguments) => metrics::run(&config, &arguments),
        Command::Announce(arguments) => announce::run(&config, &arguments),
        Command::Explain(arguments) => explain::run(&config, &arguments),
        Command::Ssh { verb } => ssh::run(&config, &verb),
        Command::Sudo { verb } => sudo::run(&config, ChangedService::Sudo, &verb),
        Command::Su { verb } => sudo::run(&config, ChangedService::Su, &verb),
        Command::Check(arguments) => check::run(&config, &arguments),
        Command::Seal { verb } => seal::run(&config, &verb),
        Command::Emergency { verb } => emergency::run(&verb),
        Command::Doctor(arguments) => doctor::run(&config, &arguments),
        Command::TestLogin(arguments) => test_login::run(&config, &arguments),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// The definition of everything that can be typed.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// The findings that `twinlock doctor` can report: the name of each, and what it looks for.
pub fn doctor_checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    twinlock_hostcheck::doctor::described()
}
