//! Rows B: how guesses and used codes are counted.

use std::collections::BTreeSet;

use twinlock_tests::{Attempt, PamCode, one_after_another, tally};

use crate::contender::{Contender, granted};
use crate::guesses::{ALLOWED, after_guesses};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "B01",
        flaw: "The limit was per session, and sessions were unlimited",
        origin: Some("AuthQuake, 2024"),
        trial: Trial::Everyone(b01_sessions_share_the_tries),
    },
    Row {
        id: "B02",
        flaw: "The failure count was kept in memory only",
        origin: Some("CVE-2026-27801"),
        trial: Trial::Everyone(b02_every_process_knows_the_count),
    },
    Row {
        id: "B03",
        flaw: "Another spelling of a used code was accepted",
        origin: Some("CVE-2025-6014"),
        trial: Trial::Everyone(b03_a_used_code_has_no_second_spelling),
    },
    Row {
        id: "B04",
        flaw: "Another spelling of the user name made a used code valid",
        origin: Some("CVE-2026-27855"),
        trial: Trial::Everyone(b04_a_name_has_no_second_spelling),
    },
    Row {
        id: "B05",
        flaw: "Used codes were not recorded",
        origin: Some("CVE-2025-43798"),
        trial: Trial::Everyone(b05_a_used_code_is_used_everywhere),
    },
];

fn b01_sessions_share_the_tries(contender: Contender) -> Finding {
    const SESSIONS: usize = 10;
    contender.scene_with_sshd(|scene| {
        let sshd = scene.sshd("");
        let mark = scene.world.log_mark();
        let mut sessions: Vec<_> = (0..SESSIONS).map(|_| sshd.login("alice").terminal()).collect();
        for session in &mut sessions {
            session.expect(scene.prompt());
        }
        for session in &mut sessions {
            session.send_line(&scene.app.wrong_code());
        }
        for session in sessions {
            assert!(!session.finish().granted);
        }
        let checked = scene.checked(mark, SESSIONS);
        tally("security", "guesses", SESSIONS as u64);
        Finding::of(checked <= ALLOWED, format!("{checked} of {SESSIONS} guesses checked"))
    })
}

fn b02_every_process_knows_the_count(contender: Contender) -> Finding {
    const GUESSES: usize = 6;
    contender.scene_that_counts(|scene| {
        (0..GUESSES).for_each(|_| drop(scene.guess().run(scene.world)));
        after_guesses(GUESSES, scene.is_open())
    })
}

/// Other spellings of a code, none of which is the code itself.
fn spellings(code: &str) -> BTreeSet<String> {
    const MARKS: [&str; 14] =
        [" ", "\t", "-", "\n", "\r\n", "+", "0", "%20", ",", "\u{a0}", "\u{200b}", "\u{200d}", "\u{2003}", "\u{feff}"];
    // Digits of other scripts: full-width, Arabic, Persian, Devanagari, Bengali, Thai, mathematical.
    const ZEROS: [u32; 7] = [0xff10, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0x1d7ce];
    let foreign = |zero: u32, digit: char| char::from_u32(zero + digit.to_digit(10).unwrap()).unwrap();
    let mut all = BTreeSet::new();
    for mark in MARKS {
        let (front, back) = code.split_at(3);
        all.extend([format!("{mark}{code}"), format!("{code}{mark}"), format!("{front}{mark}{back}")]);
        all.extend(MARKS.iter().take(8).map(|other| format!("{mark}{code}{other}")));
    }
    for zero in ZEROS {
        all.insert(code.chars().map(|digit| foreign(zero, digit)).collect());
        for place in 0..code.len() {
            all.insert(
                code.char_indices().map(|(at, digit)| if at == place { foreign(zero, digit) } else { digit }).collect(),
            );
        }
    }
    all
}

fn b03_a_used_code_has_no_second_spelling(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let code = scene.codes().next();
        assert_eq!(scene.answer(&code), PamCode::Success);
        // So many at a time on what is known after that login that the throttle refuses none unseen.
        let at_once = match contender {
            Contender::Twinlock => ALLOWED,
            Contender::GoogleAuthenticator => ALLOWED - 1,
            Contender::Oath => usize::MAX,
        };
        let used = scene.keep();
        let all = spellings(&code);
        let all: Vec<_> = all.into_iter().collect();
        let let_in = all.chunks(at_once).map(|some| {
            scene.put_back(&used);
            granted(&one_after_another(scene.world, some.iter().map(|spelling| scene.attempt().answer(spelling))))
        });
        let let_in: usize = let_in.sum();
        tally("security", "spellings of a used code", all.len() as u64);
        Finding::of(let_in == 0, format!("{let_in} of {} spellings accepted", all.len()))
    })
}

fn b04_a_name_has_no_second_spelling(contender: Contender) -> Finding {
    const NAMES: [&str; 14] = [
        "Alice",
        "ALICE",
        "alice ",
        " alice",
        "alice\t",
        "alice\n",
        "alice@localhost",
        "DOM\\alice",
        "DOM/alice",
        "alice.",
        "alice+x",
        "+alice",
        "%61lice",
        "alicia",
    ];
    contender.scene(|scene| {
        // Another name of the same account.
        scene.world.account_with_uid("alicia", scene.alice.uid);
        let code = scene.codes().next();
        assert_eq!(scene.answer(&code), PamCode::Success);
        let used = scene.keep();
        let again = |attempt: Attempt| {
            scene.put_back(&used);
            attempt.run(scene.world).code() == PamCode::Success
        };
        let as_user = NAMES.iter().filter(|name| again(Attempt::new("svc").user(name).answer(&code))).count();
        let midway = NAMES.iter().filter(|name| again(scene.attempt().change_user(name).answer(&code))).count();
        Finding::of(as_user + midway == 0, format!("{} of {} spellings accepted", as_user + midway, 2 * NAMES.len()))
    })
}

fn b05_a_used_code_is_used_everywhere(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.ask_for_the_code_alone("sudo");
        let codes = [Some(scene.codes().next()), scene.recovery_code.clone()];
        let mut opened = 0;
        for code in codes.iter().flatten() {
            assert_eq!(scene.answer(code), PamCode::Success);
            let used = scene.keep();
            for service in ["svc", "sudo"] {
                scene.put_back(&used);
                let again = Attempt::new(service).user("alice").answer(code).run(scene.world);
                opened += usize::from(again.code() == PamCode::Success);
            }
        }
        let tried = 2 * codes.iter().flatten().count();
        Finding::of(opened == 0, format!("{opened} of {tried} used codes accepted"))
    })
}
