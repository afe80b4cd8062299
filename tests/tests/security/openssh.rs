//! Rows H: sshd as the host of the module, tried through a real sshd with the real ssh.

use std::collections::BTreeSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use twinlock_tests::{Attempt, Client, Login, PASSWORD, PamCode, Sshd, State, state_of, tally};

use crate::contender::{Contender, granted};
use crate::guesses::ALLOWED;
use crate::programs::{processes, secrets_in_memory};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "H01",
        flaw: "One connection could try thousands of answers",
        origin: Some("CVE-2015-5600"),
        trial: Trial::Everyone(h01_one_connection_has_no_more_tries),
    },
    Row {
        id: "H02",
        flaw: "PAM messages confused sshd about the user",
        origin: Some("CVE-2015-6563"),
        trial: Trial::Everyone(h02_one_prompt_and_nothing_changed),
    },
    Row {
        id: "H03",
        flaw: "Only enrolled users were prompted",
        origin: Some("CVE-2003-0190, CVE-2007-2243"),
        trial: Trial::Everyone(h03_strangers_learn_nothing),
    },
    Row {
        id: "H04",
        flaw: "sshd's placeholder answer for denied users counted as a failure",
        origin: None,
        trial: Trial::Everyone(h04_the_answer_of_who_is_shut_out_costs_nothing),
    },
    Row {
        id: "H05",
        flaw: "An ssh password was counted or logged as a code",
        origin: None,
        trial: Trial::Everyone(h05_a_password_is_no_guess),
    },
    Row {
        id: "H06",
        flaw: "An interrupted login was checked but not counted",
        origin: None,
        trial: Trial::Ours(h06_who_is_cut_off_is_counted_or_not_checked),
    },
    Row {
        id: "H07",
        flaw: "Damaged files crashed the login, and sshd penalised the address",
        origin: Some("OpenSSH b00331402"),
        trial: Trial::Everyone(h07_damaged_files_crash_nobody),
    },
    Row {
        id: "H08",
        flaw: "The grace-time signal left locks or partial files",
        origin: Some("CVE-2006-5051, CVE-2024-6387"),
        trial: Trial::Everyone(h08_a_signal_leaves_nothing_half_done),
    },
    Row {
        id: "H09",
        flaw: "A very long user name overflowed a buffer",
        origin: Some("CVE-2020-14871"),
        trial: Trial::Everyone(h09_long_names_are_refused),
    },
    Row {
        id: "H10",
        flaw: "The waiting process held the secret in memory",
        origin: None,
        trial: Trial::Everyone(h10_who_waits_has_no_secret),
    },
];

const CODE_ALONE: &str = "AuthenticationMethods keyboard-interactive\n";

fn h01_one_connection_has_no_more_tries(contender: Contender) -> Finding {
    const ANSWERS: usize = 10;
    contender.scene_with_sshd(|scene| {
        // sshd's own limit is not what is tried.
        let sshd = scene.sshd("MaxAuthTries 1000\n");
        let devices = format!("KbdInteractiveDevices={}", vec!["pam"; 1000].join(","));
        let prompts = format!("NumberOfPasswordPrompts={ANSWERS}");
        let mark = scene.world.log_mark();
        let client = sshd.login("alice").option(&devices).option(&prompts);
        let login = vec![scene.app.wrong_code(); ANSWERS].into_iter().fold(client, Client::answer).run();
        assert!(!login.granted, "{login:#?}");
        let checked = scene.checked(mark, login.prompts.len());
        tally("security", "guesses", ANSWERS as u64);
        Finding::of(checked <= ALLOWED, format!("{checked} of {ANSWERS} guesses checked"))
    })
}

fn h02_one_prompt_and_nothing_changed(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        let sshd = scene.sshd("");
        let login = sshd.login("alice").command("id -un; echo IN").answer(scene.codes().next()).run();
        assert!(login.granted, "{login:#?}");
        let is_alice = login.stdout.starts_with("alice\n");
        let said = login.stderr.lines().filter(|line| !line.is_empty()).count();
        let whose = if is_alice { "alice's" } else { "not alice's" };
        let seen = format!("{} prompt, {said} messages, the session is {whose}", login.prompts.len());
        Finding::of(is_alice && said == 0 && login.prompts.len() == 1, seen)
    })
}

/// What a client is shown, without the name.
fn shown(login: &Login, user: &str) -> (Vec<String>, String) {
    let prompts = login.prompts.iter().map(|prompt| prompt.replace(user, "USER")).collect();
    (prompts, login.stderr.replace(user, "USER"))
}

fn h03_strangers_learn_nothing(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        scene.world.account("bob");
        let sshd = scene.sshd(CODE_ALONE);
        let seen =
            ["alice", "bob", "mallory"].map(|user| shown(&sshd.login(user).without_key().answer("000000").run(), user));
        let [enrolled, not_enrolled, unknown] = &seen;
        let told = match (enrolled == not_enrolled, enrolled == unknown) {
            (true, true) => "enrolled, not enrolled, unknown: same",
            (false, _) => "different for users not enrolled",
            (true, false) => "different for unknown users",
        };
        Finding::of(enrolled == not_enrolled && enrolled == unknown, told)
    })
}

fn h04_the_answer_of_who_is_shut_out_costs_nothing(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        let sshd = scene.sshd(&format!("{CODE_ALONE}DenyUsers alice\n"));
        let mut answers = 0;
        for _ in 0..2 {
            let client = sshd.login("alice").without_key().option("NumberOfPasswordPrompts=3");
            let login = client.answer("123456").answer("123456").answer("123456").run();
            assert!(!login.granted);
            answers += login.prompts.len();
        }
        let open = scene.is_open();
        let then = if open { "can log in" } else { "cannot log in" };
        Finding::of(open, format!("after {answers} of them the owner {then} at the console"))
    })
}

fn h05_a_password_is_no_guess(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        let sshd = scene.sshd("PasswordAuthentication yes\nAuthenticationMethods password\n");
        let mut answers = 0;
        for _ in 0..2 {
            let client = sshd.login("alice").without_key().option("NumberOfPasswordPrompts=3");
            let login = client.answer(PASSWORD).answer(PASSWORD).answer(PASSWORD).run();
            assert!(!login.granted);
            answers += login.prompts.len();
        }
        let logged = scene.world.log().iter().filter(|line| line.text.contains(PASSWORD)).count();
        let open = scene.is_open();
        let then = if open { "can log in" } else { "cannot log in" };
        let seen = format!("{answers} passwords, {logged} logged; the owner {then}");
        Finding::of(open && logged == 0, seen)
    })
}

fn h06_who_is_cut_off_is_counted_or_not_checked() -> String {
    const BATCHES: u64 = 3;
    const TOGETHER: u64 = 3;
    Contender::Twinlock.scene_with_sshd(|scene| {
        let sshd = scene.sshd("LoginGraceTime 1\n");
        let wrong = scene.app.wrong_code();
        let (mut checked, mut charged) = (0, 0);
        for batch in 0..BATCHES {
            let mark = scene.world.log_mark();
            thread::scope(|scope| {
                for at in 0..TOGETHER {
                    // Around the end of the grace time.
                    let after = Duration::from_millis(960 + 25 * (batch * TOGETHER + at));
                    let (sshd, wrong) = (&sshd, &wrong);
                    scope.spawn(move || answer_after(sshd, wrong, after));
                }
            });
            checked += scene.checked(mark, 0) as u64;
            charged += if state_of("alice").exists() { State::of("alice").charges()[0] } else { 0 };
            assert!(checked <= charged, "{checked} checked, {charged} counted");
            drop(fs::remove_file(state_of("alice")));
        }
        assert!(scene.is_open(), "nothing is left locked");
        let logins = BATCHES * TOGETHER;
        tally("security", "logins cut off by the grace time", logins);
        format!("{logins} answers at the deadline: {checked} checked, {charged} counted")
    })
}

/// Answers so long after the connection was made.
fn answer_after(sshd: &Sshd<'_>, answer: &str, after: Duration) {
    let begun = Instant::now();
    let mut session = sshd.login("alice").terminal();
    if session.terminal.expect_or_end("Verification code: ").is_some() {
        thread::sleep(after.saturating_sub(begun.elapsed()));
        session.send_line(answer);
    }
    assert!(!session.finish().granted);
}

fn h07_damaged_files_crash_nobody(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        drop(scene.guess().run(scene.world));
        let mut damaged = 0;
        for path in scene.files_read() {
            let Ok(whole) = fs::read(&path) else { continue };
            let cut = (0..8).map(|part| whole[..whole.len() * part / 8].to_vec());
            let flipped = (0..8).map(|part| {
                let mut bytes = whole.clone();
                if let Some(byte) = bytes.get_mut(whole.len() * part / 8) {
                    *byte ^= 0x84;
                }
                bytes
            });
            for content in cut.chain(flipped) {
                scene.world.write_secret(&path, content);
                let outcome = scene.attempt().answer("123456").run(scene.world);
                if !outcome.report_came() {
                    return Finding::Broken(format!("crash after {damaged} files"));
                }
                assert_ne!(outcome.code(), PamCode::Success);
                damaged += 1;
            }
            scene.world.write_secret(&path, whole);
        }
        scene.world.write_secret(&scene.files_read()[0], "\u{1}[[[");
        let login = scene.sshd("").login("alice").answer("123456").run();
        let penalty = login.server_log.iter().any(|line| line.text.contains("penalty") || line.text.contains("signal"));
        assert!(!login.granted);
        Finding::of(!penalty, format!("{damaged} damaged files: 0 crashes"))
    })
}

const KILLED_AT: [(&str, u32); 14] = [
    ("flock", 1),
    ("fcntl", 1),
    ("pread64", 1),
    ("pwrite64", 1),
    ("pwrite64", 2),
    ("pwrite64", 3),
    ("fdatasync", 1),
    ("fsync", 1),
    ("rename", 1),
    ("unlink", 1),
    ("ftruncate", 1),
    ("write", 1),
    ("write", 2),
    ("fchmod", 1),
];

fn h08_a_signal_leaves_nothing_half_done(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.guess().run(scene.world);
        let kept = scene.keep();
        let folder = scene.state().parent().unwrap().to_owned();
        let files = || fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect::<BTreeSet<_>>();
        let before = files();
        let (mut killed, mut shut_out, mut left) = (0, 0, 0);
        for (call, when) in KILLED_AT {
            let mut codes = scene.codes();
            let inject = format!("inject={call}:signal=SIGALRM:when={when}");
            let strace = ["strace", "-f", "-o", "/run/trace", "-e", &inject];
            let outcome = scene.attempt().answer(codes.next()).under(strace).run(scene.world);
            if !outcome.report_came() {
                killed += 1;
                shut_out += usize::from(scene.answer(codes.next()) != PamCode::Success);
            }
            scene.put_back(&kept);
            for litter in files().difference(&before) {
                fs::remove_file(litter).unwrap();
                left += 1;
            }
        }
        assert!(killed >= 2, "a login makes some of these calls");
        let seen = format!("killed at {killed} places: {left} files left, {shut_out} next logins denied");
        Finding::of(left == 0 && shut_out == 0, seen)
    })
}

fn h09_long_names_are_refused(contender: Contender) -> Finding {
    const LENGTHS: [usize; 8] = [31, 32, 255, 256, 257, 512, 4096, 100_000];
    contender.scene_with_sshd(|scene| {
        let attempts = LENGTHS.map(|length| Attempt::new("svc").user("a".repeat(length)).answer("123456"));
        let outcomes = attempts.map(|attempt| attempt.run(scene.world));
        let crashed = outcomes.iter().filter(|outcome| !outcome.report_came()).count();
        let let_in = granted(outcomes.iter().filter(|outcome| outcome.report_came()));
        let login = scene.sshd(CODE_ALONE).login(&"a".repeat(5000)).without_key().answer("123456").run();
        assert!(!login.granted);
        Finding::of(let_in + crashed == 0, format!("{} names: {crashed} crashes, {let_in} granted", LENGTHS.len() + 1))
    })
}

fn h10_who_waits_has_no_secret(contender: Contender) -> Finding {
    contender.scene_with_sshd(|scene| {
        let sshd = scene.sshd("");
        let mut session = sshd.login("alice").terminal();
        session.expect(scene.prompt());
        let processes = processes(|name| name.starts_with("sshd"));
        assert!(processes.len() > 1, "sshd and who it asks with");
        let found: usize = processes.iter().map(|pid| secrets_in_memory(*pid, &scene.app)).sum();
        session.send_line(&scene.codes().next());
        assert!(session.finish().granted);
        Finding::of(found == 0, format!("{found} copies of the secret at the prompt"))
    })
}
