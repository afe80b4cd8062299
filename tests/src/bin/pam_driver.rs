//! PAM transactions in a fresh process, one after another: `pam-driver FILE...`, where each FILE holds a
//! `twinlock_tests::Spec` as JSON. Each report, a `twinlock_tests::Report`, is one line of JSON in the file that its spec
//! names, or on standard output.
//!
//! `pam-driver --relay FILE` plays one and keeps nothing of it: see `twinlock_tests::relay`.
//!
//! `pam-driver --stay` takes specs from its standard input instead, one a line, until that ends.
//!
//! `pam-driver --listen PATH` listens on a socket and tells everybody who comes that they are granted.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a harness that cannot go on panics: that is how a test fails"
)]

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::{env, fs, io};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use twinlock_tests::{Spec, drive, relay};

fn main() {
    assert!(env::args_os().len() > 1, "usage: pam-driver FILE...");
    let mut arguments = env::args_os().skip(1).peekable();
    if arguments.next_if(|first| first == "--listen").is_some() {
        listen(&arguments.next().expect("a path"));
    }
    if arguments.next_if(|first| first == "--relay").is_some() {
        return relay(&spec_in(arguments.next().expect("a path")));
    }
    if arguments.next_if(|first| first == "--stay").is_some() {
        stay();
    }
    arguments.for_each(play);
}

fn stay() {
    let mut line = String::new();
    // Read line by line without keeping standard input locked: a held answer waits for its own line there.
    while io::stdin().read_line(&mut line).expect("standard input is open") > 0 {
        report(&serde_json::from_str(&line).expect("the line is a Spec"));
        line.clear();
    }
}

fn listen(path: &OsStr) {
    let listener = UnixListener::bind(path).expect("a socket");
    io::stdout().write_all(b"listening\n").expect("standard output is open");
    for guest in listener.incoming() {
        drop(guest.and_then(|mut guest| guest.write_all(b"\0\0\0\x07Vgranted")));
    }
}

fn spec_in(path: OsString) -> Spec {
    let spec = fs::read_to_string(path).expect("the spec can be read");
    serde_json::from_str(&spec).expect("the file holds a Spec")
}

fn play(path: OsString) {
    report(&spec_in(path));
}

fn report(spec: &Spec) {
    let report = drive(spec);
    // A host that may not write files is under test, not this report of it.
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_FSIZE) {
        let _as_it_was = setrlimit(Resource::RLIMIT_FSIZE, most, most);
    }
    let line = serde_json::to_string(&report).expect("a report is JSON") + "\n";
    match &spec.report {
        Some(path) => fs::write(path, line).expect("the report can be written"),
        None => io::stdout().write_all(line.as_bytes()).expect("standard output is open"),
    }
}
