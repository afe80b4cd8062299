//! Rows O: links, throttle, locks, options and time zones.

use std::fs;

use twinlock_tests::{Give, Outcome, PamCode, credentials_of, one_after_another, race, set_mode, tally};

use crate::attacks::{planted, same_as};
use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};
use crate::tools::at;

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "O01",
        flaw: "Root followed a user's links and overwrote files",
        origin: Some("CVE-2024-47191"),
        trial: Trial::Everyone(o01_links_of_the_user_lead_nowhere),
    },
    Row {
        id: "O02",
        flaw: "Comments in the file kept used codes valid",
        origin: Some("CVE-2013-7322"),
        trial: Trial::Everyone(o02_other_lines_do_not_bring_codes_back),
    },
    Row { id: "O03", flaw: "Guesses were not limited", origin: None, trial: Trial::Everyone(o03_guessing_ends) },
    Row {
        id: "O04",
        flaw: "A conversation without an answer crashed the host program",
        origin: None,
        trial: Trial::Everyone(o04_no_answer_crashes_nobody),
    },
    Row {
        id: "O05",
        flaw: "Prompts revealed which accounts exist",
        origin: None,
        trial: Trial::Everyone(o05_an_unknown_name_is_asked_the_same),
    },
    Row {
        id: "O06",
        flaw: "The code was verified before the lock was taken",
        origin: None,
        trial: Trial::Everyone(o06_the_lock_comes_before_the_judgement),
    },
    Row {
        id: "O07",
        flaw: "Options disabled verification; misspelt options were ignored",
        origin: None,
        trial: Trial::Everyone(o07_no_word_makes_a_wrong_code_right),
    },
    Row {
        id: "O08",
        flaw: "Local time with daylight saving made times ambiguous",
        origin: None,
        trial: Trial::Everyone(o08_the_time_zone_changes_nothing),
    },
];

fn o01_links_of_the_user_lead_nowhere(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let folder = scene.folder();
        scene.world.give(&folder, &scene.alice);
        set_mode(&folder, 0o777);
        planted(scene)
    })
}

fn o02_other_lines_do_not_bring_codes_back(contender: Contender) -> Finding {
    contender.scene(|scene| {
        match contender {
            Contender::Twinlock => {
                let text = fs::read_to_string(credentials_of("alice")).unwrap();
                scene.world.write_secret(credentials_of("alice"), format!("# alice\n\n{text}\n# user = \"bob\"\n"));
            }
            Contender::GoogleAuthenticator => scene.change_state("\" TOTP_AUTH", "\" COMMENT alice\n\" TOTP_AUTH"),
            Contender::Oath => scene.change_state(
                "HOTP/T30/6 alice",
                "# HOTP/T30/6 alice - 00\n\nHOTP/T30/6 bob - 00\n# alice\nHOTP/T30/6 alice",
            ),
        }
        let code = scene.codes().next();
        let (first, second) = (scene.answer(&code), scene.answer(&code));
        let seen = match (first, second) {
            (PamCode::Success, PamCode::Success) => "used code accepted",
            (PamCode::Success, _) => "granted once, then denied",
            (_, _) => "denied",
        };
        Finding::of(second != PamCode::Success, seen)
    })
}

fn o03_guessing_ends(contender: Contender) -> Finding {
    const GUESSES: usize = 200;
    contender.scene(|scene| {
        let guesses = vec![scene.attempt().answer(scene.app.wrong_code()); GUESSES];
        assert_eq!(granted(&one_after_another(scene.world, guesses)), 0);
        tally("security", "guesses", GUESSES as u64);
        let open = scene.answer(scene.codes().next()) == PamCode::Success;
        Finding::of(
            !open,
            format!("after {GUESSES} guesses the next is {}", if open { "checked" } else { "not checked" }),
        )
    })
}

fn o04_no_answer_crashes_nobody(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let ends = [Give::NullText, Give::NullArray].map(|give| scene.attempt().give(give).run(scene.world));
        let killed = ends.iter().find_map(Outcome::signal);
        Finding::of(
            killed.is_none(),
            killed.map_or("denied".into(), |signal| format!("program killed by signal {signal}")),
        )
    })
}

fn o05_an_unknown_name_is_asked_the_same(contender: Contender) -> Finding {
    contender.scene(|scene| same_as(scene, "zoe"))
}

fn o06_the_lock_comes_before_the_judgement(contender: Contender) -> Finding {
    contender.scene(|scene| {
        // Where it takes its lock, or where it writes if it takes none.
        let call = match contender {
            Contender::Twinlock => "flock",
            Contender::GoogleAuthenticator => "rename",
            Contender::Oath => "openat",
        };
        let code = scene.codes().next();
        let held_up = |microseconds: usize| {
            let (trace, slow) = (format!("trace={call}"), format!("inject={call}:delay_enter={microseconds}"));
            let mut strace = vec!["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &slow];
            if contender == Contender::Oath {
                strace.extend(["-P", "/etc/oath/users.oath.lock"]);
            }
            scene.attempt().under(strace).answer(&code)
        };
        let opened = granted(&race(scene.world, [held_up(100_000), held_up(600_000)]));
        Finding::of(opened == 1, format!("{opened} of 2 logins granted, one paused before its lock"))
    })
}

fn o07_no_word_makes_a_wrong_code_right(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.with_words("alwaysok");
        let wrong = scene.answer(scene.app.wrong_code()) == PamCode::Success;
        scene.reset();
        scene.with_words("alwaysokay");
        let right = scene.answer(scene.codes().next()) == PamCode::Success;
        let seen = match (wrong, right) {
            (true, _) => "incorrect code granted, with `alwaysok`",
            (false, true) => "misspelt option ignored",
            (false, false) => "unknown options deny the login",
        };
        Finding::of(!wrong && !right, seen)
    })
}

fn o08_the_time_zone_changes_nothing(contender: Contender) -> Finding {
    /// At 01:00 UTC on 25 October 2026 clocks in Central Europe go back from three to two.
    const FOLD: u64 = 1_792_890_000;
    const ZONES: [&str; 6] = [
        "UTC0",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "EST5EDT,M3.2.0,M11.1.0",
        "LHST-10:30LHDT-11,M10.1.0,M4.1.0/2",
        "XXX-14",
        ":/nowhere",
    ];
    contender.scene(|scene| {
        let verdicts = ZONES.map(|zone| {
            scene.reset();
            let login = |time: u64, code: &str| {
                let attempt = at(scene.attempt(), time).environment("TZ", zone).answer(code);
                attempt.run(scene.world).code() == PamCode::Success
            };
            let (before, after) = (scene.code_at(FOLD - 15), scene.code_at(FOLD + 15));
            [(FOLD - 15, &before), (FOLD - 10, &before), (FOLD + 15, &after), (FOLD + 20, &after), (FOLD + 20, &before)]
                .map(|(time, code)| login(time, code))
        });
        let same = verdicts.iter().all(|verdict| *verdict == verdicts[0]);
        let replayed = verdicts.iter().any(|[_, again, _, again_later, before]| *again || *again_later || *before);
        let seen = match (same, replayed) {
            (true, false) => format!("{} time zones: same results", ZONES.len()),
            (true, true) => "the same verdicts in all time zones; used code accepted".into(),
            (false, _) => "results differ between time zones".into(),
        };
        Finding::of(same && !replayed, seen)
    })
}
