//! Attempts by the thousand, each in a fork of a host that has loaded libpam and the module once, each with faults of its
//! own: `fault-host` makes them, this talks to it.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::attempt::Attempt;
use crate::faults::{End, Faults, Order, Told};
use crate::journal::LogLine;
use crate::launch::Launch;
use crate::namespace::inside;
use crate::pam_names::PamCode;
use crate::process::{DEADLINE, Process};
use crate::world::World;

/// A `fault-host`. While there is one, syslog of the world is its own: lines of others are told as if they were an
/// attempt's.
#[derive(Debug)]
pub struct Injector {
    to: UnixStream,
    from: BufReader<UnixStream>,
    process: Process,
}

impl Injector {
    /// Starts one that keeps the modules of these services loaded.
    pub fn start(world: &World, services: &[&str]) -> Self {
        world.install();
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_read_timeout(Some(DEADLINE)).expect("a span above zero");
        let host = inside("fault-host");
        let process = Launch::new([host.as_str()].iter().chain(services)).start_on(&OwnedFd::from(theirs), None);
        let from = BufReader::new(ours.try_clone().expect("a free file descriptor"));
        Self { to: ours, from, process }
    }

    /// Makes the attempts one after another in one host, the first of them with these faults. How a process would be run
    /// (`under`, `environment`, `as_account`) does not count here, and none can be held.
    ///
    /// # Panics
    /// When the host hangs.
    pub fn run(&mut self, attempts: &[Attempt], faults: Faults) -> Told {
        let order = Order { specs: attempts.iter().map(|attempt| attempt.spec().clone()).collect(), faults };
        let line = serde_json::to_string(&order).expect("an order is JSON") + "\n";
        self.to.write_all(line.as_bytes()).expect("fault-host listens");
        let mut line = String::new();
        let read = self.from.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            self.process.kill();
            panic!("fault-host: {read:?} after {order:?}; it said: {}", self.process.errors());
        }
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// What hosts have written to their standard error so far.
    pub fn errors(&self) -> String {
        self.process.errors()
    }
}

impl Told {
    /// The code of its first operation, if the host lived to return it.
    pub fn code(&self) -> Option<PamCode> {
        match &self.end {
            End::Returned(codes) => codes.first().copied(),
            End::Killed(_) | End::Left(_) => None,
        }
    }

    /// The lines of the log.
    pub fn lines(&self) -> Vec<LogLine> {
        self.log.iter().map(|line| LogLine::parse(line.as_bytes())).collect()
    }
}
