//! Rows L: what is typed, and which files it leads to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use twinlock_tests::{
    Attempt, CONFIG, Give, Launch, PASSWORD, PamCode, STORE, Snapshot, one_after_another, set_mode, tally,
};

use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "L08",
        flaw: "Names containing ../ became paths",
        origin: Some("CVE-2014-2583, CVE-2023-42456"),
        trial: Trial::Everyone(l08_no_name_leads_out_of_the_folder),
    },
    Row {
        id: "L09",
        flaw: "Answers were compared partially, or ignoring case",
        origin: Some("CVE-2013-7041"),
        trial: Trial::Everyone(l09_every_character_counts),
    },
    Row {
        id: "L10",
        flaw: "A pipe in place of a folder blocked the login",
        origin: Some("CVE-2024-22365"),
        trial: Trial::Everyone(l10_a_pipe_for_a_folder_does_not_hang_a_login),
    },
    Row {
        id: "L11",
        flaw: "A folder was swapped between check and open",
        origin: Some("CVE-2025-6020"),
        trial: Trial::Ours(l11_a_swapped_folder_lets_nobody_in),
    },
    Row {
        id: "L12",
        flaw: "Very long answers blocked the login",
        origin: Some("CVE-2015-3238"),
        trial: Trial::Everyone(l12_long_answers_cost_little),
    },
    Row {
        id: "L13",
        flaw: "Unknown accounts were accepted with an empty password",
        origin: Some("CVE-2020-27780"),
        trial: Trial::Everyone(l13_nobody_is_nobody),
    },
    Row {
        id: "L14",
        flaw: "Response times revealed correct parts and accounts",
        origin: Some("CVE-2026-54411"),
        trial: Trial::Ours(l14_a_refusal_takes_as_long_for_everybody),
    },
    Row {
        id: "L15",
        flaw: "Passwords typed as user names were logged",
        origin: Some("Linux-PAM 4b3e2f9f"),
        trial: Trial::Everyone(l15_no_unknown_name_is_logged),
    },
];

fn l08_no_name_leads_out_of_the_folder(contender: Contender) -> Finding {
    contender.scene(|scene| {
        // What a path made of such a name would lead to: a record with alice's secret.
        let record = fs::read(scene.files_read().first().unwrap()).unwrap();
        for place in ["/tmp/alice", "/tmp/alice.toml", "/tmp/credentials/alice.toml"] {
            scene.world.write_secret(place, &record);
        }
        let up = "../".repeat(8);
        let hostile = [
            format!("{up}tmp/alice"),
            format!("{up}tmp/alice\n"),
            format!("./{up}tmp/alice"),
            format!("alice/{up}tmp/alice"),
            "/tmp/alice".into(),
            "..".into(),
            ".".into(),
            "alice/../alice".into(),
            "./alice".into(),
            "%2e%2e/alice".into(),
            "a".repeat(5000),
            "\u{202e}alice".into(),
        ];
        let code = scene.codes().next();
        let before = world_but(&scene.state());
        let as_user = hostile.iter().map(|name| Attempt::new("svc").user(name).answer(&code));
        let as_item = |name: &String| scene.attempt().tty(name).rhost(name).answer(scene.app.wrong_code());
        let outcomes = one_after_another(scene.world, as_user.chain(hostile.iter().map(as_item)));
        let let_in = granted(&outcomes);
        let untouched = world_but(&scene.state()) == before;
        let option = if contender == Contender::GoogleAuthenticator { " (option user=root)" } else { "" };
        let seen = format!("{let_in} of {} names reached other files{option}", outcomes.len());
        Finding::of(let_in == 0 && untouched, seen)
    })
}

/// Everything that could be written to, but for one file.
fn world_but(path: &Path) -> Vec<Snapshot> {
    let kept = fs::read(path).ok();
    drop(fs::remove_file(path));
    let seen = ["/etc", "/var", "/home", "/root", "/tmp"].map(Snapshot::of).into();
    if let Some(content) = kept {
        fs::write(path, content).unwrap();
        set_mode(path, 0o600);
    }
    seen
}

fn l09_every_character_counts(contender: Contender) -> Finding {
    const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ0";
    contender.scene(|scene| {
        let code = scene.recovery_code.clone().unwrap_or_else(|| scene.codes().next());
        let next = |symbol: u8| {
            let digits = code.bytes().all(|byte| byte.is_ascii_digit());
            let symbols = if digits { "01234567890" } else { SYMBOLS };
            symbols.as_bytes()[symbols.bytes().position(|known| known == symbol).unwrap() + 1]
        };
        let places = (0..code.len()).filter(|place| code.as_bytes()[*place] != b'-');
        let changed = places.map(|place| {
            let mut one = code.clone().into_bytes();
            one[place] = next(one[place]);
            one
        });
        let last = code.len() - 1;
        let (but_first, but_last) = (code.split_at(1).1, code.split_at(last).0);
        let around = [but_first, but_last, &format!("{code}0"), &format!("0{code}"), &code.repeat(2)];
        let all: Vec<Vec<u8>> = changed.chain(around.map(|text| text.as_bytes().to_vec())).collect();
        let near: Vec<_> =
            (0..5).map(|ahead| scene.app.code_at(scene.app.now_step() - 1 + ahead).into_bytes()).collect();
        let fresh = scene.keep();
        let mut let_in = 0;
        for answer in all.iter().filter(|answer| !near.contains(answer)) {
            let_in += usize::from(scene.answer(answer) == PamCode::Success);
            scene.put_back(&fresh);
        }
        assert_eq!(scene.answer(&code), PamCode::Success, "the code itself is right");
        Finding::of(let_in == 0, format!("{let_in} of {} almost correct codes accepted", all.len()))
    })
}

fn l10_a_pipe_for_a_folder_does_not_hang_a_login(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let folders: Vec<PathBuf> = match contender {
            Contender::Twinlock => {
                ["", "/credentials", "/state"].map(|folder| format!("{STORE}{folder}").into()).into()
            }
            Contender::GoogleAuthenticator | Contender::Oath => vec![scene.state().parent().unwrap().to_owned()],
        };
        let mut hung = 0;
        for folder in &folders {
            let aside = folder.with_extension("aside");
            fs::rename(folder, &aside).unwrap();
            mkfifo(folder, Mode::from_bits_truncate(0o600)).unwrap();
            let outcome = scene.attempt().answer(scene.codes().next()).under(["timeout", "-s", "KILL", "4"]);
            let outcome = outcome.run(scene.world);
            hung += usize::from(!outcome.report_came());
            assert!(!outcome.report_came() || outcome.code() != PamCode::Success, "{}", folder.display());
            fs::remove_file(folder).unwrap();
            fs::rename(aside, folder).unwrap();
        }
        Finding::of(hung == 0, format!("{} folders: {hung} logins hung", folders.len()))
    })
}

fn l11_a_swapped_folder_lets_nobody_in() -> String {
    const LOGINS: usize = 300;
    Contender::Twinlock.scene(|scene| {
        let home = &scene.alice.home;
        let [store, other, aside] = ["store", "other", "aside"].map(|name| home.join(name));
        // Root's folder in a folder of alice's, and one of hers that looks like it.
        copy(Path::new(STORE), &store);
        copy(&store, &other);
        scene.world.give(&other, &scene.alice);
        scene.world.write(CONFIG, format!("[store]\ndirectory = \"{}\"\n", store.display()));
        let ended = AtomicBool::new(false);
        let mut swaps = 0_u64;
        let mut let_in = 0;
        thread::scope(|scope| {
            let swapping = scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    for (from, to) in [(&store, &aside), (&other, &store), (&aside, &other)] {
                        fs::rename(from, to).unwrap();
                    }
                    swaps += 1;
                }
            });
            let code = scene.codes().next();
            let_in = granted(&one_after_another(scene.world, vec![scene.attempt().answer(code); LOGINS]));
            ended.store(true, Ordering::Relaxed);
            swapping.join().unwrap();
        });
        tally("security", "logins while a folder was swapped", LOGINS as u64);
        assert!(let_in == 0 && swaps > 100, "{let_in} let in, {swaps} swaps");
        format!("{LOGINS} logins during swaps: none granted")
    })
}

fn copy(from: &Path, to: &Path) {
    let copied = Launch::new(["cp".as_ref(), "-a".as_ref(), from.as_os_str(), to.as_os_str()]).run();
    assert_eq!(copied.code, Some(0), "{copied:?}");
}

fn l12_long_answers_cost_little(contender: Contender) -> Finding {
    const LENGTHS: [usize; 5] = [512, 513, 65_536, 200_000, 16 << 20];
    contender.scene(|scene| {
        let mut longest = Duration::ZERO;
        for length in LENGTHS {
            let begun = Instant::now();
            let attempt = scene.attempt().give(Give::Huge { length, byte: b'1' });
            let outcome = attempt.under(["timeout", "-s", "KILL", "10"]).run(scene.world);
            longest = longest.max(begun.elapsed());
            if !outcome.report_came() {
                return Finding::Broken(format!("{length} bytes: no answer"));
            }
            assert_ne!(outcome.code(), PamCode::Success);
        }
        let seen = format!("up to 16 MiB denied within {} ms", longest.as_millis());
        Finding::of(longest < Duration::from_secs(2), seen)
    })
}

fn l13_nobody_is_nobody(contender: Contender) -> Finding {
    contender.scene(|scene| {
        // root's password is empty, and nobody is enrolled but alice.
        let shadow = fs::read_to_string("/etc/shadow").unwrap();
        let hash = shadow.lines().next().unwrap().split(':').nth(1).unwrap().to_owned();
        scene.world.write("/etc/shadow", shadow.replacen(&hash, "", 1));
        let right = scene.codes().next();
        let answers = ["", " ", "000000", PASSWORD, &right, "root"];
        let users = ["mallory", "root", ""];
        let attempts = users.iter().flat_map(|user| {
            let one = Attempt::new("svc").user(user);
            let typed = answers.map(|answer| one.clone().answer(answer));
            typed.into_iter().chain([Give::NullText, Give::NullArray].map(|give| one.clone().give(give)))
        });
        let attempts: Vec<_> = attempts.collect();
        let outcomes: Vec<_> = attempts.into_iter().map(|attempt| attempt.run(scene.world)).collect();
        let crashed = outcomes.iter().filter(|outcome| !outcome.report_came()).count();
        let let_in =
            outcomes.iter().filter(|outcome| outcome.report_came() && outcome.code() == PamCode::Success).count();
        let seen = format!("{let_in} of {} answers granted, {crashed} crashes", outcomes.len());
        Finding::of(let_in == 0 && crashed == 0, seen)
    })
}

fn l14_a_refusal_takes_as_long_for_everybody() -> String {
    Contender::Twinlock.scene(|scene| {
        scene.world.account("bob");
        let right = scene.app.code_at(scene.app.now_step());
        // Wrong in the last digit, and in the first.
        let changed = |place: usize| {
            let mut code = right.clone().into_bytes();
            code[place] = b'0' + (code[place] - b'0' + 5) % 10;
            code
        };
        let asked = |attempt: Attempt| {
            let outcome = attempt.run(scene.world);
            assert_ne!(outcome.code(), PamCode::Success);
            // libpam varies it by half.
            (outcome.prompts().len(), outcome.fail_delays.len(), outcome.fail_delay() >= Duration::from_millis(400))
        };
        let as_user = |user: &str| Attempt::new("svc").user(user).answer("000000");
        let all = [
            asked(scene.attempt().answer(changed(5))),
            asked(scene.attempt().answer(changed(0))),
            asked(scene.attempt().answer(scene.recovery_code.clone().unwrap().replace('6', "7"))),
            asked(scene.attempt().answer("junk")),
            asked(scene.attempt().answer(&right)),
            asked(as_user("bob")),
            asked(as_user("mallory")),
        ];
        assert!(all.iter().all(|one| *one == (1, 1, true)), "{all:?}");
        format!("{} kinds of denials: same delay", all.len())
    })
}

fn l15_no_unknown_name_is_logged(contender: Contender) -> Finding {
    const TYPED: [&str; 4] = ["MyS3cret!", "MyS3cret! horse", "MyS3cret!\n", "../MyS3cret!"];
    contender.scene(|scene| {
        for name in TYPED {
            let outcome = Attempt::new("svc").user(name).answer("123456").run(scene.world);
            assert_ne!(outcome.code(), PamCode::Success);
        }
        let lines = scene.world.log();
        let told = lines.iter().filter(|line| line.text.contains("MyS3cret!")).count();
        Finding::of(told == 0, format!("{} logins: {told} lines with the password", TYPED.len()))
    })
}
