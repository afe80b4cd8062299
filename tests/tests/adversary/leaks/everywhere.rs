//! Canaries everywhere else: the log with `debug`, messages, items, the environment, the host's output, other files, the
//! arguments and the environment of every program, and what is said about a file that cannot be read.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{
    Attempt, Canaries, ForgedState, PASSWORD, PamCode, STORE, Snapshot, User, World, authenticate, credentials_of,
    tally,
};

use crate::leaks::owner::with_alice;

/// Everything that can be written to but the store and what the harness itself needs.
fn others_files() -> Vec<Snapshot> {
    ["/etc", "/home", "/root", "/tmp", "/dev/shm", "/var", "/run"].map(Snapshot::of).into()
}

fn no_file_has(canaries: &Canaries) {
    let mut searched = 0;
    for snapshot in others_files() {
        for (path, content) in snapshot.contents() {
            if !path.starts_with(STORE) && !path.starts_with("/run/harness") && path != "/run/trace" {
                canaries.assert_not_in(&path.display().to_string(), content);
                canaries.assert_not_in("a file's name", path.as_os_str().as_encoded_bytes());
                searched += 1;
            }
        }
    }
    tally("leaks", "files searched", searched);
}

fn no_line_has(world: &World, canaries: &Canaries) -> usize {
    let log = world.log();
    let text: Vec<_> = log.iter().map(ToString::to_string).collect();
    canaries.assert_not_in("the log", text.join("\n"));
    tally("leaks", "log lines searched", log.len() as u64);
    log.len()
}

#[test]
fn an_attempt_of_any_kind_shows_no_secret_and_no_answer_anywhere() {
    with_alice(|alice, canaries| {
        let world = alice.world;
        let mut codes = alice.codes();
        let (right, next, wrong) = (codes.next(), codes.next(), alice.wrong_code());
        let recovery = alice.recovery_code(0).to_owned();
        let strange = "JKMN-PQRS-TVWX-0000";
        for code in [&right, &next, &wrong] {
            canaries.code(code);
        }
        canaries.recovery_code(strange);
        let fresh = || alice.state();
        let states = [
            fresh(),
            fresh().used(alice.enrolled.authenticator.now_step() + 1),
            fresh().wrong_codes(3),
            fresh().wrong_codes(3).failed_ago(0),
            fresh().wrong_codes(100),
            fresh().wrong_recovery_codes(100),
            fresh().issued_codes(-60, 600),
        ];
        let services = [
            ("svc", crate::leaks::owner::EXACT),
            ("first", "auth optional pam_unix.so debug\nauth required pam_twinlock.so debug try_first_pass\n"),
            ("forward", "auth required pam_twinlock.so debug forward_pass\nauth required pam_unix.so use_first_pass\n"),
            ("nobody", "auth required pam_twinlock.so debug nullok config=/etc/none\n"),
        ];
        let mut attempts = 0;
        for (service, stack) in services {
            world.service(service, stack);
            for state in &states {
                for answer in [&right, &wrong, &recovery, strange, PASSWORD, &format!("{PASSWORD}{right}")] {
                    state.write(world);
                    let attempt = Attempt::new(service).user("alice").rhost("192.0.2.7").answer(answer).answer(&next);
                    let outcome = attempt.run(world);
                    let seen = format!(
                        "{:?}{:?}{:?}{:?}{:?}",
                        outcome.messages, outcome.output, outcome.pam_environment, outcome.user, outcome.after
                    );
                    canaries.assert_not_in("what the host saw", seen);
                    attempts += 1;
                }
            }
        }
        // A code that was issued, and used.
        let issued = world.twinlock(&["recovery", "issue", "alice"]).stdout.trim_end().to_owned();
        canaries.recovery_code(&issued);
        assert_eq!(alice.attempt().answer(&issued).run(world).code(), PamCode::Success);
        // What was typed at the prompt for a name, or as one.
        for name in [PASSWORD, &right, &recovery] {
            Attempt::new("svc").user(name).answer(PASSWORD).run(world);
            Attempt::new("svc").answer(name).answer(PASSWORD).run(world);
        }
        assert!(no_line_has(world, canaries) >= 2 * attempts, "debug says more");
        no_file_has(canaries);
        tally("leaks", "attempts with canaries", attempts as u64);
        tally("leaks", "spellings of canaries", canaries.count());
    });
}

/// Every verb, with what it reads. `{code}` and `{recovery}` stand for good answers.
const VERBS: [(&[&str], &str); 18] = [
    (&["status", "alice"], ""),
    (&["status", "alice", "--json"], ""),
    (&["list"], ""),
    (&["verify", "alice"], "{code}\n"),
    (&["verify", "alice"], "{code}\n"),
    (&["verify", "alice"], "{recovery}\n"),
    (&["verify", "alice"], "correct horse battery\n"),
    (&["resync", "alice"], "{code}\n{next}\n"),
    (&["recovery", "count", "alice"], ""),
    (&["device", "list", "alice"], ""),
    (&["unlock", "alice"], ""),
    (&["adopt", "alice"], ""),
    (&["repair", "alice"], ""),
    (&["explain", "alice"], ""),
    (&["check"], ""),
    (&["doctor"], ""),
    (&["import", "oath"], "HOTP/T30 alice - {hex}\n"),
    (&["remove", "alice", "--yes"], ""),
];

/// What a program and everything that it started were given: arguments and environment, by the kernel's own account.
fn traced(world: &World, arguments: &[&str], input: &str) -> (String, String) {
    let trace = ["strace", "-f", "-v", "-s", "65536", "-o", "/run/trace", "-e", "trace=execve,prctl"];
    let output = world.twinlock_launch(arguments).under(trace).run_with_input(input.as_bytes());
    (fs::read_to_string("/run/trace").unwrap(), output.stdout + &output.stderr)
}

#[test]
fn no_verb_says_a_secret_or_hands_one_over_in_arguments_or_environment() {
    with_alice(|alice, canaries| {
        let mut codes = alice.codes();
        let (code, next) = (codes.next(), codes.next());
        for code in [&code, &next] {
            canaries.code(code);
        }
        let hex = HEXLOWER.encode(&alice.enrolled.authenticator.secret);
        for (arguments, input) in VERBS {
            let filled = [
                ("{code}", &code),
                ("{next}", &next),
                ("{recovery}", &alice.enrolled.recovery_codes[1]),
                ("{hex}", &hex),
            ];
            let input = filled.iter().fold(input.to_owned(), |text, (name, value)| text.replace(name, value));
            let (trace, said) = traced(alice.world, arguments, &input);
            assert!(trace.contains("execve(") && trace.contains("PR_SET_DUMPABLE"), "{arguments:?}: {trace}");
            canaries.assert_not_in(&format!("an argument or the environment of {arguments:?}"), trace);
            canaries.assert_not_in(&format!("the output of {arguments:?}"), said);
        }
        assert!(no_line_has(alice.world, canaries) >= 5, "each code that was tried has a line");
        no_file_has(canaries);
        tally("leaks", "runs of verbs with canaries", VERBS.len() as u64);
    });
}

/// A text without what varies with the place of a mistake.
fn without_numbers(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The credentials with one byte made into something else.
fn damaged(text: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = text.to_vec();
    match at % 4 {
        0 => bytes[at] = b'"',
        1 => bytes[at] = b'\n',
        2 => bytes[at] = 0xff,
        _ => drop(bytes.remove(at)),
    }
    bytes
}

#[test]
fn nothing_of_a_file_that_is_damaged_at_any_byte_is_in_what_is_said_about_it() {
    with_alice(|alice, canaries| {
        let User { world, account, .. } = alice;
        let path = credentials_of("alice");
        let text = fs::read(&path).unwrap();
        let wrong = CString::new(alice.wrong_code()).unwrap();
        let (mut sentences, mut refusals) = (BTreeSet::new(), 0);
        let mark = world.log_mark();
        let secret = BASE32_NOPAD.encode(&alice.enrolled.authenticator.secret);
        let as_a_key = [format!("{secret} = 1\n").as_bytes(), &text].concat();
        let unfinished = format!("version = 1\nsecret = \"{secret}\n").into_bytes();
        let damages = (0..text.len()).map(|at| damaged(&text, at)).chain([as_a_key, unfinished]);
        for (at, bytes) in damages.enumerate() {
            world.write_secret(&path, bytes);
            ForgedState::of(account).write(world);
            authenticate(c"svc", c"alice", wrong.to_bytes());
            if at % 16 == 0 {
                let output = world.twinlock(&["status", "alice"]);
                canaries.assert_not_in("the command's error", output.stdout + &output.stderr);
                sentences.extend(output.stderr.lines().map(without_numbers));
            }
        }
        for entry in world.entries_since(mark) {
            refusals += u64::from(entry.value("reason") == "store");
            sentences.extend(entry.detail.as_deref().map(without_numbers));
        }
        // Three faults of a file, each in the log and, with its hint, from the command.
        assert!(sentences.len() <= 9, "the same few sentences, with a place: {sentences:#?}");
        assert!(refusals > text.len() as u64 / 2, "{refusals}");
        no_line_has(world, canaries);
        tally("leaks", "damaged credentials", text.len() as u64);
    });
}
