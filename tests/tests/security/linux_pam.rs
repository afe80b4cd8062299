//! Rows L: how wrong answers are counted.

use std::fs::{self, File};
use std::time::Instant;

use nix::fcntl::{FcntlArg, Flock, FlockArg, fcntl};
use nix::libc;
use twinlock_tests::{Attempt, Launch, Operation, PamCode, one_after_another, race, tally};

use crate::contender::{Contender, granted};
use crate::guesses::ALLOWED;
use crate::row::{Finding, Row, Trial};
use crate::tools::on_a_disk;

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "L01",
        flaw: "Simultaneous first failures after a restart were not all counted",
        origin: Some("Linux-PAM #1016"),
        trial: Trial::Everyone(l01_first_guesses_at_once_are_counted),
    },
    Row {
        id: "L02",
        flaw: "Users could empty their own failure count",
        origin: None,
        trial: Trial::Everyone(l02_nobody_touches_the_count),
    },
    Row {
        id: "L03",
        flaw: "A hanging login held the lock for ever",
        origin: None,
        trial: Trial::Everyone(l03_a_lock_is_not_waited_for_without_end),
    },
    Row {
        id: "L04",
        flaw: "Simultaneous correct answers counted as failures",
        origin: Some("Linux-PAM #71"),
        trial: Trial::Everyone(l04_right_answers_at_once_do_not_lock_out),
    },
    Row {
        id: "L05",
        flaw: "Another PAM call, from cron, reset the failure count",
        origin: Some("Linux-PAM 7d96d452"),
        trial: Trial::Everyone(l05_only_a_login_changes_the_count),
    },
    Row {
        id: "L06",
        flaw: "Simultaneous incorrect answers were checked before any was counted",
        origin: None,
        trial: Trial::Everyone(l06_guesses_at_once_are_not_more_guesses),
    },
    Row {
        id: "L07",
        flaw: "A restart cleared the failure count",
        origin: Some("pam_faillock(8)"),
        trial: Trial::Everyone(l07_a_restart_forgets_nothing),
    },
];

const TOGETHER: usize = 16;

fn l01_first_guesses_at_once_are_counted(contender: Contender) -> Finding {
    contender.scene_that_counts(|scene| {
        if contender == Contender::Twinlock {
            drop(fs::remove_file(scene.state()));
        }
        let mark = scene.world.log_mark();
        race(scene.world, vec![on_a_disk(scene.guess()); TOGETHER]);
        tally("security", "guesses", TOGETHER as u64);
        let checked = scene.checked(mark, TOGETHER);
        let next = scene.is_open();
        let seen = format!("{checked} of {TOGETHER} guesses checked, the next is{}", if next { "" } else { " not" });
        Finding::of(checked + usize::from(next) <= ALLOWED, seen)
    })
}

fn l06_guesses_at_once_are_not_more_guesses(contender: Contender) -> Finding {
    contender.scene_that_counts(|scene| {
        assert!(scene.is_open(), "a login before, so that there is a record");
        let mark = scene.world.log_mark();
        race(scene.world, vec![on_a_disk(scene.guess()); TOGETHER]);
        tally("security", "guesses", TOGETHER as u64);
        let checked = scene.checked(mark, TOGETHER);
        Finding::of(checked <= ALLOWED, format!("{checked} of {TOGETHER} guesses checked"))
    })
}

fn l02_nobody_touches_the_count(contender: Contender) -> Finding {
    const SCRIPT: &str = r#"
tried=0; refused=0
try() { tried=$((tried + 1)); "$@" >/dev/null 2>&1 || refused=$((refused + 1)); }
try cat "$1"
try sh -c ': >"$1"' sh "$1"
try sh -c 'echo >>"$1"' sh "$1"
try truncate -s 0 "$1"
try rm -f "$1"
try mv "$1" "$1.old"
try mv "$2" "$2.old"
try ln "$1" "$HOME/link"
try chmod 666 "$1"
try chown alice "$1"
try flock -n "$1" true
try touch "$2/new"
try sh -c 'echo >"$2" && mv -f "$2" "$1"' sh "$1" "$HOME/mine"
echo $tried $refused
"#;
    contender.scene(|scene| {
        assert!(scene.is_open(), "a login before, so that there is a record");
        let before = scene.keep();
        let state = scene.state();
        let words = ["sh".as_ref(), "-c".as_ref(), SCRIPT.as_ref(), "sh".as_ref(), state.as_os_str()];
        let folder = state.parent().unwrap().as_os_str();
        let output = Launch::new(words.into_iter().chain([folder])).account(&scene.alice).run();
        let (tried, refused) = output.stdout.trim().split_once(' ').unwrap();
        Finding::of(tried == refused && scene.keep() == before, format!("{refused} of {tried} ways denied"))
    })
}

fn l03_a_lock_is_not_waited_for_without_end(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut codes = scene.codes();
        if contender == Contender::Twinlock {
            assert_eq!(scene.answer(codes.next()), PamCode::Success, "a login before, so that there is a record");
        }
        let path = match contender {
            Contender::Oath => scene.state().with_extension("oath.lock"),
            Contender::Twinlock | Contender::GoogleAuthenticator => scene.state(),
        };
        let lock = File::options().read(true).append(true).create(true).open(path).unwrap();
        // Both kinds of locks there are.
        let whole = libc::flock {
            l_type: libc::F_WRLCK.try_into().unwrap(),
            l_whence: libc::SEEK_SET.try_into().unwrap(),
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&lock, FcntlArg::F_SETLK(&whole)).unwrap();
        let _held = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error).unwrap();
        let begun = Instant::now();
        let outcome = scene.attempt().answer(codes.next()).under(["timeout", "-s", "KILL", "8"]).run(scene.world);
        let seconds = begun.elapsed().as_secs();
        let seen = if outcome.report_came() { format!("answer after {seconds} s") } else { "no answer".into() };
        Finding::of(outcome.report_came(), seen)
    })
}

fn l04_right_answers_at_once_do_not_lock_out(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let codes: Vec<String> = match contender {
            Contender::Twinlock => scene.world.deploy("alice").recovery_codes,
            // No more than the logins that it allows in half a minute.
            Contender::GoogleAuthenticator => (0..ALLOWED).map(|number| format!("{}", 10_000_000 + number)).collect(),
            Contender::Oath => return Finding::Unfit("no recovery codes"),
        };
        if contender == Contender::GoogleAuthenticator {
            scene.world.write_secret(scene.state(), scene.google_record(&scene.app.secret, &codes));
        }
        let opened = granted(&race(scene.world, codes.iter().map(|code| on_a_disk(scene.attempt()).answer(code))));
        let seen = format!("{opened} of {} logins with recovery codes granted", codes.len());
        Finding::of(opened == codes.len(), seen)
    })
}

fn l05_only_a_login_changes_the_count(contender: Contender) -> Finding {
    use Operation::{AcctMgmt, ChAuthTok, CloseSession, DeleteCred, OpenSession, SetCred};
    const OTHERS: [Operation; 6] = [AcctMgmt, SetCred, OpenSession, CloseSession, DeleteCred, ChAuthTok];
    contender.scene_that_counts(|scene| {
        let line = contender.line();
        let kinds = ["auth", "account", "session", "password"].map(|kind| format!("{kind} {line}\n"));
        scene.world.service("all", &kinds.concat());
        scene.guess().run(scene.world);
        let before = scene.keep();
        let others = OTHERS.map(|operation| Attempt::new("all").user("alice").operations([operation]));
        one_after_another(scene.world, others);
        Finding::of(scene.keep() == before, format!("{} other calls: count unchanged", OTHERS.len()))
    })
}

fn l07_a_restart_forgets_nothing(contender: Contender) -> Finding {
    const GUESSES: usize = 5;
    contender.scene_that_counts(|scene| {
        one_after_another(scene.world, vec![scene.guess(); GUESSES]);
        // What a restart clears; in a world, the folder of the harness is the one thing that is there from the start.
        let lost = "find /run /tmp /dev/shm -mindepth 1 -maxdepth 1 ! -name harness -exec rm -rf {} +";
        assert_eq!(Launch::new(["sh", "-c", lost]).run().code, Some(0));
        let open = scene.is_open();
        let seen = if open { "not counted" } else { "still count" };
        Finding::of(!open, format!("{GUESSES} failures {seen}"))
    })
}
