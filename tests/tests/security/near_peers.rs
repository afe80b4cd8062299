//! Rows S: accounts, stacks, daemons and their callers.

use std::fs;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use twinlock_tests::{
    Attempt, Authenticator, CONFIG, Family, FirstFactor, Frame, Launch, Operation, PASSWORD, PamCode, Raw, STORE,
    Snapshot, VERIFIED_KEY, credentials_of, one_after_another, tally,
};

use crate::contender::{Contender, granted};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "S01",
        flaw: "Users could replace their own secret and then use sudo",
        origin: None,
        trial: Trial::Everyone(s01_nobody_replaces_the_own_secret),
    },
    Row {
        id: "S02",
        flaw: "The proof was not bound to the account",
        origin: Some("pam-ussh 68616ee"),
        trial: Trial::Everyone(s02_a_code_is_for_its_own_account),
    },
    Row {
        id: "S03",
        flaw: "A shipped PAM stack let users in with one factor",
        origin: None,
        trial: Trial::Ours(s03_every_shipped_stack_asks_for_both),
    },
    Row {
        id: "S04",
        flaw: "Other entry points of the module returned success",
        origin: None,
        trial: Trial::Everyone(s04_other_entry_points_let_nobody_in),
    },
    Row {
        id: "S05",
        flaw: "A daemon trusted names in requests, or clients a false daemon",
        origin: Some("GHSA-6gp8-pp9v-gx45"),
        trial: Trial::Ours(s05_the_kernel_says_who_calls),
    },
    Row {
        id: "S06",
        flaw: "A new account inherited a deleted account's second factor",
        origin: Some("CVE-2024-9313"),
        trial: Trial::Everyone(s06_nothing_is_inherited),
    },
    Row {
        id: "S07",
        flaw: "Slow guessing was never stopped",
        origin: None,
        trial: Trial::Everyone(s07_patient_guessing_ends),
    },
    Row {
        id: "S08",
        flaw: "A caller that had exited counted as root",
        origin: Some("CVE-2021-3560"),
        trial: Trial::Ours(s08_a_dead_caller_is_not_root),
    },
    Row {
        id: "S09",
        flaw: "A file was checked, then opened again by name",
        origin: Some("CVE-2026-27456"),
        trial: Trial::Everyone(s09_each_file_is_opened_once),
    },
];

fn s01_nobody_replaces_the_own_secret(contender: Contender) -> Finding {
    // A secret that alice knows.
    const MINE: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    contender.scene(|scene| {
        let home = &scene.alice.home;
        let mine = Authenticator::from_base32(MINE);
        let (place, content) = match contender {
            Contender::Twinlock => {
                let own = home.join("store");
                scene.world.write(CONFIG, format!("[store]\ndirectory = \"{}\"\n", own.display()));
                let credentials = fs::read_to_string(credentials_of("alice")).unwrap();
                let secret = BASE32_NOPAD.encode(&scene.app.secret);
                (own.join("credentials/alice.toml"), credentials.replace(&secret, MINE))
            }
            Contender::GoogleAuthenticator => {
                scene.world.service("svc", "auth required pam_google_authenticator.so\n");
                (home.join(".google_authenticator"), scene.google_record(&mine.secret, &[]))
            }
            Contender::Oath => (scene.state(), format!("HOTP/T30/6 alice - {}\n", HEXLOWER.encode(&mine.secret))),
        };
        let script = "umask 77; mkdir -p \"$HOME/store/credentials\" \"$HOME/store/state\"; printf %s \"$1\" >\"$2\"";
        let words = ["sh".as_ref(), "-c".as_ref(), script.as_ref(), "sh".as_ref(), content.as_ref(), place.as_os_str()];
        Launch::new(words).account(&scene.alice).run();
        let open = scene.answer(mine.codes().next()) == PamCode::Success;
        let seen = match (contender, open) {
            (Contender::Twinlock, _) => "store in a home denied",
            (_, true) => "her own secret in her home (the default) accepted",
            (_, false) => "not writable for her",
        };
        Finding::of(!open, seen)
    })
}

fn s02_a_code_is_for_its_own_account(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        scene.enrol("bob");
        let mut codes = scene.codes();
        let of_alice = Attempt::new("svc").user("bob").answer(codes.next()).run(scene.world);
        let changed = scene.attempt().change_user("bob").answer(codes.next()).run(scene.world);
        let seen = match (of_alice.code(), changed.code()) {
            (PamCode::Success, _) => "alice's code accepted for bob",
            (_, PamCode::Success) => "user changed to bob at the prompt: alice's code accepted",
            _ => "alice's code denied for bob",
        };
        Finding::of(of_alice.code() != PamCode::Success && changed.code() != PamCode::Success, seen)
    })
}

fn s03_every_shipped_stack_asks_for_both() -> String {
    let mut tried = 0;
    for family in [Family::Debian, Family::Rhel] {
        for first in [FirstFactor::Key, FirstFactor::Password] {
            Contender::Twinlock.scene(|scene| {
                scene.world.ship(family, first);
                let [right, wrong] = [scene.codes().next(), scene.app.wrong_code()];
                let alice = Attempt::new("sshd").user("alice");
                // Where a key comes first, sshd says which one it has verified.
                let with_key = alice.clone().pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY);
                let answering = |attempt: &Attempt, typed: &[&str]| typed.iter().fold(attempt.clone(), Attempt::answer);
                let attempts = match first {
                    FirstFactor::Key => [
                        answering(&alice, &[&right]),
                        answering(&with_key, &[""]),
                        answering(&with_key, &[&wrong]),
                        answering(&with_key, &[PASSWORD]),
                        answering(&with_key, &[&right]),
                    ],
                    FirstFactor::Password => [
                        answering(&alice, &["", ""]),
                        answering(&alice, &["no", &right]),
                        answering(&alice, &[PASSWORD, ""]),
                        answering(&alice, &[PASSWORD, &wrong]),
                        answering(&alice, &[PASSWORD, &right]),
                    ],
                };
                let last = attempts.len() - 1;
                // A correct code behind a wrong password is checked, and used up, where the stack goes on.
                let fresh = scene.keep();
                for (at, attempt) in attempts.into_iter().enumerate() {
                    let code = attempt.run(scene.world).code();
                    assert_eq!(code == PamCode::Success, at == last, "{family:?} {first:?}, attempt {at}: {code:?}");
                    scene.put_back(&fresh);
                    tried += 1;
                }
            });
        }
    }
    format!("4 stacks, {tried} combinations: only the correct ones granted")
}

fn s04_other_entry_points_let_nobody_in(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let line = contender.line();
        let kinds = ["account", "password"].map(|kind| format!("{kind} {line}\n"));
        scene.world.service("all", &format!("auth {line}\n{}", kinds.concat()));
        let calls = [Operation::AcctMgmt, Operation::ChAuthTok].map(|call| (call, Attempt::new("all").user("alice")));
        let opened = calls.map(|(call, attempt)| {
            let opens = attempt.operations([call]).run(scene.world).code() == PamCode::Success;
            opens.then_some(format!("{call:?}"))
        });
        let opened: Vec<_> = opened.into_iter().flatten().collect();
        let seen = match opened.as_slice() {
            [] => "account and password phases fail without a code".into(),
            some => format!("success without a code: {}", some.join(", ")),
        };
        Finding::of(opened.is_empty(), seen)
    })
}

/// Asks the broker for one thing and has no answer to its questions; the last word that is no question.
fn told(connection: Raw, request: &Value) -> Option<Frame> {
    told_answering(connection, request, &[])
}

/// The same with answers.
pub(crate) fn told_answering(mut connection: Raw, request: &Value, answers: &[&str]) -> Option<Frame> {
    connection.say('R', request.to_string().as_bytes());
    let (mut last, mut answers) = (None, answers.iter());
    while let Some(frame) = connection.hear() {
        if matches!(frame.kind, 'Q' | 'H') {
            match answers.next() {
                Some(answer) => connection.say('A', answer.as_bytes()),
                None => connection.say('X', b""),
            }
        } else {
            last = Some(frame);
        }
    }
    last
}

/// A request for a new app in the place of all others.
pub(crate) fn wish() -> Value {
    json!({ "enroll": {
        "place": "instead", "label": "x", "issuer": null, "confirm": "ask",
        "parameters": { "algorithm": "sha1", "digits": 6, "factor": { "time": { "period": 30 } } },
    } })
}

fn requests(user: &str) -> Vec<Value> {
    let verbs = [
        json!("status"),
        json!("remove"),
        json!("resync"),
        json!("verify"),
        wish(),
        json!({ "renew-recovery": "ask" }),
        json!({ "device": ["phone1", "remove"] }),
    ];
    let plain = verbs.iter().map(|verb| json!({ "version": 1, "user": user, "request": verb }));
    let claims = [("uid", json!(0)), ("caller", json!("root")), ("euid", json!(0)), ("by-uid", json!(0))];
    let forged = claims.map(|(key, value)| json!({ "version": 1, "user": user, "request": "remove", key: value }));
    plain.chain(forged).collect()
}

fn s05_the_kernel_says_who_calls() -> String {
    Contender::Twinlock.scene(|scene| {
        let bob = scene.world.account("bob");
        scene.enrol("bob");
        scene.world.broker_service();
        let broker = scene.world.broker();
        let before = Snapshot::of(STORE);
        let caller = scene.world.caller(scene.alice.uid);
        let mut refused = 0;
        for user in ["bob", "root", "mallory", "bob:0", "alice\nbob", "../bob"] {
            for request in requests(user) {
                let frame = told(caller.connect(), &request).expect("a refusal");
                assert_eq!(frame.kind, 'F', "{request}: {frame:?}");
                refused += 1;
            }
        }
        let own = told(caller.connect(), &requests("alice")[0]).unwrap();
        assert_eq!(own.kind, 'D', "her own she is told: {own:?}");
        assert_eq!(Snapshot::of(STORE), before);
        drop(broker);
        // And nobody believes a broker that is not root's.
        scene.world.service("lock", "auth required pam_twinlock.so\n");
        let _false_broker = scene.world.fake_broker_of(&bob);
        let command = scene.world.twinlock_as(&scene.alice, &["status"]).run();
        assert_eq!((command.code, command.stdout.as_str()), (Some(1), ""), "{command:?}");
        let login = Attempt::new("lock").user("alice").as_account(&scene.alice).answer("123456").run(scene.world);
        assert_ne!(login.code(), PamCode::Success);
        tally("security", "requests in somebody else's name", refused);
        format!("{refused} requests for others denied, false daemon not trusted")
    })
}

fn s06_nothing_is_inherited(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let mut codes = scene.codes();
        assert_eq!(scene.answer(codes.next()), PamCode::Success);
        let code = codes.next();
        // Somebody else with her number.
        scene.world.remove_account("alice");
        scene.world.account_with_uid("carol", scene.alice.uid);
        let number = Attempt::new("svc").user("carol").answer(&code).run(scene.world).code() == PamCode::Success;
        // Somebody else with her name.
        scene.world.account_with_uid("alice", scene.alice.uid + 500);
        let name = scene.answer(&code) == PamCode::Success;
        let seen = match (name, number) {
            (false, false) => "old secret denied for both",
            (true, false) => "old secret accepted for the same name",
            (_, true) => "old secret accepted for the same uid",
        };
        Finding::of(!name && !number, seen)
    })
}

fn s07_patient_guessing_ends(contender: Contender) -> Finding {
    const MINUTES: usize = 8;
    const AT_ONCE: usize = 3;
    contender.scene(|scene| {
        for half in 0..2 * MINUTES {
            let later = format!("+{}s", 31 * half);
            let guess = scene.guess().under(["faketime", "-f", &later]);
            assert_eq!(granted(&one_after_another(scene.world, vec![guess; AT_ONCE])), 0);
        }
        let guesses = 2 * MINUTES * AT_ONCE;
        tally("security", "guesses", guesses as u64);
        let ahead = 31 * 2 * MINUTES;
        let code = scene.app.code_at(scene.app.now_step() + ahead as u64 / 30);
        let next = scene.attempt().answer(code).under(["faketime", "-f", &format!("+{ahead}s")]).run(scene.world);
        let open = next.code() == PamCode::Success;
        let next = if open { "checked" } else { "not checked" };
        Finding::of(!open, format!("{guesses} guesses in {MINUTES} minutes, the next {next}"))
    })
}

fn s08_a_dead_caller_is_not_root() -> String {
    const CALLERS: usize = 20;
    Contender::Twinlock.scene(|scene| {
        scene.world.account("bob");
        scene.enrol("bob");
        scene.world.broker_service();
        let _broker = scene.world.broker();
        for _ in 0..CALLERS {
            let caller = scene.world.caller(scene.alice.uid);
            let [of_bob, own] = [caller.connect(), caller.connect()];
            // Killed and waited for before a word was said: its number is free again.
            drop(caller);
            let refused = told(of_bob, &json!({ "version": 1, "user": "bob", "request": "status" })).unwrap();
            assert_eq!(refused.kind, 'F', "{refused:?}");
            let own = told(own, &json!({ "version": 1, "user": null, "request": "status" })).unwrap();
            assert!(own.kind == 'D' && own.text().contains("\"alice\""), "{own:?}");
        }
        // What the kernel makes of a program that is started without any argument, not even its name.
        let nameless = ["bash", "-c", "exec -a '' \"$@\"", "bash"];
        let output = scene.world.twinlock_as(&scene.alice, &["status", "bob"]).under(nameless).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(3), ""), "{output:?}");
        format!("{CALLERS} killed callers kept their identity")
    })
}

fn s09_each_file_is_opened_once(contender: Contender) -> Finding {
    contender.scene(|scene| {
        assert_eq!(scene.answer(scene.app.wrong_code()), PamCode::AuthErr, "a login before, so that there is a record");
        let trace = ["strace", "-f", "-o", "/run/trace", "-e", "trace=open,openat,openat2"];
        let outcome = scene.attempt().answer(scene.codes().next()).under(trace).run(scene.world);
        assert_eq!(outcome.code(), PamCode::Success);
        let trace = fs::read_to_string("/run/trace").unwrap();
        let most = scene.files_read().into_iter().map(|file| {
            let name = format!("{}\"", file.file_name().unwrap().display());
            let opened = trace.lines().filter(|line| line.contains(&name) && !line.contains("ENOENT"));
            opened.filter(|line| !line.contains("O_CREAT") && !line.contains("O_PATH")).count()
        });
        let most = most.max().unwrap();
        Finding::of(most == 1, format!("opened {} in a login", if most == 1 { "once" } else { "more than once" }))
    })
}
