//! One PAM transaction in a fresh process: `pam-driver FILE`, where FILE holds a `twinlock_tests::Spec` as JSON.
//! The report, a `twinlock_tests::Report`, is one line of JSON in the file that the spec names, or on standard output.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a harness that cannot go on panics: that is how a test fails"
)]

use std::io::Write;
use std::{env, fs, io};

use twinlock_tests::{Spec, drive};

fn main() {
    let path = env::args_os().nth(1).expect("usage: pam-driver FILE");
    let spec = fs::read_to_string(path).expect("the spec can be read");
    let spec: Spec = serde_json::from_str(&spec).expect("the file holds a Spec");
    let report = drive(&spec);
    let line = serde_json::to_string(&report).expect("a report is JSON") + "\n";
    match spec.report {
        Some(path) => fs::write(path, line).expect("the report can be written"),
        None => io::stdout().write_all(line.as_bytes()).expect("standard output is open"),
    }
}
