//! Rows Y: missing answers, system errors, links and files that are cut short.

use std::fs;
use std::os::unix::fs::symlink;

use data_encoding::BASE32_NOPAD;
use twinlock_tests::{Authenticator, ForgedState, Give, PamCode, one_after_another, tally};

use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "Y01",
        flaw: "Links in place of the secret file revealed other files",
        origin: Some("CVE-2019-12209"),
        trial: Trial::Everyone(y01_a_link_tells_nothing),
    },
    Row {
        id: "Y02",
        flaw: "Open descriptors were inherited by the user's session",
        origin: Some("CVE-2019-12210"),
        trial: Trial::Everyone(y02_no_file_is_left_open),
    },
    Row {
        id: "Y03",
        flaw: "A missing answer skipped the factor",
        origin: Some("CVE-2021-31924"),
        trial: Trial::Everyone(y03_no_answer_opens),
    },
    Row {
        id: "Y04",
        flaw: "System errors became PAM_IGNORE and let users in",
        origin: Some("CVE-2025-23013"),
        trial: Trial::Everyone(y04_no_error_opens),
    },
    Row {
        id: "Y05",
        flaw: "A stricter file check in an update locked users out",
        origin: Some("pam-u2f 1.3.2"),
        trial: Trial::Never("the first release"),
    },
    Row {
        id: "Y06",
        flaw: "The caller's environment chose the module's files",
        origin: Some("pam-u2f 1.0.4"),
        trial: Trial::Everyone(y06_the_environment_names_no_files),
    },
    Row {
        id: "Y07",
        flaw: "Truncated files were read with weaker settings",
        origin: Some("pam-u2f 1.2.1"),
        trial: Trial::Everyone(y07_a_cut_file_is_not_a_weaker_one),
    },
    Row {
        id: "Y08",
        flaw: "Ctrl-D at the prompt succeeded on a sufficient line",
        origin: Some("CVE-2011-4120"),
        trial: Trial::Everyone(y08_no_answer_is_sufficient),
    },
];

fn y01_a_link_tells_nothing(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut told = Vec::new();
        for path in scene.files() {
            let ends = ["/etc/shadow", "/nowhere"].map(|target| {
                scene.reset();
                fs::remove_file(&path).unwrap();
                symlink(target, &path).unwrap();
                let outcome = scene.attempt().answer("000000").run(scene.world);
                fs::remove_file(&path).unwrap();
                (outcome.code(), outcome.messages.clone())
            });
            if ends[0] != ends[1] {
                told.push("whether the file exists");
            }
        }
        if scene.world.log().iter().any(|line| line.text.contains("$6$")) {
            told.push("what is in it");
        }
        Finding::of(
            told.is_empty(),
            if told.is_empty() { "same result for any target".into() } else { format!("reveals {}", told.join(", ")) },
        )
    })
}

fn y02_no_file_is_left_open(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut left = 0;
        for words in ["", "debug"] {
            scene.with_words(words);
            for answer in [scene.codes().next(), scene.app.wrong_code()] {
                scene.reset();
                let outcome = scene.attempt().answer(answer).run(scene.world);
                left += outcome
                    .after
                    .descriptors
                    .iter()
                    .filter(|open| !outcome.before.descriptors.contains_key(open.0))
                    .count();
            }
        }
        Finding::of(left == 0, format!("{left} descriptors left open"))
    })
}

/// What a program can give instead of an answer.
fn no_answers() -> [Give; 5] {
    [Give::Bytes(vec![]), Give::NullText, Give::NullArray, Give::ConvErr, Give::Code(PamCode::BufErr.into())]
}

fn y03_no_answer_opens(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let (mut tried, mut opened) = (0, 0);
        for give in no_answers() {
            let mut attempts = vec![scene.attempt().give(give.clone())];
            if contender == Contender::Twinlock {
                // At the second prompt, which comes after incorrect codes.
                ForgedState::of(&scene.alice).wrong_codes(3).write(scene.world);
                attempts.push(scene.attempt().answer(scene.codes().next()).give(give));
            }
            for attempt in attempts {
                let outcome = attempt.run(scene.world);
                tried += 1;
                opened += usize::from(outcome.report_came() && outcome.code() == PamCode::Success);
            }
        }
        Finding::of(opened == 0, format!("{opened} of {tried} granted"))
    })
}

fn y04_no_error_opens(contender: Contender) -> Finding {
    const POINTS: usize = 25;
    const ERRORS: [&str; 8] = ["EIO", "ENOMEM", "EPERM", "EACCES", "EMFILE", "EINTR", "ENOSPC", "ESTALE"];
    contender.scene(|scene| {
        scene.stack(&format!("auth required {}\nauth required pam_permit.so\n", contender.module()));
        // A used code: to refuse it takes the state, and a module that ignores an error there accepts it.
        let code = scene.used_code();
        let (state, names) = (fs::read(scene.state()).unwrap(), scene.names());
        let points = scene.points(scene.attempt().answer(&code));
        assert!(points.len() > 20, "{}: {points:?}", contender.name());
        let (mut tried, mut opened) = (0, Vec::new());
        for (number, (call, count)) in points.iter().step_by(points.len().div_ceil(POINTS)).enumerate() {
            for error in ["ENOENT", ERRORS[number % ERRORS.len()]] {
                scene.world.write_secret(scene.state(), &state);
                for left in scene.names().iter().filter(|name| !names.contains(name)) {
                    fs::remove_file(scene.folder().join(left)).unwrap();
                }
                let (trace, fault) = (format!("trace={call}"), format!("inject={call}:error={error}:when={count}"));
                let strace = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &fault];
                let outcome = scene.attempt().under(strace).answer(&code).run(scene.world);
                tried += 1;
                if outcome.report_came() && outcome.code() == PamCode::Success {
                    opened.push(format!("{error} of `{call}`"));
                }
            }
        }
        tally("security", "faults injected", tried);
        Finding::of(
            opened.is_empty(),
            if opened.is_empty() {
                format!("{tried} faults: used code always denied")
            } else {
                format!("{tried} faults: used code accepted after {}", opened.join(", "))
            },
        )
    })
}

fn y06_the_environment_names_no_files(contender: Contender) -> Finding {
    contender.scene(|scene| {
        // What the attacker would like to be asked for.
        let own = Authenticator::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let secret = BASE32_NOPAD.encode(&own.secret);
        scene.world.write("/tmp/evil/.google_authenticator", format!("{secret}\n\" TOTP_AUTH\n"));
        scene.world.write("/tmp/evil/twinlock/config.toml", "second_factor = \"skip\"\n");
        let names = ["HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "TMPDIR", "CONFIG", "STORE"];
        let attempt = names.iter().fold(scene.attempt(), |attempt, name| attempt.environment(name, "/tmp/evil"));
        let attempt = ["TWINLOCK_CONFIG", "TWINLOCK_STORE"]
            .iter()
            .fold(attempt, |attempt, name| attempt.environment(name, "/tmp/evil/twinlock/config.toml"));
        let (outcome, calls) = scene.trace(attempt.answer(own.codes().next()), "open,stat,newfstatat", &[]);
        let looked = calls.iter().filter(|call| call.contains("/tmp/evil")).count();
        let open = outcome.code() == PamCode::Success;
        let end = if open { "granted" } else { "denied" };
        Finding::of(looked == 0 && !open, format!("{looked} files of the caller opened, {end}"))
    })
}

fn y07_a_cut_file_is_not_a_weaker_one(contender: Contender) -> Finding {
    const CUTS: usize = 60;
    contender.scene(|scene| {
        let code = scene.used_code();
        let (mut tried, mut opened) = (0, 0);
        for path in scene.files() {
            let whole = fs::read(&path).unwrap();
            let state = fs::read(scene.state()).unwrap();
            for length in (0..whole.len()).step_by(whole.len().div_ceil(CUTS)) {
                scene.world.write_secret(scene.state(), &state);
                scene.world.write_secret(&path, &whole[..length]);
                tried += 1;
                opened += granted(&one_after_another(scene.world, [scene.attempt().answer(&code)]));
            }
            scene.world.write_secret(path, whole);
        }
        tally("security", "files cut short", tried);
        Finding::of(opened == 0, format!("{tried} cuts: used code accepted {opened} times"))
    })
}

fn y08_no_answer_is_sufficient(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.stack(&format!("auth sufficient {}\nauth required pam_deny.so\n", contender.module()));
        let ends = no_answers().map(|give| scene.attempt().give(give).run(scene.world));
        let opened = ends.iter().filter(|end| end.report_came() && end.code() == PamCode::Success).count();
        Finding::of(opened == 0, format!("{opened} of {} granted", ends.len()))
    })
}
