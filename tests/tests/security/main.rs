//! Known flaws, each tried as an attack on what is built: a row of `docs/security-matrix.md` for each, named after its ID.
//!
//! A whole run compares its results with that page. `TWINLOCK_WRITE_SNAPSHOTS=1` writes the page anew. With
//! `TWINLOCK_COMPARE=FOLDER`, as `make compare` sets it, other modules are attacked, too, and the results written there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

mod answers_and_errors;
mod attacks;
mod audit_trail;
mod back_ends;
mod contender;
mod files_and_environment;
mod full_btrfs;
mod guesses;
mod in_login;
mod issued_codes;
mod leaver;
mod libraries;
mod linux_pam;
mod linux_pam_host;
mod linux_pam_input;
mod matrix;
mod missing_store;
mod near_peers;
mod one_time_codes;
mod openssh;
mod own_journal;
mod own_output;
mod own_policy;
mod own_throttle;
mod policy_and_traces;
mod programs;
mod renamed_account;
mod row;
mod sudo;
mod sudo_edges;
mod tools;
mod verification;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use twinlock_tests::is_root_in_earnest;

use crate::contender::Contender;
use crate::matrix::Matrix;
use crate::row::Row;

/// All rows, group after group.
fn rows() -> impl Iterator<Item = &'static Row> {
    [
        one_time_codes::ROWS,        // G
        verification::ROWS,          // O
        answers_and_errors::ROWS,    // Y
        files_and_environment::ROWS, // P
        policy_and_traces::ROWS,     // D
        linux_pam::ROWS,             // L
        linux_pam_input::ROWS,
        linux_pam_host::ROWS,
        near_peers::ROWS, // S
        openssh::ROWS,    // H
        sudo::ROWS,       // U
        sudo_edges::ROWS,
        back_ends::ROWS, // B
        libraries::ROWS,
        full_btrfs::ROWS, // A
        own_journal::ROWS,
        own_output::ROWS,
        own_policy::ROWS,
        audit_trail::ROWS, // A
        missing_store::ROWS,
        in_login::ROWS,
        issued_codes::ROWS, // I
        own_throttle::ROWS,
        renamed_account::ROWS,
        leaver::ROWS,
    ]
    .into_iter()
    .flatten()
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !is_root_in_earnest("the security matrix") {
        return ExitCode::SUCCESS;
    }
    let matrix = Matrix::default();
    let comparison = env::var_os("TWINLOCK_COMPARE").map(PathBuf::from);
    let contenders: &[Contender] = if comparison.is_some() { &Contender::ALL } else { &[Contender::Twinlock] };
    let trials = rows().map(|row| {
        let matrix = matrix.clone();
        Trial::test(row.id, move || matrix.enter(row, row.try_on(contenders)).map_err(Into::into))
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if conclusion.has_failed() || arguments.list || conclusion.num_filtered_out > 0 {
        return conclusion.exit_code();
    }
    matrix.publish(rows(), comparison.as_deref())
}
