//! The processes in which logins are timed: this program again, told over its standard input what to do.
//!
//! A job is one line. The worker gets ready, says so, and waits at the gate, which opens for all workers together; then
//! it does the job and reports its times.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, process};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use twinlock_tests::{PamCode, authenticate};

use crate::scene::c_string;
use crate::{broker, clock, loader};

/// A FIFO from which each worker takes one byte before it begins.
const GATE: &str = "/run/bench-gate";
pub(crate) const NAME: &str = "worker";

/// Looked up just before and just after the job of a fresh worker: marks in a trace of its system calls.
pub(crate) const MARKS: [&str; 2] = ["/the-job-begins", "/the-job-has-ended"];

/// What a worker reports of one job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    /// libpam's code; `Success` for the floor.
    pub(crate) code: PamCode,
    /// Both by [`clock::now`].
    pub(crate) begin: u64,
    pub(crate) end: u64,
    /// The processor's time for it, in nanoseconds.
    pub(crate) worked: u64,
    /// By how many KiB the memory in RAM grew, and by how many at its peak; of fresh workers alone.
    pub(crate) grown_kib: i64,
    pub(crate) peak_kib: i64,
}

/// Whether this process is a worker.
pub(crate) fn is_asked_for() -> bool {
    env::args_os().nth(1).is_some_and(|first| first == NAME)
}

/// The inside of a worker.
pub(crate) fn run() {
    let arguments: Vec<_> = env::args().skip(2).collect();
    match arguments.split_first() {
        Some((mode, modules)) if mode == "steady" => {
            for module in modules {
                loader::load_for_good(&c_string(module));
            }
            serve(false);
        }
        Some((mode, [])) if mode == "fresh" => serve(true),
        Some((mode, [])) if mode == "enroll" => broker::enroll(),
        Some((mode, [module])) if mode == "load" => println!("{}", loader::time_to_load(&c_string(module))),
        _ => panic!("a worker is started by the bench alone"),
    }
}

fn serve(fresh: bool) {
    let mut gate = open_gate();
    for line in stdin().lines() {
        let line = line.expect("the bench writes text");
        let job = Job::parse(&line);
        let before = if fresh { Memory::read_warm() } else { Memory::default() };
        say("ready");
        gate.read_exact(&mut [0]).expect("the gate stays");
        let worked = clock::worked();
        let _mark = fresh.then(|| fs::symlink_metadata(MARKS[0]));
        let begin = clock::now();
        let code = job.perform();
        let end = clock::now();
        let _mark = fresh.then(|| fs::symlink_metadata(MARKS[1]));
        let worked = clock::worked() - worked;
        let after = if fresh { Memory::read_warm() } else { Memory::default() };
        let (grown, peak) = (after.resident - before.resident, after.peak - before.resident);
        say(&format!("{} {begin} {end} {worked} {grown} {peak}", i32::from(code)));
    }
}

fn say(line: &str) {
    let mut out = stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the bench listens");
}

fn open_gate() -> File {
    // For writing too, so that it opens at once and never ends.
    OpenOptions::new().read(true).write(true).open(GATE).expect("the bench made it")
}

enum Job {
    Login { service: std::ffi::CString, user: std::ffi::CString, answer: String },
    Floor { file: PathBuf },
}

impl Job {
    fn parse(line: &str) -> Self {
        match *line.split(' ').collect::<Vec<_>>() {
            ["login", service, user, answer] => {
                Self::Login { service: c_string(service), user: c_string(user), answer: answer.into() }
            }
            ["floor", file] => Self::Floor { file: file.into() },
            _ => panic!("no job: {line}"),
        }
    }

    fn perform(&self) -> PamCode {
        match self {
            Self::Login { service, user, answer } => authenticate(service, user, answer.as_bytes()),
            Self::Floor { file } => {
                let file = OpenOptions::new().read(true).write(true).open(file).expect("put there by the bench");
                file.write_all_at(&[1; 4096], 4096).and_then(|()| file.sync_data()).expect("the disk takes it");
                PamCode::Success
            }
        }
    }
}

/// Memory of this process in RAM, in KiB.
#[derive(Default)]
struct Memory {
    resident: i64,
    peak: i64,
}

impl Memory {
    /// The second of two readings: the first one may need memory itself.
    fn read_warm() -> Self {
        Self::read();
        Self::read()
    }

    /// `smaps_rollup` counts, where `VmRSS` of newer kernels estimates.
    fn read() -> Self {
        let value = |file: &str, key: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        Self { resident: value("/proc/self/smaps_rollup", "Rss:"), peak: value("/proc/self/status", "VmHWM:") }
    }
}

/// Workers, and the gate before which they wait.
pub(crate) struct Pool {
    workers: Vec<Worker>,
    gate: File,
}

struct Worker {
    child: Child,
    // Dropped first: at its end the worker ends.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Pool {
    /// So many workers that hold these modules loaded.
    pub(crate) fn start(workers: usize, modules: &[PathBuf]) -> Self {
        let arguments: Vec<&OsStr> =
            [OsStr::new("steady")].into_iter().chain(modules.iter().map(|module| module.as_os_str())).collect();
        Self::of(|| command(&arguments), workers)
    }

    /// One worker in which no login was made before, run under another program if `under` names one.
    pub(crate) fn fresh(under: &[&str]) -> Self {
        Self::of(
            || match under {
                [] => command(&[OsStr::new("fresh")]),
                [program, arguments @ ..] => {
                    let mut command = Command::new(program);
                    command.args(arguments).args([Path::new(&this_program()), Path::new(NAME), Path::new("fresh")]);
                    command
                }
            },
            1,
        )
    }

    fn of(command: impl Fn() -> Command, workers: usize) -> Self {
        if !Path::new(GATE).exists() {
            mkfifo(GATE, Mode::S_IRUSR | Mode::S_IWUSR).expect("/run is ours");
        }
        let workers = (0..workers).map(|_| Worker::start(command())).collect();
        Self { workers, gate: open_gate() }
    }

    /// Does the jobs, one worker each, all released together. Returns the time of the release, too.
    pub(crate) fn perform(&mut self, jobs: &[String]) -> (u64, Vec<Done>) {
        let workers = &mut self.workers[..jobs.len()];
        for (worker, job) in workers.iter_mut().zip(jobs) {
            worker.tell(job);
        }
        for worker in workers.iter_mut() {
            assert_eq!(worker.hear(), "ready");
        }
        let release = clock::now();
        self.gate.write_all(&vec![0; jobs.len()]).expect("a pipe holds that much");
        (release, workers.iter_mut().map(|worker| Done::parse(&worker.hear())).collect())
    }
}

impl Worker {
    fn start(mut command: Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdin, stdout }
    }

    fn tell(&mut self, job: &str) {
        let stdin = self.stdin.as_mut().expect("open until it is dropped");
        stdin.write_all(format!("{job}\n").as_bytes()).expect("the worker listens");
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the worker writes text");
        line.trim_end().to_owned()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stdin = None;
        drop(self.child.wait());
    }
}

impl Done {
    fn parse(line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        let [code, begin, end, worked, grown, peak] = *words else { panic!("the worker died: {line:?}") };
        let time = |word: &str| word.parse().expect("a time");
        let memory = |word: &str| word.parse().expect("KiB");
        Self {
            code: PamCode::from(code.parse::<i32>().expect("a code")),
            begin: time(begin),
            end: time(end),
            worked: time(worked),
            grown_kib: memory(grown),
            peak_kib: memory(peak),
        }
    }
}

/// The time to load a module in a process of its own.
pub(crate) fn time_to_load(module: &Path) -> u64 {
    let output = command(&[OsStr::new("load"), module.as_os_str()]).output().expect("a process");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a time")
}

fn command(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(this_program());
    command.arg(NAME).args(arguments).env_clear();
    command
}

/// In a world the path may be out of sight; this way it is not.
fn this_program() -> String {
    format!("/proc/{}/exe", process::id())
}
