//! Races in processes that stay: each host process runs one attempt after another, so that a round takes milliseconds.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::Launch;
use crate::attempt::Attempt;
use crate::namespace::inside;
use crate::outcome::Outcome;
use crate::process::{DEADLINE, Output, Process};
use crate::world::World;

/// Host processes that wait for the next race.
///
/// ```no_run
/// # use twinlock_tests::{Attempt, PamCode, Runners, in_world};
/// # in_world(|world| {
/// let mut runners = Runners::start(world, 8);
/// for round in 0..100 {
///     let attempt = Attempt::new("svc").user("alice").answer("123456");
///     assert!(runners.race(vec![attempt; 8]).iter().all(|outcome| outcome.code() == PamCode::AuthErr));
/// }
/// # });
/// ```
#[derive(Debug)]
pub struct Runners(Vec<Runner>);

/// One of them, and the socket that is its standard input and output.
#[derive(Debug)]
struct Runner {
    process: Process,
    socket: BufReader<UnixStream>,
}

impl Runners {
    /// Starts so many.
    pub fn start(_: &World, count: usize) -> Self {
        Self((0..count).map(|_| Runner::start()).collect())
    }

    /// Brings all attempts to their first prompt, each in a process of its own, then lets all answers go at once. What
    /// says how a process is run (`under`, `environment`, `as_account`) has no meaning here.
    ///
    /// # Panics
    /// When there are more attempts than processes, and when a host dies.
    pub fn race(&mut self, attempts: impl IntoIterator<Item = Attempt>) -> Vec<Outcome> {
        let mut racing: Vec<_> = Vec::new();
        let mut runners = self.0.iter_mut();
        for attempt in attempts {
            let runner = runners.next().expect("a process for each attempt");
            let spec = attempt.held_first().into_spec();
            runner.say(&serde_json::to_string(&spec).expect("a spec is JSON"));
            racing.push(runner);
        }
        for runner in &mut racing {
            assert_eq!(runner.hear(), "held", "it comes to its prompt");
        }
        for runner in &mut racing {
            runner.say("");
        }
        racing.iter_mut().map(|runner| runner.outcome()).collect()
    }
}

impl Runner {
    fn start() -> Self {
        let (ours, theirs) = UnixStream::pair().expect("a free file descriptor");
        ours.set_read_timeout(Some(DEADLINE)).expect("no zero");
        let process = Launch::new([inside("pam-driver").as_str(), "--stay"]).start_on(&OwnedFd::from(theirs), None);
        Self { process, socket: BufReader::new(ours) }
    }

    fn say(&mut self, line: &str) {
        let said = self.socket.get_mut().write_all(format!("{line}\n").as_bytes());
        said.unwrap_or_else(|error| panic!("process {} is gone: {error}", self.process.pid()));
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        let heard = self.socket.read_line(&mut line);
        assert!(heard.as_ref().is_ok_and(|length| *length > 0), "process {}: {heard:?}", self.process.pid());
        line.trim_end().to_owned()
    }

    fn outcome(&mut self) -> Outcome {
        let line = self.hear();
        let report = serde_json::from_str(&line).unwrap_or_else(|error| panic!("a broken report: {error}: {line}"));
        let output = Output { code: None, signal: None, stdout: String::new(), stderr: String::new() };
        Outcome { report: Some(report), output }
    }
}
