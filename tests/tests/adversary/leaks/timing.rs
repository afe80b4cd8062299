//! How long a refusal takes, before the delay that hides it: the same work, the same system calls, and about the same time,
//! whichever code was given.

use std::ffi::CString;
use std::fs;

use twinlock_tests::{PamCode, World, in_world, tally, time_of_an_answer};

use crate::leaks::oracle::{CLASSES, Class};
use crate::leaks::owner::EXACT;

/// A code that is compared with a secret and refused: these must not be told apart by anything.
const CODES: [&str; 5] = ["wrong", "replayed", "behind the window", "before the window", "outside of everything"];
/// The same of a recovery code: whether others were issued shows by nothing.
const RECOVERY_CODES: [&str; 3] =
    ["wrong recovery code", "wrong recovery code beside issued codes", "wrong recovery code after issued codes"];
/// These do less or other work; how much is for the reader of the figures.
const OTHERS: [&str; 3] = ["disabled", "not enrolled", "unknown"];

fn named(names: &[&str]) -> Vec<&'static Class> {
    names.iter().map(|name| CLASSES.iter().find(|class| class.name == *name).unwrap()).collect()
}

#[test]
fn a_refused_code_makes_the_same_system_calls_whatever_code_it_is() {
    in_world(|world| {
        world.set_up("");
        world.service("svc", &EXACT.replace(" debug", ""));
        let calls = |class: &Class| {
            let outcome = class.attempt(world).under(["strace", "-f", "-o", "/run/trace"]).run(world);
            assert_eq!(outcome.code(), PamCode::AuthErr);
            let trace = fs::read_to_string("/run/trace").unwrap();
            let loaded = trace.lines().skip_while(|line| !line.contains("pam_twinlock.so")).skip(1);
            let ours = loaded.take_while(|line| !line.contains("\"/proc/self/status\""));
            ours.map(shape).collect::<Vec<_>>()
        };
        for alike in [&CODES[..], &RECOVERY_CODES] {
            let classes = named(alike);
            let first = calls(classes[0]);
            assert!(first.len() > 60 && first.iter().any(|call| call == "fdatasync"), "{first:#?}");
            for class in &classes[1..] {
                assert_eq!(calls(class), first, "T-ORACLE: {}", class.name);
                tally("leaks", "system calls compared", first.len() as u64);
            }
        }
    });
}

/// A call without what differs between two processes: its name, and how much was read or written. The line of the log
/// names the reason, and its length is nobody's to see.
fn shape(line: &str) -> String {
    let (_pid, call) = line.split_once(' ').unwrap();
    let (name, rest) = call.trim_start().split_once('(').unwrap_or((call, ""));
    match name {
        "pwrite64" | "pread64" | "read" => format!("{name} {}", rest.rsplit_once("= ").unwrap_or_default().1),
        _ => name.to_owned(),
    }
}

/// Times of one class, in microseconds.
struct Sample {
    name: &'static str,
    times: Vec<f64>,
}

/// The time below which so many hundredths of them are.
fn quantile(times: &[f64], hundredths: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() * hundredths / 100]
}

impl Sample {
    /// Without the slowest twentieth, in which something else ran.
    fn steady(&self) -> Vec<f64> {
        let mut sorted = self.times.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.truncate(sorted.len() * 19 / 20);
        sorted
    }

    /// The undisturbed ones: a busy host makes most attempts slower, and the quickest hardly.
    fn quick(&self) -> f64 {
        quantile(&self.times, 15)
    }

    /// Welch's t.
    fn welch(&self, other: &Self) -> f64 {
        let of = |sample: &Self| {
            let steady = sample.steady();
            #[allow(clippy::cast_precision_loss, reason = "thousands")]
            let count = steady.len() as f64;
            let mean = steady.iter().sum::<f64>() / count;
            (mean, steady.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
        };
        let ((one, spread), (other, other_spread)) = (of(self), of(other));
        (one - other) / (spread + other_spread).sqrt()
    }

    /// Kolmogorov and Smirnov's D: the most by which the two distributions differ.
    fn kolmogorov_smirnov(&self, other: &Self) -> f64 {
        let (one, other) = (self.steady(), other.steady());
        let share = |times: &[f64], at: f64| {
            #[allow(clippy::cast_precision_loss, reason = "thousands")]
            let share = times.partition_point(|time| *time <= at) as f64 / times.len() as f64;
            share
        };
        one.iter().chain(&other).map(|at| (share(&one, *at) - share(&other, *at)).abs()).fold(0.0, f64::max)
    }
}

/// Times refusals of all these classes, in turns: what else the host does strikes all alike.
fn measured(world: &World, classes: &[&'static Class]) -> Vec<Sample> {
    /// Attempts of each class.
    const ROUNDS: usize = 500;
    let mut samples: Vec<_> = classes.iter().map(|class| Sample { name: class.name, times: Vec::new() }).collect();
    for round in 0..ROUNDS {
        // Each class after every other one in turn: what came before is still in the caches.
        let stride = [1, 3, 5, 7][round % 4];
        for turn in 0..classes.len() {
            let at = (round + turn * stride) % classes.len();
            let (user, answer) = classes[at].prepared(world);
            let (_, time) = time_of_an_answer(c"svc", &CString::new(user).unwrap(), answer.as_bytes());
            samples[at].times.push(time.as_secs_f64() * 1e6);
        }
    }
    tally("leaks", "refusals timed", (ROUNDS * classes.len()) as u64);
    samples
}

/// Those codes that take another time than the first, a wrong one.
fn told_apart(samples: &[Sample]) -> Vec<&'static str> {
    let (wrong, others) = samples.split_first().unwrap();
    let (whole, middle) = (wrong.quick(), quantile(&wrong.times, 50));
    println!("{:24} quick {whole:7.1} us, median {middle:7.1} us", wrong.name);
    let apart = others.iter().filter(|sample| {
        let (quick, middle) = (sample.quick(), quantile(&sample.times, 50));
        let (t, d) = (sample.welch(wrong), sample.kolmogorov_smirnov(wrong));
        println!("{:24} quick {quick:7.1} us, median {middle:7.1} us, Welch t {t:7.2}, KS D {d:.3}", sample.name);
        // A walk over the window more or less is more than this.
        (quick - whole).abs() >= whole / 20.0 && !OTHERS.contains(&sample.name)
    });
    apart.map(|sample| sample.name).collect()
}

#[test]
#[ignore = "times thousands of refusals on a host that should do nothing else; that the work is the same is tried above"]
fn a_refused_code_takes_about_as_long_whatever_code_it_is() {
    in_world(|world| {
        world.set_up("");
        world.service("svc", &EXACT.replace(" debug", ""));
        let classes = named(&[&CODES[..], &OTHERS].concat());
        // What tells them apart does so each time; what else runs on a host, now and then.
        let mut apart = CODES.to_vec();
        for _ in 0..3 {
            let now = told_apart(&measured(world, &classes));
            apart.retain(|name| now.contains(name));
            if apart.is_empty() {
                return;
            }
        }
        panic!("T-ORACLE: {apart:?}");
    });
}
