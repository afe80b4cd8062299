//! Times whole authentications through libpam, ours beside `pam_google_authenticator` and `pam_oath`, and beside the
//! floor: one durable 4 KiB write. It measures and never asserts a time; but every timed login must end as it should.
//!
//! Timed is the work of a host like sshd, from `pam_start` over `pam_authenticate` (answered at once) to `pam_end`, in
//! processes that are there already and hold the modules loaded, on stores that lie on a real disk. Before each login its
//! user's state is put back, for all modules alike: as it was after a login an hour ago.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench reads clocks and prints; when it cannot go on, or a login ends wrong, it panics"
)]

mod broker;
mod clock;
mod contender;
mod facts;
mod filling;
#[allow(unsafe_code, reason = "the dynamic loader is a C library; every call into it stands in this one file")]
mod loader;
mod page;
mod plot;
mod race;
mod report;
mod rules;
mod samples;
mod scene;
mod sealing;
mod worker;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nix::unistd::geteuid;
use twinlock_tests::{Disk, file_system_of_stores, in_world};

use crate::contender::Given;
use crate::race::Race;
use crate::report::Report;
use crate::scene::{ACCOUNTS, MANY, ONE, SIZES, Scene};
use crate::worker::Pool;

/// Time whole authentications through libpam, beside other modules. Needs root, for private mounts.
#[derive(Parser)]
#[command(name = "twinlock-bench")]
struct Arguments {
    /// Few rounds, to see that it runs: the figures are worth little
    #[arg(long)]
    quick: bool,
    /// Measure only what rules cost
    #[arg(long)]
    rules: bool,
    /// Measure only the broker
    #[arg(long, conflicts_with = "rules")]
    broker: bool,
    /// Write bench/results.json, and docs/benchmarks.md with its plots, in this repository
    #[arg(long, value_name = "DIR", conflicts_with_all = ["rules", "broker"])]
    publish: Option<PathBuf>,
    /// Put the stores below this directory, on whose disk the modules are then measured [default: cargo's target
    /// directory]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// How often each thing is measured.
#[derive(Clone, Copy, Debug)]
struct Rounds {
    one_at_a_time: usize,
    recovery: usize,
    at_once: usize,
    growth: usize,
    fresh: usize,
    rules: usize,
    rules_by_sshd: usize,
    broker: usize,
}

const FULL: Rounds = Rounds {
    one_at_a_time: 400,
    recovery: 120,
    at_once: 20,
    growth: 40,
    fresh: 60,
    rules: 300,
    rules_by_sshd: 40,
    broker: 300,
};
const QUICK: Rounds =
    Rounds { one_at_a_time: 20, recovery: 5, at_once: 2, growth: 3, fresh: 5, rules: 20, rules_by_sshd: 3, broker: 20 };

/// How many log in at once where that is not what is varied.
const TOGETHER: usize = 32;
/// How many log in at once where it is.
const CROWDS: [usize; 7] = [1, 2, 4, 8, 16, 32, ACCOUNTS];

fn main() -> ExitCode {
    if worker::is_asked_for() {
        worker::run();
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    if !geteuid().is_root() {
        eprintln!("twinlock-bench: needs root, for private mounts and files of root: run it with sudo");
        return ExitCode::FAILURE;
    }
    let rounds = if arguments.quick { QUICK } else { FULL };
    let disk = Disk::claim(&arguments.directory.unwrap_or_else(target_directory));
    let mut report = Report::default();
    in_world(|world| {
        disk.lay_over_var_lib();
        let kind = file_system_of_stores();
        assert!(
            !kind.starts_with("tmpfs"),
            "the stores would be on a tmpfs: name a directory on a disk with --directory"
        );
        report.begin(rounds.one_at_a_time);
        if !arguments.broker {
            let scene = Scene::set(world);
            if !arguments.rules {
                measure(&scene, rounds, &mut report);
            }
            let mut pool = Pool::start(1, &scene.modules());
            report.add_sealing(&sealing::measure(world, &mut pool, rounds.rules));
            report.add_rules(&rules::measure(&scene, &mut pool, rounds.rules, rounds.rules_by_sshd));
        }
        if !arguments.rules {
            report.add_broker(&broker::measure(world, rounds.broker));
        }
    });
    println!("{}", report.as_text());
    eprintln!("removing the stores");
    drop(disk);
    if let Some(repository) = arguments.publish
        && let Err(error) = page::publish(&repository, &report)
    {
        eprintln!("twinlock-bench: cannot write the page: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn measure(scene: &Scene<'_>, rounds: Rounds, report: &mut Report) {
    let mut pool = Pool::start(ACCOUNTS, &scene.modules());
    for (enrolled, together) in [(ONE, 1), (MANY, 1), (ACCOUNTS, TOGETHER), (MANY, TOGETHER)] {
        let results = Given::ALL.map(|given| {
            let rounds = match (together, given) {
                (1, Given::RecoveryCode) => rounds.recovery,
                (1, Given::Code | Given::WrongCode) => rounds.one_at_a_time,
                _ => rounds.at_once,
            };
            eprintln!("{together} at once, {enrolled} enrolled, {}: {rounds} rounds", given.name());
            (given, Race { scene, enrolled, given, together }.run(&mut pool, rounds))
        });
        report.add_race(enrolled, together, &results);
    }
    let mut grown = |enrolled: usize, together: usize| {
        eprintln!("growth: {together} at once, {enrolled} enrolled: {} rounds", rounds.growth);
        Race { scene, enrolled, given: Given::Code, together }.run(&mut pool, rounds.growth)
    };
    let by_users = SIZES.map(|enrolled| (format!("{enrolled} enrolled"), grown(enrolled, 1)));
    let by_logins = CROWDS.map(|together| (format!("{together} at once"), grown(ACCOUNTS, together)));
    report.add_growth(by_users.iter().chain(&by_logins));
    drop(pool);
    report.add_facts(&facts::gather(scene, rounds.fresh));
}

/// The directory above the profile this program was built in.
fn target_directory() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    program.ancestors().nth(2).expect("target/<profile>/<program>").to_owned()
}
