//! What Twinlock shows and logs, as found by an attack on Twinlock itself on 2026-11-30 (A).

use std::fs;

use twinlock_tests::{Attempt, Authenticator, Launch, Output, PamCode, World, credentials_of, in_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A08",
        flaw: "`--config FILE` printed lines of any file",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a_file_that_others_may_not_read_is_not_quoted),
    },
    Row {
        id: "A09",
        flaw: "Invisible characters in labels reached root's terminal",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(labels_show_no_invisible_character),
    },
];

const SHADOW: &str = "root:$y$j9T$Zk3mQpLxA0$9wq7XvHASHOFROOT:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n";
/// Words of the files below, none of which may be seen.
const SECRETS: [&str; 5] = ["Zk3mQpLxA0", "HASHOFROOT", "hunter2", "tr0ub4dor", "99999"];

fn quotes_nothing(output: &Output, place: &str) {
    let text = format!("{}{}", output.stdout, output.stderr);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "quoted: {text}");
    assert!(text.contains(place), "{place}: {text}");
}

fn a_file_that_others_may_not_read_is_not_quoted() -> String {
    let mut tried = 0;
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        fs::create_dir("/root/closed").unwrap();
        Launch::new(["chmod", "700", "/root/closed"]).run();
        for (content, place) in [
            (SHADOW, ":1:"),
            ("hunter2 = 1\n", ":1:1: unknown key"),
            ("second_factor = \"hunter2\"\n", ":1:17: "),
            ("second_factor = tr0ub4dor\n", ":1:17: "),
            ("hunter2 = 1\nhunter2 = 2\n", ":2:1: "),
            ("fail_delay = 99999\n", ":1:14: "),
            ("[throttle]\nbudget = 99999\n", ":2:10: "),
            ("[[rule]]\nsecond_factor = \"skip\"\nfrom = [\"hunter2\"]\n", ":3:8: "),
            ("[[rule]]\nsecond_factor = \"skip\"\nuntil = 1000-09-09\n", ":3:9: "),
        ] {
            for (path, mode) in [("/etc/closed", "640"), ("/etc/closed", "600"), ("/root/closed/file", "644")] {
                world.write(path, content);
                Launch::new(["chmod", mode, path]).run();
                for arguments in [&["check"][..], &["unlock", "root"], &["explain", "alice"], &["list"], &["doctor"]] {
                    let output = world.twinlock(&[&["--config", path], arguments].concat());
                    quotes_nothing(&output, place);
                    tried += 1;
                }
                world.service("svc", &format!("auth required pam_twinlock.so config={path}\n"));
                let mark = world.log_mark();
                assert_eq!(
                    Attempt::new("svc").user("alice").answer("123456").run(world).code(),
                    PamCode::AuthinfoUnavail
                );
                let log: String = world.log_since(mark).iter().map(|line| line.text.clone() + "\n").collect();
                assert!(log.contains(place) && SECRETS.iter().all(|secret| !log.contains(secret)), "{log}");
            }
        }
        world.write("/etc/open", "hunter2 = 1\n");
        assert!(world.twinlock(&["--config", "/etc/open", "check"]).stderr.contains("hunter2"), "no secret: quoted");
        world.write_secret("/etc/closed", SHADOW);
        for arguments in [
            &["import", "google-authenticator", "--user", "alice", "/etc/closed"][..],
            &["import", "oath", "/etc/closed"],
            &["enroll", "alice", "--no-confirm", "--secret-file", "/etc/closed"],
        ] {
            quotes_nothing(&world.twinlock(arguments), "");
            tried += 1;
        }
    });
    format!("{tried} runs: line and column, no text")
}

/// Characters of every kind that is invisible or changes what is seen: format characters, ignorable ones, selectors.
const INVISIBLE: [char; 14] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2066}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{e0001}',
    '\u{e0100}',
];

fn planted(world: &World, app: &Authenticator, label: &str) {
    let path = credentials_of("alice");
    let deployed = fs::read_to_string(&path).unwrap();
    let changed = deployed.replace("label = \"phone\"", &format!("label = \"{label}\""));
    assert_ne!(changed, deployed);
    world.write_secret(&path, &changed);
    for arguments in [&["device", "list", "alice"][..], &["status", "alice"], &["list"]] {
        for json in [&[][..], &["--json"]] {
            let output = world.twinlock(&[arguments, json].concat());
            assert_eq!(output.code, Some(0), "a store that was written before is read: {output:?}");
            assert!(!output.stdout.contains(INVISIBLE), "{arguments:?}: {output:?}");
        }
    }
    assert_eq!(Attempt::new("svc").user("alice").answer(app.codes().next()).run(world).code(), PamCode::Success);
    drop(fs::remove_file(twinlock_tests::state_of("alice")));
    world.write_secret(&path, deployed);
}

fn labels_show_no_invisible_character() -> String {
    in_world(|world| {
        world.set_up(CONFIG_WITHOUT_DELAY);
        world.account("alice");
        world.service("svc", "auth required pam_twinlock.so\n");
        let alice = world.enrol("alice");
        for invisible in INVISIBLE {
            planted(world, &alice.authenticator, &format!("pho{invisible}ne"));
            let output = world.twinlock(&["device", "rename", "alice", "phone", &format!("pho{invisible}ne")]);
            assert_eq!(output.code, Some(2), "{invisible:?} {output:?}");
        }
        for alike in ["phone", "Phone", "p hone", "PHONE "] {
            let output = world.twinlock(&["enroll", "alice", "--add", "--no-confirm", "--label", alike]);
            assert_eq!(output.code, Some(1), "{alike:?} {output:?}");
        }
    });
    format!("{} kinds: never printed, rejected in new labels", INVISIBLE.len())
}

const CONFIG_WITHOUT_DELAY: &str = "fail_delay = \"0s\"\n";
