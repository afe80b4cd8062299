//! Rows B: other ways in, what is stored, computed and linked.

use std::collections::BTreeSet;
use std::fs;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde_json::{Value, json};
use twinlock_tests::{Attempt, Launch, PASSWORD, PamCode, credentials_of, in_world};

use crate::contender::Contender;
use crate::guesses::{ALLOWED, after_guesses};
use crate::near_peers::{told_answering, wish};
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "B06",
        flaw: "Short recovery codes were stored in clear text",
        origin: None,
        trial: Trial::Ours(b06_recovery_codes_are_long_and_hashed),
    },
    Row {
        id: "B07",
        flaw: "The limit applied to one way in only",
        origin: Some("CVE-2026-9798"),
        trial: Trial::Ours(b07_every_way_draws_on_one_count),
    },
    Row {
        id: "B08",
        flaw: "A correct password cleared the failure count",
        origin: None,
        trial: Trial::Everyone(b08_a_right_password_clears_nothing),
    },
    Row {
        id: "B09",
        flaw: "Secrets were shorter than 128 bits (RFC 4226)",
        origin: Some("CVE-2024-8796"),
        trial: Trial::Everyone(b09_secrets_are_long_and_never_twice),
    },
    Row {
        id: "B10",
        flaw: "Codes were computed incorrectly at extreme times",
        origin: Some("totp-rs #58"),
        trial: Trial::Everyone(b10_the_codes_of_rfc_6238_open),
    },
    Row {
        id: "B11",
        flaw: "A vulnerable or malicious library was linked",
        origin: Some("RUSTSEC-2026-0003"),
        trial: Trial::Ours(b11_no_library_of_bad_repute),
    },
];

fn b08_a_right_password_clears_nothing(contender: Contender) -> Finding {
    const GUESSES: usize = 6;
    contender.scene_that_counts(|scene| {
        scene.world.service("both", &format!("auth required pam_unix.so\nauth {}\n", contender.line()));
        let both = |code: String| Attempt::new("both").user("alice").answer(PASSWORD).answer(code).run(scene.world);
        for _ in 0..GUESSES {
            assert_ne!(both(scene.app.wrong_code()).code(), PamCode::Success);
        }
        after_guesses(GUESSES, both(scene.codes().next()).code() == PamCode::Success)
    })
}

fn b06_recovery_codes_are_long_and_hashed() -> String {
    const ENROLMENTS: usize = 2;
    Contender::Twinlock.scene(|scene| {
        let mut codes = BTreeSet::new();
        let mut symbols = BTreeSet::new();
        for _ in 0..ENROLMENTS {
            let enrolled = scene.world.enrol_with("alice", &["--replace"]);
            let stored = fs::read_to_string(credentials_of("alice")).unwrap();
            for code in enrolled.recovery_codes {
                let plain = code.replace('-', "");
                assert!(plain.len() == 16 && !stored.contains(&plain) && !stored.contains(&code), "stored as it is");
                symbols.extend(plain.chars());
                codes.insert(plain);
            }
            assert_eq!(stored.matches("$argon2id$").count(), 10, "{stored}");
        }
        assert_eq!(codes.len(), 10 * ENROLMENTS, "none is there twice");
        // Of 320 symbols, all 32 are nearly sure to come.
        assert!(symbols.len() >= 30, "{symbols:?}");
        format!("{} codes of 80 bits, stored as Argon2id hashes", codes.len())
    })
}

fn b07_every_way_draws_on_one_count() -> String {
    Contender::Twinlock.scene(|scene| {
        scene.ask_for_the_code_alone("sudo");
        scene.world.broker_service();
        let _broker = scene.world.broker();
        let wrong = scene.app.wrong_code();
        let caller = scene.world.caller(scene.alice.uid);
        let by_broker = |verb: Value| {
            let request = json!({ "version": 1, "user": null, "request": verb });
            drop(told_answering(caller.connect(), &request, &[&wrong, &wrong]));
        };
        let typed = format!("{wrong}\n{wrong}\n");
        let ways: [(&str, &dyn Fn()); 9] = [
            ("a service", &|| drop(scene.guess().run(scene.world))),
            ("another service", &|| drop(Attempt::new("sudo").user("alice").answer(&wrong).run(scene.world))),
            ("a host that is not root", &|| drop(scene.guess().as_account(&scene.alice).run(scene.world))),
            ("verify by root", &|| {
                drop(scene.world.twinlock_launch(&["verify", "alice"]).run_with_input(typed.as_bytes()));
            }),
            ("verify", &|| by_broker(json!("verify"))),
            ("resync", &|| by_broker(json!("resync"))),
            ("new recovery codes", &|| by_broker(json!({ "renew-recovery": "ask" }))),
            ("another device", &|| by_broker(json!({ "device": ["phone1", "suspend"] }))),
            ("a new enrolment", &|| by_broker(wish())),
        ];
        for (name, guess) in &ways {
            drop(fs::remove_file(scene.state()));
            (0..ALLOWED).for_each(|_| guess());
            assert!(!scene.is_open(), "{name}: three wrong codes were not counted");
        }
        drop(fs::remove_file(scene.state()));
        assert!(scene.is_open(), "nothing else holds her off");
        format!("{} ways, one count", ways.len())
    })
}

fn b09_secrets_are_long_and_never_twice(contender: Contender) -> Finding {
    const LEAST: usize = 128;
    const ENROLMENTS: usize = 4;
    contender.scene(|scene| {
        let secret = |_| match contender {
            Contender::Twinlock => Some(scene.world.enrol_with("alice", &["--add"]).authenticator.secret),
            Contender::GoogleAuthenticator => {
                let words = "google-authenticator -t -d -f -q -C -r 3 -R 30 -w 3 -s /tmp/new";
                assert_eq!(Launch::new(words.split(' ')).run().code, Some(0));
                let written = fs::read_to_string("/tmp/new").unwrap();
                fs::remove_file("/tmp/new").unwrap();
                Some(BASE32_NOPAD.decode(written.lines().next().unwrap().as_bytes()).unwrap())
            }
            Contender::Oath => None,
        };
        let secrets: Option<BTreeSet<Vec<u8>>> = (0..ENROLMENTS).map(secret).collect();
        let Some(secrets) = secrets else {
            return Finding::Unfit("no enrolment");
        };
        let bits = 8 * secrets.iter().map(Vec::len).min().unwrap();
        Finding::of(bits >= LEAST && secrets.len() == ENROLMENTS, format!("{bits} bits"))
    })
}

/// RFC 6238 appendix B: a time, and its codes with SHA-1, SHA-256 and SHA-512.
const VECTORS: [(&str, [&str; 3]); 6] = [
    ("1970-01-01 00:00:59", ["94287082", "46119246", "90693936"]),
    ("2005-03-18 01:58:29", ["07081804", "68084774", "25091201"]),
    ("2005-03-18 01:58:31", ["14050471", "67062674", "99943326"]),
    ("2009-02-13 23:31:30", ["89005924", "91819424", "93441116"]),
    ("2033-05-18 03:33:20", ["69279037", "90698825", "38618901"]),
    ("2603-10-11 11:33:20", ["65353130", "77737706", "47863826"]),
];

fn b10_the_codes_of_rfc_6238_open(contender: Contender) -> Finding {
    let digits = b"1234567890".repeat(7);
    contender.scene(|scene| {
        // Only Twinlock knows other hashes; google-authenticator knows six digits alone, which are the last of eight.
        let hashes: &[(&str, usize)] = match contender {
            Contender::Twinlock => &[("SHA1", 20), ("SHA256", 32), ("SHA512", 64)],
            Contender::GoogleAuthenticator | Contender::Oath => &[("SHA1", 20)],
        };
        let deployed = fs::read_to_string(credentials_of("alice")).unwrap();
        let fresh = scene.keep();
        let (mut opened, mut tried) = (0, 0);
        for (time, codes) in VECTORS {
            for ((hash, length), code) in hashes.iter().zip(codes) {
                let secret = &digits[..*length];
                let code = match contender {
                    Contender::Twinlock => {
                        let [old, new] = [&scene.app.secret, secret].map(|secret| BASE32_NOPAD.encode(secret));
                        let changed = deployed.replace(&old, &new);
                        let changed = changed.replace("SHA1", hash).replace("digits = 6", "digits = 8");
                        scene.world.write_secret(credentials_of("alice"), changed);
                        drop(fs::remove_file(scene.state()));
                        code
                    }
                    Contender::GoogleAuthenticator => {
                        scene.put_back(&fresh);
                        scene.world.write_secret(scene.state(), scene.google_record(secret, &[]));
                        code.split_at(2).1
                    }
                    Contender::Oath => {
                        let options = format!("usersfile={} window=1 digits=8", scene.state().display());
                        scene.world.service("svc", &format!("auth required pam_oath.so {options}\n"));
                        let line = format!("HOTP/T30/8 alice - {}\n", HEXLOWER.encode(secret));
                        scene.world.write_secret(scene.state(), line);
                        code
                    }
                };
                let then = format!("@{time}");
                let attempt = scene.attempt().answer(code).under(["faketime", "-f", &then]).environment("TZ", "UTC");
                opened += usize::from(attempt.run(scene.world).code() == PamCode::Success);
                tried += 1;
            }
        }
        Finding::of(opened == tried, format!("{opened} of {tried} codes of the RFC accepted"))
    })
}

fn b11_no_library_of_bad_repute() -> String {
    const MALICIOUS_OR_ABANDONED: [&str; 6] =
        ["arone", "arrayref", "libcrux-secrets", "proc-macro1", "remove_dir_all", "users"];
    let mut lock = String::new();
    in_world(|world| lock = fs::read_to_string(world.repository().join("Cargo.lock")).unwrap());
    let packages: Vec<_> = lock.split("[[package]]\n").skip(1).collect();
    let value = |package: &str, key: &str| {
        let start = format!("{key} = \"");
        package.lines().find_map(|line| line.strip_prefix(&start)?.strip_suffix('"').map(str::to_owned))
    };
    let mut foreign = 0;
    for package in &packages {
        let name = value(package, "name").unwrap();
        assert!(!MALICIOUS_OR_ABANDONED.contains(&name.as_str()), "{name} is built in");
        if let Some(source) = value(package, "source") {
            assert!(source.starts_with("registry+https://github.com/rust-lang/crates.io-index"), "{name}: {source}");
            assert!(value(package, "checksum").is_some(), "{name} has no checksum");
            foreign += 1;
        }
    }
    assert!(foreign > 50, "{foreign}");
    format!("{foreign} libraries, all from crates.io, none of {} known bad ones", MALICIOUS_OR_ABANDONED.len())
}
