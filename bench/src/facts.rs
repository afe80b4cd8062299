//! What a module costs its host beside time: size, loading, memory, system calls. And how fast the command starts.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use twinlock_tests::{Launch, file_system_of_stores};

use crate::clock;
use crate::contender::{Contender, Given};
use crate::report::{milliseconds, spread};
use crate::samples::Samples;
use crate::scene::{ONE, Scene, person};
use crate::worker::{self, Done, MARKS, Pool};

/// The columns: the modules, and libpam with one that does nothing.
const SUBJECTS: [Contender; 4] =
    [Contender::Twinlock, Contender::GoogleAuthenticator, Contender::Oath, Contender::Libpam];

/// All of it.
pub(crate) struct Facts {
    /// A value for each of [`Facts::COLUMNS`].
    pub(crate) rows: Rows,
    /// What needs a line of its own.
    pub(crate) notes: Vec<String>,
}

type Rows = Vec<(&'static str, [String; 4])>;

impl Facts {
    /// The heads of the columns.
    pub(crate) const COLUMNS: [Contender; 4] = SUBJECTS;
}

/// Measures, in so many fresh processes each.
pub(crate) fn gather(scene: &Scene<'_>, processes: usize) -> Facts {
    eprintln!("size, loading, memory, system calls");
    let row = |value: &dyn Fn(&Path) -> Option<String>| {
        SUBJECTS.map(|subject| {
            let present = scene.present.contains(&subject).then(|| scene.module(subject));
            present.and_then(|module| value(&module)).unwrap_or_else(|| "-".into())
        })
    };
    let loading = |module: &Path| {
        let times: Samples = (0..processes).map(|_| worker::time_to_load(module)).collect();
        Some(spread(&times))
    };
    let mut rows = vec![
        ("size of the module, bytes", row(&|module| Some(fs::metadata(module).ok()?.len().to_string()))),
        ("loading it, ms", row(&loading)),
    ];
    let (code, recovery) =
        (first_logins(scene, Given::Code, processes), first_logins(scene, Given::RecoveryCode, processes.min(15)));
    let from = |logins: &[Vec<Done>; 4], value: &dyn Fn(&[Done]) -> String| {
        logins.each_ref().map(|done| if done.is_empty() { "-".into() } else { value(done) })
    };
    let grown = |done: &[Done]| median(done, |done| done.grown_kib);
    let peak = |done: &[Done]| median(done, |done| done.peak_kib);
    let took = |done: &[Done]| spread(&done.iter().map(|done| done.end - done.begin).collect());
    rows.push(("first login of a process, ms", from(&code, &took)));
    rows.push(("memory kept, code, KiB", from(&code, &grown)));
    rows.push(("memory at the peak, code, KiB", from(&code, &peak)));
    rows.push(("memory kept, recovery code, KiB", from(&recovery, &grown)));
    rows.push(("memory at the peak, recovery code, KiB", from(&recovery, &peak)));
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok() {
        trace(scene, &mut rows);
    }
    Facts { rows, notes: notes(scene, processes) }
}

fn trace(scene: &Scene<'_>, rows: &mut Rows) {
    let names = [
        (Given::Code, "system calls, success", "fsync and fdatasync, success"),
        (Given::WrongCode, "system calls, incorrect code", "fsync and fdatasync, incorrect code"),
        (Given::RecoveryCode, "system calls, recovery code", "fsync and fdatasync, recovery code"),
    ];
    for (given, name, syncs) in names {
        let calls = SUBJECTS.map(|subject| calls(scene, subject, given));
        let count = |wanted: &[&str]| {
            calls.each_ref().map(|calls| match calls {
                None => "-".into(),
                Some(calls) => calls.iter().filter(|call| wanted.contains(&call.as_str())).count().to_string(),
            })
        };
        let total =
            calls.each_ref().map(|calls| calls.as_ref().map_or_else(|| "-".into(), |calls| calls.len().to_string()));
        rows.push((name, total));
        rows.push((syncs, count(&["fsync", "fdatasync"])));
        if given == Given::Code {
            rows.push(("open and openat, success", count(&["open", "openat"])));
            rows.push((
                "rename and unlink, success",
                count(&["rename", "renameat", "renameat2", "unlink", "unlinkat"]),
            ));
        }
    }
}

/// The first login of fresh processes, each with the state put back.
fn first_logins(scene: &Scene<'_>, given: Given, processes: usize) -> [Vec<Done>; 4] {
    let mut logins = [const { Vec::new() }; 4];
    for _ in 0..processes {
        for (subject, logins) in SUBJECTS.iter().zip(&mut logins) {
            logins.extend(login(scene, *subject, given, &[]));
        }
    }
    logins
}

fn login(scene: &Scene<'_>, subject: Contender, given: Given, under: &[&str]) -> Option<Done> {
    if !scene.present.contains(&subject) || !subject.takes(given) {
        return None;
    }
    scene.put_back(subject, ONE, &[0]);
    let job = scene.job(subject, ONE, 0, given);
    let done = Pool::fresh(under).perform(&[job]).1[0];
    assert_eq!(done.code, Contender::verdict(given), "{subject:?}, {given:?}: {:?}", scene.world.log().last());
    Some(done)
}

/// The names of the system calls of one login in a fresh process.
fn calls(scene: &Scene<'_>, subject: Contender, given: Given) -> Option<Vec<String>> {
    let file = format!("/run/trace-{}", scene.serial());
    login(scene, subject, given, &["strace", "-f", "-o", &file])?;
    let trace = fs::read_to_string(&file).expect("strace wrote it");
    let inside = trace.lines().skip_while(|line| !line.contains(MARKS[0])).skip(1);
    let inside = inside.take_while(|line| !line.contains(MARKS[1]));
    // `PID NAME(ARGUMENTS) = RESULT`
    let names = inside.filter_map(|line| Some(line.split_once('(')?.0.split_whitespace().last()?.to_owned()));
    Some(names.collect())
}

fn notes(scene: &Scene<'_>, processes: usize) -> Vec<String> {
    let mut notes = Vec::new();
    for contender in SUBJECTS[..3].iter().filter(|subject| scene.present.contains(subject)) {
        if let Some(needed) = needed(&scene.module(*contender)) {
            notes.push(format!("{} needs {needed}.", contender.module().unwrap_or_default()));
        }
    }
    let started = |arguments: &[&str]| {
        // Once to find the program and to see that it works, then timed without the harness around it.
        let output = Launch::new(["sh", "-c", "command -v \"$0\""].iter().chain(&arguments[..1])).run();
        let program = output.stdout.trim().to_owned();
        let time = |_| {
            let begin = clock::now();
            let status = Command::new(&program)
                .args(&arguments[1..])
                .env_clear()
                .stdout(Stdio::null())
                .status()
                .expect(&program);
            assert!(status.success(), "{arguments:?}: {status}");
            clock::now() - begin
        };
        (0..processes).map(time).collect::<Samples>().median()
    };
    let status = started(&["twinlock", "status", &person(0).name, "--config", "/etc/twinlock/1.toml"]);
    let nothing = started(&["true"]);
    notes.push(format!(
        "`twinlock status USER` takes {} ms from start to end, `true` {} ms.",
        milliseconds(status),
        milliseconds(nothing)
    ));
    notes
}

/// The libraries that a module names.
fn needed(module: &Path) -> Option<String> {
    let output = Command::new("readelf").arg("-d").arg(module).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| line.contains("(NEEDED)"));
    let names: Vec<_> = lines.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']'))).collect();
    Some(names.join(", "))
}

fn median(done: &[Done], value: impl Fn(&Done) -> i64) -> String {
    let values: Samples = done.iter().map(|done| u64::try_from(value(done)).unwrap_or(0)).collect();
    values.median().to_string()
}

/// What was measured on: file system, kernel, processor, modules.
pub(crate) fn machine() -> Vec<String> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, name)| name);
    let processors = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let mut lines = vec![
        format!("Stores on {}.", file_system_of_stores()),
        format!("{processors} x {model}; Linux {}.", read("/proc/sys/kernel/osrelease").trim()),
    ];
    let packages: [(&str, &[&str]); 2] = [
        (
            "dpkg-query",
            &["-W", "-f=${Package} ${Version}\\n", "libpam0g", "libpam-google-authenticator", "libpam-oath"],
        ),
        ("rpm", &["-q", "pam", "google-authenticator", "pam_oath"]),
    ];
    let versions = packages.iter().find_map(|(program, arguments)| {
        let output = Command::new(program).args(*arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().replace('\n', "; "))
    });
    lines.extend(versions.map(|versions| format!("{versions}.")));
    lines
}
