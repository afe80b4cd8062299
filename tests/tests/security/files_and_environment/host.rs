//! Randomness, time, environment, settings and other processes.

use std::fs;
use std::time::{Duration, Instant};

use twinlock_tests::{Attempt, CONFIG, PamCode, STORE, Snapshot, authenticate, tally};

use crate::contender::{Contender, Scene, granted};
use crate::row::Finding;

pub(super) fn no_randomness_no_secret(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        let place = if contender == Contender::Twinlock { STORE } else { "/root" };
        let before = Snapshot::of(place);
        let Some(launch) = scene.enrolling() else { return Finding::Unfit("no secrets made") };
        let enrol = |calls: &str, urandom: &str| {
            let change = format!("mount --bind {urandom} /dev/urandom && exec \"$@\"");
            let world = ["unshare", "-m", "sh", "-c", &change, "sh"];
            launch.clone().under([&["strace", "-f", "-o", "/dev/null", "-e", calls][..], &world].concat()).run().code
        };
        let mut stored = 0;
        for error in ["EIO", "EAGAIN", "ENOSYS"] {
            // The first calls are libc's and the runtime's own. /dev/urandom fails too, so that there is no way round.
            let calls = format!("inject=getrandom:error={error}:when=3+");
            let ended = enrol(&calls, "/dev/null");
            stored += usize::from(ended == Some(0) || Snapshot::of(place) != before);
        }
        assert_eq!(enrol("trace=getrandom", "/dev/urandom"), Some(0), "{}: where nothing fails", contender.name());
        Finding::of(stored == 0, format!("{stored} of 3 enrolments stored"))
    })
}

pub(super) fn the_time_tells_nothing_of_a_code() -> String {
    const SAMPLES: usize = 300;
    Contender::Twinlock.scene(|scene| {
        let step = scene.app.now_step();
        let right = scene.app.code_at(step);
        let changed = |at: usize| {
            let mut digits = right.clone().into_bytes();
            digits[at] = b'0' + (digits[at] - b'0' + 5) % 10;
            String::from_utf8(digits).unwrap()
        };
        // A used code, one that is wrong in its first digit, and one in its last.
        let answers = [right.clone(), changed(0), changed(5)];
        let used = twinlock_tests::ForgedState::of(&scene.alice).used(step + 2);
        let mut times = answers.each_ref().map(|_| Vec::new());
        for _ in 0..SAMPLES {
            for (answer, times) in answers.iter().zip(&mut times) {
                used.write(scene.world);
                let start = Instant::now();
                let code = authenticate(c"svc", c"alice", answer.as_bytes());
                times.push(start.elapsed());
                assert_eq!(code, PamCode::AuthErr);
            }
        }
        let medians = times.map(|mut times| {
            times.sort();
            times[SAMPLES / 2]
        });
        let spread = medians.iter().max().unwrap().abs_diff(*medians.iter().min().unwrap());
        tally("security", "refusals timed", 3 * SAMPLES as u64);
        assert!(spread < Duration::from_micros(50), "{medians:?}");
        format!("used, first or last digit incorrect: medians within {} µs", spread.as_micros())
    })
}

/// What an attempt opened, returned and logged.
fn traces(scene: &Scene<'_>, attempt: Attempt) -> (PamCode, Vec<String>, Vec<String>) {
    scene.reset();
    let mark = scene.world.log_mark();
    let (outcome, calls) = scene.trace(attempt.answer(scene.app.wrong_code()), "open", &[]);
    let paths = calls.iter().filter_map(|call| call.split('"').nth(1));
    // Then the host takes a look at itself. What comes after `~` is another one each time.
    let opened = paths.take_while(|path| *path != "/proc/self/status").map(|path| path.split('~').next().unwrap());
    let opened = opened.map(str::to_owned).collect();
    let log = scene.world.log_since(mark).into_iter().map(|line| line.text).collect();
    (outcome.code(), opened, log)
}

pub(super) fn the_environment_changes_nothing(contender: Contender) -> Finding {
    const VARIABLES: [(&str, &str); 16] = [
        ("HOME", "/tmp"),
        ("XDG_CONFIG_HOME", "/tmp"),
        ("TMPDIR", "/tmp/x"),
        ("USER", "root"),
        ("LOGNAME", "root"),
        ("SUDO_USER", "root"),
        ("PAM_USER", "root"),
        ("PAM_TYPE", "account"),
        ("SSH_CONNECTION", "127.0.0.1 1 127.0.0.1 22"),
        ("DISPLAY", ":0"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LIB_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("RUST_MIN_STACK", "1"),
        ("TWINLOCK_NOW", "0"),
        ("TWINLOCK_DEBUG", "1"),
    ];
    contender.scene(|scene| {
        let clean = traces(scene, scene.attempt());
        let hostile = VARIABLES.iter().fold(scene.attempt(), |attempt, (name, value)| attempt.environment(name, value));
        let same = traces(scene, hostile) == clean;
        let seen = if same { "same result, files and log" } else { "different result, files or log" };
        Finding::of(same, format!("{seen} under {} variables", VARIABLES.len()))
    })
}

pub(super) fn a_misspelt_setting_is_not_passed_over(contender: Contender) -> Finding {
    contender.scene(|scene| match contender {
        Contender::Twinlock => misspelt_settings(scene),
        Contender::GoogleAuthenticator => {
            scene.change_state("DISALLOW_REUSE", "DISALOW_REUSE");
            let code = scene.codes().next();
            let opened = granted(&[(); 2].map(|()| scene.attempt().answer(&code).run(scene.world)));
            Finding::of(opened < 2, format!("with DISALLOW_REUSE misspelt one code granted {opened} of 2 logins"))
        }
        Contender::Oath => {
            scene.with_words("windoww=0");
            let open = scene.answer(scene.codes().next()) == PamCode::Success;
            Finding::of(!open, if open { "misspelt option ignored" } else { "denied" })
        }
    })
}

/// Each setting of the shipped file, with a letter too many.
fn misspelt_settings(scene: &Scene<'_>) -> Finding {
    let shipped = fs::read_to_string(scene.world.repository().join("config/config.toml")).unwrap();
    let lines: Vec<_> = shipped.lines().collect();
    let is_setting = |line: &&str| {
        let key = line.strip_prefix('#').and_then(|line| line.split_once(" = ")).map(|(key, _)| key);
        key.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let settings: Vec<_> = lines.iter().enumerate().filter(|(_, line)| is_setting(line)).collect();
    let mut passed_over = Vec::new();
    for (at, line) in &settings {
        let mut text = lines.clone();
        let misspelt = line.replacen('#', "", 1).replacen(" = ", "x = ", 1);
        text[*at] = &misspelt;
        scene.world.write(CONFIG, text.join("\n"));
        let mark = scene.world.log_mark();
        let code = scene.answer(scene.codes().next());
        let named = format!("{CONFIG}:{}:", at + 1);
        let is_named = scene.world.log_since(mark).iter().any(|line| line.text.contains(&named));
        if code == PamCode::Success || !is_named {
            passed_over.push(misspelt);
        }
    }
    assert!(settings.len() > 10, "{settings:?}");
    Finding::of(
        passed_over.is_empty(),
        if passed_over.is_empty() {
            format!("{} misspelt settings: denied, logged with the line", settings.len())
        } else {
            format!("ignored: {}", passed_over.join(", "))
        },
    )
}

pub(super) fn no_other_process_is_looked_at(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let (_, calls) =
            scene.trace(scene.attempt().answer(scene.codes().next()), "open,readlink,stat,newfstatat", &[]);
        let of_process = |call: &&String| {
            let path = call.split('"').nth(1).and_then(|path| path.strip_prefix("/proc/"));
            path.is_some_and(|path| path.is_empty() || path.starts_with(|letter: char| letter.is_ascii_digit()))
        };
        let looked = calls.iter().filter(of_process).count();
        Finding::of(looked == 0, format!("{looked} processes looked up"))
    })
}

/// The calls that start something.
const STARTS: &str = "execve,execveat,fork,vfork,clone,clone3";

pub(super) fn no_program_is_run(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let attempt = scene.attempt().environment("PINENTRY_FALLBACK_APP", "/usr/bin/id").answer(scene.codes().next());
        let (_, calls) = scene.trace(attempt, STARTS, &[]);
        let mut run = calls.iter().filter(|call| STARTS.split(',').any(|name| call.starts_with(name))).count();
        let mut tried = "a login";
        if contender == Contender::Twinlock {
            tried = "a login, 8 verbs";
            run += run_by_the_command(scene);
        }
        Finding::of(run == 0, format!("{tried}: {run} programs run"))
    })
}

/// How many programs the command runs, itself apart.
fn run_by_the_command(scene: &Scene<'_>) -> usize {
    let verbs: [&[&str]; 8] = [
        &["status", "alice"],
        &["status", "$(id)"],
        &["enroll", "alice;id", "--no-confirm"],
        &["verify", "alice"],
        &["check"],
        &["list"],
        &["unlock", "alice"],
        &["remove", "alice", "--yes"],
    ];
    let run = |verb: &[&str]| {
        let strace = ["strace", "-f", "-o", "/run/trace", "-e", "trace=execve,execveat"];
        let launch = scene.world.twinlock_launch(verb).environment("PINENTRY_FALLBACK_APP", "/usr/bin/id");
        launch
            .environment("EDITOR", "/usr/bin/id")
            .environment("PAGER", "/usr/bin/id")
            .under(strace)
            .run_with_input(b"123456\n");
        fs::read_to_string("/run/trace").unwrap().matches("exec").count() - 1
    };
    verbs.into_iter().map(run).sum()
}
