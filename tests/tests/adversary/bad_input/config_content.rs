//! What can be wrong inside `config.toml`: the place, and the line with a caret.

use twinlock_tests::{CONFIG, Setup};

use crate::bad_input::refusals::{command_refuses, is_denied};

/// The file, where its mistake is, and what is said of it.
const MISTAKES: [(&str, &str, &str); 21] = [
    ("second_facter = \"skip\"\n", "1:1", "unknown key `second_facter`; known keys: `second_factor`"),
    ("second_factor = \"none\"\n", "1:17", "`none` is not one of `required`, `enroll`, `optional`, `skip`"),
    ("second_factor = \"enrol\"\n", "1:17", "`enrol` is not one of"),
    ("\n\nsecond_factor = 1\n", "3:17", "this must be a string"),
    ("prompt = \"a\\u001b\"\n", "1:10", "a prompt has up to 200 characters"),
    ("echo = \"yes\"\n", "1:8", "this must be true or false"),
    ("echo = 0\n", "1:8", "this must be true or false"),
    ("fail_delay = \"11s\"\n", "1:14", "`11s` is not a time span from 0s to 10s"),
    ("fail_delay = 1\n", "1:14", "this must be a string"),
    ("issuer = \"a:b\"\n", "1:10", "an issuer has up to 64 characters"),
    ("[store]\ndirectory = \"var/lib\"\n", "2:13", "it must be an absolute path"),
    ("[store]\npath = \"/x\"\n", "2:1", "unknown key `path`"),
    ("[throttle]\nfree_failures = 0\n", "2:17", "0 is not from 1 to 10"),
    ("[throttle]\nbudget = -1\n", "2:10", "-1 is not from 1 to 1000"),
    ("[throttle]\nspacing = \"0s\"\n", "2:11", "`0s` is not a time span from 1s to 1h"),
    ("[throttle]\ndisable_after = 101\n", "2:17", "101 is not from 11 to 100"),
    ("[throttle]\ndisable_after = 0\n", "2:17", "0 is not from 11 to 100"),
    ("echo = true\necho = true\n", "2:1", "duplicate key"),
    ("[rule]\nname = \"x\"\n", "1:1", "this must be an array of tables, `[[rule]]`, but is a TOML table"),
    ("[[rule]]\nfrom = [\"lan\"]\n", "2:8", "`lan` is neither a network such as 10.0.0.0/8 nor an address"),
    ("echo = \n", "1:8", ""),
];

#[test]
fn the_module_denies_and_its_one_line_names_file_line_column_and_remedy() {
    Setup::new().enrolled(|alice| {
        for (text, place, what) in MISTAKES {
            alice.world.write(CONFIG, text);
            is_denied(
                alice,
                "config",
                &[&format!("{CONFIG}:{place}: {what}"), "`twinlock --config /etc/twinlock/config.toml check`"],
            );
        }
    });
}

#[test]
fn the_command_refuses_and_shows_the_line_with_a_caret() {
    Setup::new().enrolled(|alice| {
        for (text, place, what) in MISTAKES {
            alice.world.write(CONFIG, text);
            let (line, column) = place.split_once(':').unwrap();
            let (line, column): (usize, usize) = (line.parse().unwrap(), column.parse().unwrap());
            let caret =
                format!("\n{line} | {}\n  | {}^\n", text.lines().nth(line - 1).unwrap(), " ".repeat(column - 1));
            command_refuses(alice, &["check"], &[&format!("twinlock: {CONFIG}:{place}: {what}"), &caret]);
        }
    });
}

#[test]
fn every_verb_refuses_a_bad_configuration() {
    Setup::new().enrolled(|alice| {
        alice.world.write(CONFIG, "echo = 1\n");
        let verbs: [&[&str]; 7] = [
            &["enroll", "alice", "--no-confirm"],
            &["status", "alice"],
            &["verify", "alice"],
            &["recovery", "new", "alice", "--no-confirm"],
            &["unlock", "alice"],
            &["remove", "alice", "--yes"],
            &["check"],
        ];
        for verb in verbs {
            command_refuses(alice, verb, &["twinlock: /etc/twinlock/config.toml:1:8: "]);
        }
    });
}

#[test]
fn no_bad_configuration_lets_anybody_in_unasked() {
    Setup::new().enrolled(|alice| {
        alice.world.account("bob");
        for text in [
            "second_factor = \"skip\"\nx = 1\n",
            "x = 1\nsecond_factor = \"skip\"\n",
            "second_factor = \"skip\"\n[[",
            "second_factor = skip\n",
        ] {
            alice.world.write(CONFIG, text);
            for user in ["alice", "bob"] {
                let outcome = twinlock_tests::Attempt::new("svc").user(user).answer("123456").run(alice.world);
                assert_eq!(outcome.code(), twinlock_tests::PamCode::AuthinfoUnavail, "D03: {user} {text:?}");
            }
        }
    });
}

#[test]
fn bytes_that_are_no_text_are_named_by_their_place() {
    Setup::new().enrolled(|alice| {
        alice.world.write(CONFIG, b"echo = true\n# \xff\n");
        is_denied(alice, "config", &[&format!("{CONFIG}:2:3: not UTF-8")]);
        alice.world.write(CONFIG, b"echo = true\n\0\n");
        is_denied(alice, "config", &[&format!("{CONFIG}:2:2: ")]);
    });
}

#[test]
fn a_file_that_is_deeply_nested_is_refused_and_not_followed_down() {
    Setup::new().enrolled(|alice| {
        for text in [
            "[".repeat(60_000),
            format!("a = {}", "[".repeat(60_000)),
            format!("{}x = 1", "a.".repeat(30_000)),
            "x = 1\n".repeat(10_000),
        ] {
            alice.world.write(CONFIG, text);
            is_denied(alice, "config", &[CONFIG]);
        }
    });
}

#[test]
fn what_a_line_holds_cannot_reach_the_terminal_raw() {
    Setup::new().enrolled(|alice| {
        alice.world.write(CONFIG, "prompt = \"a\x1b[31mb\"\n");
        let output = alice.world.twinlock(&["check"]);
        assert!(output.code == Some(1) && !output.stderr.contains('\x1b'), "{output:?}");
    });
}
