//! Rows U: what others learn, interrupted questions, limits, a dead syslog, odd user numbers.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use twinlock_tests::{Attempt, CONFIG, PamCode, Terminal, one_after_another};

use crate::contender::{Contender, Scene, granted};
use crate::programs::processes;
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "U06",
        flaw: "The command's output revealed other users' status",
        origin: Some("CVE-2025-46717"),
        trial: Trial::Ours(u06_of_others_nothing_is_told),
    },
    Row {
        id: "U07",
        flaw: "A partly typed password appeared on the terminal",
        origin: Some("GHSA-q428-6v73-fc4q"),
        trial: Trial::Ours(u07_what_is_half_typed_is_not_shown),
    },
    Row {
        id: "U08",
        flaw: "A limit of 0 or -1 meant no limit",
        origin: None,
        trial: Trial::Everyone(u08_zero_is_no_way_to_say_unlimited),
    },
    Row {
        id: "U09",
        flaw: "A missing syslog or a long line crashed or blocked logins",
        origin: Some("sudo-rs 0.2.4"),
        trial: Trial::Everyone(u09_no_syslog_stops_a_login),
    },
    Row {
        id: "U10",
        flaw: "User id -1 was taken for root",
        origin: Some("CVE-2019-14287"),
        trial: Trial::Everyone(u10_odd_user_numbers_are_nobody_else),
    },
];

fn u06_of_others_nothing_is_told() -> String {
    Contender::Twinlock.scene(|scene| {
        scene.world.account("bob");
        scene.world.account("carol");
        scene.enrol("bob");
        scene.world.broker_service();
        let _broker = scene.world.broker();
        let own = scene.world.twinlock_as(&scene.alice, &["status"]).run();
        assert_eq!(own.code, Some(0), "{own:?}");
        let verbs = [&["status"][..], &["verify"], &["remove", "--yes"], &["recovery", "new"], &["resync"]];
        // Enrolled, not enrolled, root, and unknown.
        let others = ["bob", "carol", "root", "mallory"];
        for verb in verbs {
            let answers = others.map(|name| {
                let words = [verb, &[name]].concat();
                let output = scene.world.twinlock_as(&scene.alice, &words).run();
                assert_ne!(output.code, Some(0), "{output:?}");
                (output.code, output.stdout, output.stderr)
            });
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{verb:?}: {answers:#?}");
        }
        format!("{} verbs: one answer for all users", verbs.len())
    })
}

fn u07_what_is_half_typed_is_not_shown() -> String {
    const SCRIPT: &str = "trap : INT QUIT; stty -g | sed 's/^/before /'; \"$@\"; stty -g | sed 's/^/after /'; \
         stty -icanon min 0 time 2; echo \"left [$(dd bs=99 count=1 2>/dev/null)]\"";
    const HALF: &str = "correct hor";
    Contender::Twinlock.scene(|scene| {
        scene.world.broker_service();
        let _broker = scene.world.broker();
        let mut ends = 0;
        for end in ["\u{3}", "\u{1c}", "TERM", "HUP"] {
            // The broker asks each account once at a time, and may not have seen yet that the last one has ended.
            let account = scene.world.account(&format!("carol{ends}"));
            let enroll = scene.world.twinlock_as(&account, &["enroll"]).under(["sh", "-c", SCRIPT, "sh"]);
            let mut terminal = Terminal::start(enroll);
            terminal.expect("Password: ");
            terminal.send(HALF.as_bytes());
            match end {
                "TERM" | "HUP" => {
                    // The kernel hands what is typed on in its own time, and nobody sees when it has come.
                    thread::sleep(Duration::from_millis(100));
                    let signal = if end == "TERM" { Signal::SIGTERM } else { Signal::SIGHUP };
                    let asking = processes(|name| name == "twinlock")[0];
                    kill(Pid::from_raw(asking), signal).unwrap();
                }
                key => terminal.send(key.as_bytes()),
            }
            let shown = terminal.finish().stdout;
            let line =
                |start: &str| shown.lines().find_map(|line| line.split_once(start)).unwrap_or_default().1.to_owned();
            assert!(!line("before ").is_empty() && line("before ") == line("after "), "{end:?}: {shown}");
            assert!(shown.contains("left []") && !shown.contains(HALF), "{end:?}: {shown}");
            ends += 1;
        }
        format!("{ends} ways to end: nothing printed, terminal restored")
    })
}

/// Whether the limit is gone: a correct code is accepted after many incorrect ones, or a very old one is.
fn without_a_limit(scene: &Scene<'_>) -> bool {
    const GUESSES: usize = 8;
    let old = scene.app.code_at(scene.app.now_step() - 40);
    let kept = scene.keep();
    if scene.answer(old) == PamCode::Success {
        return true;
    }
    scene.put_back(&kept);
    one_after_another(scene.world, vec![scene.guess(); GUESSES]);
    scene.is_open()
}

fn u08_zero_is_no_way_to_say_unlimited(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let numbers = ["0", "-1", "4294967296", "1001", "\"\""];
        let keys = ["free_failures", "budget", "disable_after"];
        let spans = ["0s", "-1s", "61m", ""];
        let settings: Vec<String> = match contender {
            Contender::Twinlock => {
                let counted = keys.iter().flat_map(|key| numbers.iter().map(move |value| format!("{key} = {value}")));
                counted.chain(spans.iter().map(|span| format!("spacing = \"{span}\""))).collect()
            }
            Contender::GoogleAuthenticator => {
                let limits = ["0 30", "3 0", "0 0", "-1 30", "3 -1", "101 30", "3 3601", ""];
                let windows = ["0", "-1", "101", ""];
                let limits = limits.iter().map(|value| format!("\" RATE_LIMIT {value}\n\" WINDOW_SIZE 3"));
                limits
                    .chain(windows.iter().map(|value| format!("\" RATE_LIMIT 3 30\n\" WINDOW_SIZE {value}")))
                    .collect()
            }
            // It has no limit of wrong answers.
            Contender::Oath => ["window=0", "window=-1", "window=", "digits=0", "digits=-1"].map(String::from).into(),
        };
        let mut unlimited = Vec::new();
        for setting in &settings {
            match contender {
                Contender::Twinlock => {
                    scene.world.write(CONFIG, format!("[throttle]\n{setting}\n"));
                    drop(fs::remove_file(scene.state()));
                }
                Contender::GoogleAuthenticator => {
                    let secret = BASE32_NOPAD.encode(&scene.app.secret);
                    scene.world.write_secret(scene.state(), format!("{secret}\n{setting}\n\" TOTP_AUTH\n"));
                }
                Contender::Oath => {
                    scene.world.service(
                        "svc",
                        &format!("auth required pam_oath.so usersfile={} {setting}\n", scene.state().display()),
                    );
                }
            }
            let open = if contender == Contender::Oath {
                scene.answer(scene.app.code_at(scene.app.now_step() - 40)) == PamCode::Success
            } else {
                without_a_limit(scene)
            };
            if open {
                unlimited.push(setting.replace('\n', " ").replace('"', ""));
            }
        }
        let seen = match unlimited.as_slice() {
            [] => format!("{} settings: none lifts the limit", settings.len()),
            some if contender == Contender::Oath => {
                format!("code from 20 minutes ago accepted with {}", some.join(", "))
            }
            some => format!("no limit with {}", some.join("; ")),
        };
        Finding::of(unlimited.is_empty(), seen)
    })
}

fn u09_no_syslog_stops_a_login(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let kept = scene.keep();
        let name = "a".repeat(20_000);
        let mut trouble = Vec::new();
        let mut longest = Duration::ZERO;
        let mut try_all = |what: &'static str| {
            let attempts = [
                scene.guess(),
                scene.attempt().answer(scene.codes().next()),
                Attempt::new("svc").user(&name).rhost(&name).answer("123456"),
            ];
            let begun = Instant::now();
            for attempt in attempts {
                let outcome = attempt.under(["timeout", "-s", "KILL", "3"]).run(scene.world);
                if !outcome.report_came() {
                    trouble.push(what);
                    break;
                }
            }
            longest = longest.max(begun.elapsed());
            scene.put_back(&kept);
        };
        try_all("there");
        fs::remove_file("/dev/log").unwrap();
        try_all("away");
        scene.world.write("/dev/log", "");
        try_all("a file");
        // A reader that is gone. (One that is there and does not read makes syslog(3) of libc wait, in every program of the
        // host.)
        fs::remove_file("/dev/log").unwrap();
        drop(UnixDatagram::bind("/dev/log").unwrap());
        try_all("left");
        let seen = match trouble.as_slice() {
            [] => format!("4 states of syslog: {} ms at most", longest.as_millis()),
            some => format!("hung with syslog {}", some.join(", ")),
        };
        Finding::of(trouble.is_empty(), seen)
    })
}

fn u10_odd_user_numbers_are_nobody_else(contender: Contender) -> Finding {
    const ODD: [(&str, u32); 4] =
        [("minus", u32::MAX), ("most", u32::MAX - 1), ("half", 1 << 31), ("less", (1 << 31) - 1)];
    contender.scene(|scene| {
        let root = scene.enrol("root");
        let mut let_in = 0;
        let mut tried = 0;
        for (name, uid) in ODD {
            scene.world.account_with_uid(name, uid);
            let app = scene.enrol(name);
            let wrong = [app.wrong_code(), root.codes().next(), scene.codes().next()];
            let attempts = wrong.map(|code| Attempt::new("svc").user(name).answer(code));
            tried += attempts.len() + 1;
            let_in += granted(&one_after_another(scene.world, attempts));
            let as_root = Attempt::new("svc").user("root").answer(app.codes().next()).run(scene.world);
            let_in += usize::from(as_root.code() == PamCode::Success);
        }
        let numbers = ["-1", "#-1", "#0", "0", "4294967295", "4294967296"];
        let code = root.codes().next();
        let as_numbers = numbers.map(|name| Attempt::new("svc").user(name).answer(&code));
        tried += numbers.len();
        let_in += granted(&one_after_another(scene.world, as_numbers));
        Finding::of(let_in == 0, format!("{let_in} of {tried} logins granted"))
    })
}
