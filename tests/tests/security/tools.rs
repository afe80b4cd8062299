//! What attacks do with a host: they set its clock, change files and options, watch system calls and make them fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use twinlock_tests::{Attempt, Launch, Outcome, PamCode, World, credentials_of};

use crate::contender::{Contender, Scene};

const TRACE: &str = "/run/trace";

impl Scene<'_> {
    /// Puts the module alone into the service, with these words behind its options.
    pub(crate) fn with_words(&self, words: &str) {
        self.stack(&format!("auth required {} {words}\n", self.contender.module()));
    }

    /// Writes the service anew.
    pub(crate) fn stack(&self, lines: &str) {
        self.world.service("svc", lines);
    }

    /// The folder of the state.
    pub(crate) fn folder(&self) -> PathBuf {
        self.state().parent().unwrap().to_owned()
    }

    /// All files of alice's.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        match self.contender {
            Contender::Twinlock => vec![self.state(), credentials_of("alice")],
            Contender::GoogleAuthenticator | Contender::Oath => vec![self.state()],
        }
    }

    /// The names in the folder of the state.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Changes a text in the file of the state.
    pub(crate) fn change_state(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.state()).unwrap();
        assert!(text.contains(from), "{text}");
        self.world.write_secret(self.state(), text.replace(from, to));
    }

    /// The code of this moment.
    pub(crate) fn code_at(&self, time: u64) -> String {
        self.app.code_at(time / self.app.period)
    }

    /// A login with this answer on a host whose clock stands there.
    pub(crate) fn answer_at(&self, time: u64, answer: &str) -> PamCode {
        at(self.attempt(), time).answer(answer).run(self.world).code()
    }

    /// A code that has opened one login just now.
    pub(crate) fn used_code(&self) -> String {
        let code = self.codes().next();
        assert_eq!(self.answer(&code), PamCode::Success, "{}", self.contender.name());
        code
    }

    /// The command with which bob is enrolled by root, with its own defaults; oath has none.
    pub(crate) fn enrolling(&self) -> Option<Launch> {
        let google = [
            "google-authenticator",
            "--time-based",
            "--disallow-reuse",
            "--rate-limit=3",
            "--rate-time=30",
            "--window-size=3",
            "--no-confirm",
            "--force",
        ];
        match self.contender {
            Contender::Twinlock => {
                Some(self.world.twinlock_launch(&["enroll", "bob", "--replace", "--no-confirm", "--json"]))
            }
            Contender::GoogleAuthenticator => Some(Launch::new(google)),
            Contender::Oath => None,
        }
    }

    /// Runs it under strace with these options, and gives the calls of these names from the moment the module is loaded.
    pub(crate) fn trace(&self, attempt: Attempt, calls: &str, options: &[&str]) -> (Outcome, Vec<String>) {
        let (outcome, calls) = traced(self.world, attempt, calls, options);
        let file = self.contender.module().split(' ').next().unwrap().to_owned();
        (outcome, calls.into_iter().skip_while(|call| !call.contains(&file)).skip(1).collect())
    }

    /// The system calls of the module in such an attempt: the name of each, and the how many-th of its name it is in
    /// the whole process.
    pub(crate) fn points(&self, attempt: Attempt) -> Vec<(String, usize)> {
        let (_, calls) = traced(self.world, attempt, "all", &[]);
        let file = self.contender.module().split(' ').next().unwrap().to_owned();
        let mut counts = BTreeMap::<_, usize>::new();
        let numbered = calls.iter().filter_map(|call| {
            let name = call.split_once('(')?.0.to_owned();
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            Some((call, (name, *count)))
        });
        let loaded = numbered.skip_while(|(call, _)| !call.contains(&file)).skip(1);
        // Then the host takes a look at itself.
        loaded.take_while(|(call, _)| !call.contains("\"/proc/self/status\"")).map(|(_, point)| point).collect()
    }

    /// Kills the attempt at the how many-th call of this name; whether it came there.
    pub(crate) fn kill_at(&self, attempt: Attempt, call: &str, number: usize) -> bool {
        let inject = format!("inject={call}:signal=SIGKILL:when={number}");
        let (outcome, _) = traced(self.world, attempt, call, &["-e", &inject]);
        outcome.signal() == Some(9)
    }
}

/// The outcome and the system calls of the whole process.
fn traced(world: &World, attempt: Attempt, calls: &str, options: &[&str]) -> (Outcome, Vec<String>) {
    // To find the module in the trace, its opening must be traced. Not every machine has every call: `?`.
    let named = || format!("trace=openat,?{}", calls.replace(',', ",?"));
    let calls = if calls == "all" { "trace=all".to_owned() } else { named() };
    let strace = [&["strace", "-f", "-y", "-o", TRACE, "-e", &calls], options].concat();
    let outcome = attempt.under(strace).run(world);
    let text = String::from_utf8_lossy(&fs::read(TRACE).unwrap()).into_owned();
    let calls = text.lines().map(|line| line.split_once(' ').map_or(line, |(_, call)| call.trim_start()));
    (outcome, calls.map(str::to_owned).collect())
}

/// The attempt on a host that waits for its disk: what is written in a world is on a RAM disk, whose syncs take no time.
pub(crate) fn on_a_disk(attempt: Attempt) -> Attempt {
    const SLOW: &str = "inject=fsync,fdatasync:delay_exit=2000";
    attempt.under(["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", SLOW])
}

/// The attempt on a host whose clock stands there; in the middle of the second, so that of two attempts at one time
/// the later one is not a second earlier.
pub(crate) fn at(attempt: Attempt, time: u64) -> Attempt {
    #[allow(clippy::cast_precision_loss, reason = "times of this century are exact to the microsecond")]
    let ahead = time as f64 + 0.5 - now().as_secs_f64();
    attempt.under(["faketime", "-f", &format!("{ahead:+.3}s")])
}

/// The middle of the present step: for some seconds nothing is changed by how long things take.
pub(crate) fn middle_of_a_step() -> u64 {
    now().as_secs() / 30 * 30 + 15
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// The name of a path, as programs take it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
