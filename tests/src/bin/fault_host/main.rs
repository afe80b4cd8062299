//! Attempts in forks of one process that has loaded libpam and the module: `fault-host SERVICE...`. Each line of standard
//! input is a `twinlock_tests::Order` as JSON; each gets one line back, a `twinlock_tests::Told`.
//!
//! `fault-host --crowd SERVICE USER ANSWER COUNT` makes attempts among threads, see `crowd`.
//!
//! `raw` has all unsafe code, `tracer` strikes at system calls, `memory` is the C allocator that can refuse.

#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a harness that cannot go on panics: that is how a test fails"
)]

mod crowd;
mod memory;
#[allow(unsafe_code, reason = "fork(2), and the C allocator: every word of it stands in this one file")]
mod raw;
#[cfg(target_arch = "x86_64")]
#[cfg(target_arch = "x86_64")]
mod tracer;
#[cfg(not(target_arch = "x86_64"))]
#[path = "untraced.rs"]
mod tracer;

use std::ffi::CString;
use std::io::{Read, Write, stdin, stdout};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::{env, fs, process};

use nix::sys::resource::{self, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Group, User, pipe};
use serde::{Deserialize, Serialize};
use twinlock_tests::{
    End, Faults, HostState, Loaded, Moment, Order, PamCode, Report, Resource, Told, drive, drive_watched,
};

/// What a host that returned says of itself.
#[derive(Serialize, Deserialize)]
struct Own {
    codes: Vec<PamCode>,
    changed: Option<String>,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(("--crowd", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return crowd::play(rest);
    }
    let log = syslog();
    look_people_up();
    let services = arguments.into_iter().map(|name| CString::new(name).expect("no NUL byte"));
    let _loaded: Vec<_> = services.map(|service| Loaded::keep(&service)).collect();
    for line in stdin().lines() {
        let order: Order = serde_json::from_str(&line.expect("text")).expect("an order");
        let mut told = play(&order);
        told.log = lines(&log);
        let line = serde_json::to_string(&told).expect("what is told is JSON") + "\n";
        stdout().write_all(line.as_bytes()).expect("somebody listens");
    }
}

/// As hosts have done before they ask anybody for anything. Two things glibc itself does not survive without memory, in any
/// program: its first look at a database at all (`nss_database_check_reload_and_get` of 2.36 follows a null pointer), and the
/// first use of a source that has variables of its own for each thread (it exits with status 127).
fn look_people_up() {
    for name in ["root", "nobody-of-this-name"] {
        let account = User::from_name(name).expect("the database of accounts");
        let group = Group::from_name(name).expect("the database of groups");
        assert_eq!((account.is_some(), group.is_some()), (name == "root", name == "root"));
    }
}

/// A `/dev/log` of our own: what a fork sent before it ended is here when it has ended.
fn syslog() -> UnixDatagram {
    fs::remove_file("/dev/log").expect("the world has one");
    let socket = UnixDatagram::bind("/dev/log").expect("/dev is ours");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

fn lines(log: &UnixDatagram) -> Vec<String> {
    let mut buffer = vec![0; 1 << 14];
    let mut lines = Vec::new();
    while let Ok(length) = log.recv(&mut buffer) {
        lines.push(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned());
    }
    lines
}

/// Forks a host, lets it run into its faults, and says what came of it. The log is not looked at.
fn play(order: &Order) -> Told {
    let (mut from, to) = pipe().map(|(from, to)| (fs::File::from(from), to)).expect("a free file descriptor");
    let faults = order.faults();
    let traced = is_traced(faults);
    memory::prepare(faults.shortage);
    let host = raw::fork(|| {
        if traced {
            nix::sys::ptrace::traceme().expect("nobody traces it yet");
        }
        attempt(order, to);
    });
    let trace = tracer::follow(host, faults);
    let mut own = String::new();
    from.read_to_string(&mut own).expect("a pipe");
    let own: Option<Own> = serde_json::from_str(&own).ok();
    let (end, changed) = match (trace.end, own) {
        (End::Left(0), Some(own)) => (End::Returned(own.codes), own.changed),
        (end, _) => (end, None),
    };
    let requests = memory::requests();
    let sizes = if faults.measured { memory::sizes() } else { Vec::new() };
    let refused_memory = memory::refused();
    Told { end, changed, calls: trace.calls, struck: trace.struck, requests, sizes, refused_memory, log: Vec::new() }
}

fn is_traced(faults: &Faults) -> bool {
    faults.traced || !faults.blows.is_empty()
}

/// The life of a host.
fn attempt(order: &Order, to: OwnedFd) -> ! {
    let (faults, this) = (order.faults(), nix::unistd::Pid::this());
    let traced = is_traced(faults);
    raw::leave_at(Signal::SIGALRM);
    let before: Vec<_> = faults.limits.iter().map(|(resource, _)| (number(*resource), limits_of(*resource))).collect();
    let (first, others) = order.specs().split_first().expect("somebody attempts something");
    let mut report = drive_watched(first, &|moment| match moment {
        Moment::Begun => {
            for (resource, limit) in &faults.limits {
                let limit = limit.saturating_add(in_use(*resource));
                setrlimit(number(*resource), limit, limits_of(*resource).1).expect("below the hard limit");
            }
            memory::watch(faults.shortage.is_some() || faults.measured);
            tracer::mark(traced, this);
        }
        Moment::Ended => {
            tracer::mark(traced, this);
            memory::watch(false);
            for (resource, (soft, hard)) in &before {
                setrlimit(*resource, *soft, *hard).expect("as it was");
            }
        }
    });
    let before = report.before.clone();
    let mut codes = codes(&report);
    for other in others {
        report = drive(other);
        codes.extend(self::codes(&report));
    }
    let own = Own { codes, changed: difference(&before, &report.after) };
    let mut to = fs::File::from(to);
    to.write_all(serde_json::to_string(&own).expect("it is JSON").as_bytes()).expect("somebody reads");
    drop(to);
    #[allow(clippy::exit, reason = "a fork must not go on with the work of its parent")]
    process::exit(0)
}

/// What each operation returned, or why there was none.
fn codes(report: &Report) -> Vec<PamCode> {
    if report.codes.is_empty() { vec![report.start] } else { report.codes.iter().map(|(_, code)| *code).collect() }
}

fn difference(before: &HostState, after: &HostState) -> Option<String> {
    (before != after).then(|| format!("{before:?}\nbecame\n{after:?}"))
}

fn number(resource: Resource) -> resource::Resource {
    match resource {
        Resource::FileSize => resource::Resource::RLIMIT_FSIZE,
        Resource::Descriptors => resource::Resource::RLIMIT_NOFILE,
        Resource::Processes => resource::Resource::RLIMIT_NPROC,
        Resource::AddressSpace => resource::Resource::RLIMIT_AS,
        Resource::Data => resource::Resource::RLIMIT_DATA,
        Resource::Stack => resource::Resource::RLIMIT_STACK,
        Resource::Cpu => resource::Resource::RLIMIT_CPU,
        Resource::LockedMemory => resource::Resource::RLIMIT_MEMLOCK,
        Resource::PendingSignals => resource::Resource::RLIMIT_SIGPENDING,
    }
}

fn limits_of(resource: Resource) -> (u64, u64) {
    getrlimit(number(resource)).expect("Linux has it")
}

/// What counts against the limits that are set above it; 0 for the others.
fn in_use(resource: Resource) -> u64 {
    let key = match resource {
        Resource::AddressSpace => "VmSize:",
        Resource::Data => "VmData:",
        Resource::FileSize
        | Resource::Descriptors
        | Resource::Processes
        | Resource::Stack
        | Resource::Cpu
        | Resource::LockedMemory
        | Resource::PendingSignals => return 0,
    };
    let status = fs::read_to_string("/proc/self/status").expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("every process has it");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib.saturating_mul(1024)
}
