//! `twinlock explain`: what it says of a login, held to what the module does of the same one.

use std::fs;

use serde_json::{Value, json};
use twinlock_tests::{
    Attempt, CONFIG, EXACT, ForgedState, IGNORED, Operation, PamCode, STORE, Snapshot, VERIFIED_KEY, World,
    credentials_of,
};

use crate::cli::alice::{fields, with_account, with_alice};

fn explained(world: &World, arguments: &[&str]) -> Value {
    let output = world.twinlock(&[&["explain", "--json"], arguments].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What people are told.
fn told(world: &World, arguments: &[&str]) -> String {
    let output = world.twinlock(&[&["explain"], arguments].concat());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

/// What the module does: of a login that answers with a code of alice, and of one by key alone.
fn done(world: &World, user: &str, answer: &str) -> [&'static str; 2] {
    let login =
        Attempt::new("sshd").user(user).pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY).answer(answer).run(world);
    let outcome = match (login.code(), login.prompts().first()) {
        (IGNORED, None) => "passes",
        (PamCode::Success, Some(_)) => "asked",
        // Nobody is shown it, too; that nothing comes of it is shown by the tests of enrolling.
        (_, Some(prompt)) if prompt.contains("enter this key") => ["enrolls", "refused"][usize::from(user == "zoe")],
        (PamCode::AuthErr | PamCode::UserUnknown | PamCode::AuthinfoUnavail, Some(_)) => "refused",
        other => panic!("{other:?}: {login:?}"),
    };
    let alone = Attempt::new("sshd").user(user).operations([Operation::AcctMgmt]).run(world);
    [outcome, if alone.code() == IGNORED { "passes" } else { "refused" }]
}

fn said(world: &World, user: &str) -> [String; 2] {
    let explained = explained(world, &[user, "--key-type", "ssh-ed25519"]);
    ["outcome", "key_alone"].map(|field| explained[field].as_str().unwrap().to_owned())
}

#[test]
fn the_module_does_what_is_said_of_every_policy_and_everybody() {
    with_alice(|world, alice| {
        world.account("bob");
        world.service("sshd", EXACT);
        for policy in ["required", "enroll", "optional", "skip"] {
            for config in [
                format!("second_factor = \"{policy}\"\n"),
                format!("[[rule]]\nkey_types = [\"ssh-ed25519\"]\nsecond_factor = \"{policy}\"\n"),
                format!(
                    "second_factor = \"skip\"\n[[rule]]\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"{policy}\"\n"
                ),
                format!("second_factor = \"{policy}\"\n[[rule]]\nusers = [\"!zoe\"]\nsecond_factor = \"optional\"\n"),
            ] {
                world.write(CONFIG, format!("fail_delay = \"0s\"\n{config}"));
                for user in ["alice", "bob", "zoe"] {
                    alice.state().write(world);
                    let done = done(world, user, &alice.codes().next());
                    assert_eq!(said(world, user), done, "{user} under {config}");
                }
            }
        }
    });
}

#[test]
fn the_module_does_what_is_said_under_nullok() {
    with_alice(|world, alice| {
        world.account("bob");
        for stack in [
            EXACT.replace("pam_twinlock.so", "pam_twinlock.so nullok"),
            EXACT.replacen("pam_twinlock.so", "pam_twinlock.so nullok", 1),
        ] {
            world.service("sshd", &stack);
            for user in ["alice", "bob", "zoe"] {
                alice.state().write(world);
                let done = done(world, user, &alice.codes().next());
                assert_eq!(said(world, user), done, "{user} under {stack}");
            }
        }
    });
}

#[test]
fn the_module_does_what_is_said_of_who_is_disabled_suspended_or_damaged() {
    with_alice(|world, alice| {
        world.service("sshd", EXACT);
        let code = || alice.codes().next();
        let recovery = alice.recovery_code(0);
        let disabled = || alice.state().wrong_codes(100);
        disabled().write(world);
        assert_eq!((done(world, "alice", recovery), said(world, "alice")[0].as_str()), (["asked", "refused"], "asked"));
        disabled().spent_codes(1..=10).write(world);
        assert_eq!((done(world, "alice", &code()), said(world, "alice")[0].as_str()), (["refused"; 2], "refused"));
        assert!(
            told(world, &["alice"]).contains("are refused until `twinlock unlock`, and no recovery code is left\n")
        );

        alice.state().wrong_codes(3).write(world);
        assert!(
            told(world, &["alice"]).contains("because of incorrect codes before, is asked for two consecutive codes")
        );

        alice.state().spent_codes(1..=10).write(world);
        assert_eq!(world.twinlock(&["device", "suspend", "alice", "phone"]).code, Some(0));
        assert_eq!((done(world, "alice", &code()), said(world, "alice")[0].as_str()), (["refused"; 2], "refused"));

        world.write_secret(credentials_of("alice"), "torn");
        assert_eq!((done(world, "alice", &code()), said(world, "alice")[0].as_str()), (["refused"; 2], "refused"));
        assert_eq!(explained(world, &["alice"])["enrolled"], Value::Null);
    });
}

#[test]
fn a_login_that_may_be_remembered_is_told_until_it_is_forgotten() {
    with_alice(|world, alice| {
        world.service("sshd", EXACT);
        world.write(CONFIG, "[[rule]]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
        let with_key = ["alice", "--from", "2001:db8::7", "--key-type", "ssh-ed25519"];
        let line = |arguments: &[&str]| {
            let text = told(world, arguments);
            text.lines().find_map(|line| line.strip_prefix("remember: ")).unwrap().to_owned()
        };
        let once = "8h for the same key from 2001:db8::/64, once a code was given";
        assert_eq!(line(&with_key), once);
        assert_eq!(explained(world, &with_key)["remember"], "8h");
        assert_eq!(line(&["alice", "--key-type", "ssh-ed25519"]), "8h, but only a login from an address");
        assert_eq!(line(&with_key[..3]), "8h, but only a login with a key that sshd reports");

        let login =
            || Attempt::new("sshd").user("alice").rhost("2001:db8::7").pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY);
        assert_eq!(login().answer(alice.codes().next()).run(world).code(), PamCode::Success);
        assert_eq!(
            line(&with_key),
            format!("{once}; 1 login is remembered now, and such a login is not asked for a code")
        );
        assert_eq!(login().run(world).prompts(), [""; 0]);

        let forgotten = world.twinlock(&["forget", "alice"]);
        assert_eq!(
            forgotten.parts(),
            (Some(0), "", "alice: ended 1 remembered login; the next login asks for a code\n")
        );
        world.wait_for_log(|line| line.text == "change=forgotten user=alice by-uid=0");
        assert_eq!(line(&with_key), once);
        assert_eq!(login().answer("junk").run(world).prompts(), ["Verification code: "]);
    });
}

#[test]
fn json_has_the_promised_fields_in_their_order() {
    with_alice(|world, _| {
        world.service("sshd", EXACT);
        world.group("staff", &["alice"]);
        world.write(CONFIG, "# a comment\n[[rule]]\nusers = [\"bob\"]\nsecond_factor = \"skip\"\n\n[[rule]]\nname = \"a \\\"b\\\"\"\ngroups = [\"staff\"]\nuntil = 2027-01-31\nsecond_factor = \"required\"\n");
        let output = world.twinlock(&["explain", "alice", "--json", "--from", "192.0.2.7", "--at", "2027-01-31"]);
        let expected = json!({
            "user": "alice", "service": "sshd", "from": "192.0.2.7", "key_type": null, "at": "2027-01-31T12:00:00Z",
            "rule": { "number": 2, "name": "a \"b\"", "file": CONFIG, "line": 6, "until": "2027-01-31" },
            "second_factor": "required", "remember": null, "doubt": null, "enrolled": true, "outcome": "asked",
            "key_alone": "refused", "notes": [],
        });
        assert_eq!(crate::cli::alice::json(&output), expected);
        let order = [
            "user",
            "service",
            "from",
            "key_type",
            "at",
            "rule",
            "second_factor",
            "remember",
            "doubt",
            "enrolled",
            "outcome",
            "key_alone",
            "notes",
        ];
        assert!(fields(&output.stdout, &order), "{output:?}");
        let after = explained(world, &["alice", "--at", "2027-02-01T00:00:00Z", "--service", "SUDO"]);
        assert_eq!(
            (&after["rule"], &after["key_alone"], &after["service"]),
            (&Value::Null, &Value::Null, &json!("sudo"))
        );
    });
}

#[test]
fn a_source_that_is_a_name_is_a_doubt_where_it_matters() {
    with_alice(|world, _| {
        let config = "second_factor = \"skip\"\n[[rule]]\nfrom = [\"0.0.0.0/0\"]\nsecond_factor = \"required\"\n";
        world.write(CONFIG, config);
        let of = |from: &str| {
            let explained = explained(world, &["alice", "--from", from]);
            (explained["outcome"].as_str().unwrap().to_owned(), explained["doubt"].is_string())
        };
        assert_eq!(of("host.example.org"), ("asked".into(), true));
        assert_eq!(of("192.0.2.7"), ("asked".into(), false));
        assert_eq!(of("2001:db8::1"), ("passes".into(), false));
        assert!(
            told(world, &["alice", "--from", "host.example.org"])
                .contains("\nbecause:  the login comes from a host name")
        );
    });
}

#[test]
fn a_key_that_is_not_shown_is_a_doubt_where_the_rule_is_the_stricter_one() {
    with_alice(|world, _| {
        world.write(
            CONFIG,
            "second_factor = \"skip\"\n[[rule]]\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"required\"\n",
        );
        let of = |arguments: &[&str]| {
            let explained = explained(world, &[&["alice"], arguments].concat());
            let word = |field: &str| explained[field].as_str().unwrap_or("-").to_owned();
            (word("outcome"), word("key_alone"), explained["doubt"].is_string())
        };
        assert_eq!(of(&[]), ("asked".into(), "refused".into(), true));
        assert_eq!(of(&["--key-type", "ssh-rsa"]), ("asked".into(), "refused".into(), false));
        assert_eq!(of(&["--key-type", "ssh-ed25519"]), ("passes".into(), "refused".into(), false));
        assert_eq!(of(&["--service", "sudo"]), ("passes".into(), "-".into(), false));
        assert!(told(world, &["alice"]).contains("\nbecause:  sshd reports no key of a known type"));
        let guard = "is denied: sshd shows the account guard no key, so a rule with key_types applies that is stricter";
        assert!(told(world, &["alice", "--key-type", "ssh-ed25519"]).contains(guard));
    });
}

#[test]
fn a_source_that_nobody_checked_is_told() {
    with_alice(|world, _| {
        world.write(CONFIG, "[[rule]]\nname = \"inside\"\nfrom = [\"10.0.0.0/8\"]\nsecond_factor = \"skip\"\n");
        let told = |service: &str| told(world, &["alice", "--service", service, "--from", "10.1.2.3"]);
        let note =
            "rule 1 (inside) lists networks and does not name vsftpd in `services`, so 10.1.2.3 counts as a name";
        assert!(told("vsftpd").contains(note) && told("vsftpd").contains("outcome:  asked"), "{}", told("vsftpd"));
        assert!(
            !told("sshd").contains("lists networks") && told("sshd").contains("outcome:  passes"),
            "{}",
            told("sshd")
        );
    });
}

#[test]
fn where_no_rule_fits_the_line_of_the_setting_is_told() {
    with_alice(|world, _| {
        assert!(told(world, &["alice"]).contains("\nrule:     none matches; the default of second_factor applies\n"));
        world.write(CONFIG, "# a comment\n\nsecond_factor = \"optional\"\n");
        let line = "\nrule:     none matches; second_factor of /etc/twinlock/config.toml:3 applies\n";
        assert!(told(world, &["alice"]).contains(line));
    });
}

#[test]
fn nobody_is_explained_with_exit_1() {
    with_account(|world, _| {
        let missing = "twinlock: there is no account named zoe\nhint: check the spelling: `getent passwd zoe` prints the account if this host has it\n";
        let output = world.twinlock(&["explain", "zoe"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(1), missing));
        assert!(
            output.stdout.contains("outcome:  refused: zoe does not exist; the login asks for a code all the same"),
            "{output:?}"
        );
        let hostile = world.twinlock(&["explain", "z\u{1b}[2J/"]);
        assert!(hostile.code == Some(1) && !hostile.stdout.contains('\u{1b}'), "{hostile:?}");
    });
}

#[test]
fn what_the_pam_file_says_is_told() {
    with_account(|world, _| {
        let notes = |stack: &str| {
            world.service("sshd", stack);
            explained(world, &["alice"])["notes"].clone()
        };
        assert_eq!(explained(world, &["alice"])["notes"], json!(["sshd has no PAM file on this host"]));
        let asked = "auth required pam_twinlock.so\naccount required pam_twinlock.so\n";
        assert_eq!(notes(asked), json!([]));
        world.service("ours", &asked.replace(".so\n", ".so config=/etc/other.toml\n"));
        let other = "reads /etc/other.toml, and this answer is about /etc/twinlock/config.toml";
        let lines = [format!("/etc/pam.d/ours:1 {other}"), format!("/etc/pam.d/ours:2 {other}")];
        assert_eq!(notes("@include ours\n"), json!(lines));
        let nobody =
            "the PAM file of sshd has no auth line of pam_twinlock.so, so nobody is asked for a code there yet";
        assert_eq!(notes("auth required pam_unix.so\n"), json!([nobody]));

        world.write(CONFIG, "second_factor = \"enroll\"\n");
        let lost = "the PAM file has no account line of pam_twinlock.so, so the enrolment is not stored";
        assert_eq!(notes("auth required pam_twinlock.so\n"), json!([lost]));
        assert_eq!(explained(world, &["alice"])["key_alone"], "passes");
    });
}

#[test]
fn explaining_changes_nothing_and_logs_nothing() {
    with_alice(|world, alice| {
        ForgedState::of(&alice.account).wrong_codes(2).write(world);
        let (store, mark) = (Snapshot::of(STORE), world.log_mark());
        let config = fs::read(CONFIG).unwrap();
        told(world, &["alice", "--from", "192.0.2.7", "--key-type", "ssh-ed25519"]);
        assert_eq!((Snapshot::of(STORE), world.log_mark()), (store, mark));
        assert_eq!(fs::read(CONFIG).unwrap(), config);
    });
}
