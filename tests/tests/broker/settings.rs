//! `[self_service]`: each word, present and absent, and what policy has to say about a removal.

use twinlock_tests::{Account, CONFIG, Output, PASSWORD, STORE, Setup, Snapshot, Terminal, User, World};

const WORDS: [&str; 5] = ["enroll", "replace", "recovery", "device", "remove"];

/// What needs a word, and how a refusal calls it. `bob` is not enrolled.
const VERBS: [(&str, &[&str], &str); 9] = [
    ("enroll", &["enroll", "bob"], "enrol an account"),
    ("replace", &["enroll", "alice", "--replace"], "replace a second factor"),
    ("device", &["enroll", "alice", "--add"], "add a device"),
    ("recovery", &["recovery", "new", "alice"], "make new recovery codes"),
    ("device", &["device", "rename", "alice", "phone", "new"], "change a device"),
    ("device", &["device", "suspend", "alice", "phone"], "change a device"),
    ("device", &["device", "resume", "alice", "phone"], "change a device"),
    ("device", &["device", "remove", "alice", "phone"], "change a device"),
    ("remove", &["remove", "alice", "--yes"], "remove a second factor"),
];

fn not_permitted(what: &str) -> String {
    format!("twinlock: not permitted: on this host only an administrator can {what}\nhint: ask your administrator\n")
}

/// Whether somebody who answers nothing was asked for a proof: there is no terminal, or nothing on stdin.
fn was_asked(output: &Output) -> bool {
    let asked = ["there is no terminal", "not confirmed, so nothing was changed"];
    output.code == Some(1) && asked.iter().any(|text| output.stderr.contains(text))
}

#[test]
fn each_word_of_allow_permits_its_verbs_and_no_others() {
    Setup::with_broker().enrolled(|alice| {
        let bob = alice.world.account("bob");
        let before = Snapshot::of(STORE);
        let lists = WORDS.iter().map(|word| vec![*word]);
        let all_but = WORDS.iter().map(|word| WORDS.into_iter().filter(|other| other != word).collect::<Vec<_>>());
        for list in lists.chain(all_but).chain([vec![], WORDS.to_vec()]) {
            alice.configure(&format!("second_factor = \"optional\"\n[self_service]\nallow = {list:?}\n"));
            for (word, arguments, what) in VERBS {
                let who = if arguments.contains(&"bob") { &bob } else { &alice.account };
                let output = alice.world.twinlock_as(who, arguments).run();
                if list.contains(&word) {
                    assert!(was_asked(&output), "{list:?} {arguments:?}: {output:?}");
                } else {
                    assert_eq!(output.parts(), (Some(3), "", not_permitted(what).as_str()), "{list:?} {arguments:?}");
                }
            }
        }
        assert_eq!(Snapshot::of(STORE), before);
    });
}

#[test]
fn without_the_table_all_of_it_is_left_to_users() {
    Setup::with_broker().enrolled(|alice| {
        let bob = alice.world.account("bob");
        for config in ["", "[self_service]\n", "[self_service]\nfirst_enrollment = \"password\"\n"] {
            alice.configure(&format!("second_factor = \"optional\"\n{config}"));
            for (_, arguments, _) in VERBS {
                let who = if arguments.contains(&"bob") { &bob } else { &alice.account };
                let output = alice.world.twinlock_as(who, arguments).run();
                assert!(was_asked(&output), "{config:?} {arguments:?}: {output:?}");
            }
        }
    });
}

#[test]
fn what_changes_nothing_of_the_kind_needs_no_word() {
    Setup::with_broker().enrolled(|alice| {
        alice.configure("[self_service]\nfirst_enrollment = \"off\"\nallow = []\n");
        for arguments in [&["status"][..], &["status", "alice", "--json"], &["recovery", "count"], &["device", "list"]]
        {
            assert_eq!(alice.runs(arguments, &[]).code, Some(0), "{arguments:?}");
        }
        assert_eq!(
            alice.runs(&["verify"], &[&alice.codes().next()]).stdout,
            "correct: the code is now used up; the next login needs a new one\n"
        );
        assert_eq!(alice.runs(&["resync"], &["123456", "123456"]).code, Some(1));
    });
}

#[test]
fn what_users_may_not_do_root_may() {
    Setup::with_broker().enrolled(|alice| {
        alice.configure("[self_service]\nfirst_enrollment = \"off\"\nallow = []\n");
        alice.world.account("bob");
        assert_eq!(alice.world.twinlock(&["device", "rename", "alice", "phone", "new"]).code, Some(0));
        assert_eq!(alice.world.twinlock(&["enroll", "bob", "--no-confirm"]).code, Some(0));
        assert_eq!(alice.world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
    });
}

fn first_enrolment(world: &World, alice: &Account) -> Output {
    world.twinlock_as(alice, &["enroll"]).run()
}

#[test]
fn a_first_enrolment_wants_the_password() {
    Setup::with_broker().config("[self_service]\nfirst_enrollment = \"password\"\n").unenrolled(|world, alice| {
        world.service("twinlock", "auth required pam_unix.so nodelay\naccount required pam_unix.so\n");
        for wrong in ["hunter2", "", &format!("{PASSWORD} "), &"x".repeat(900)] {
            let mark = world.log_mark();
            let mut terminal = Terminal::start(world.twinlock_as(alice, &["enroll"]));
            terminal.expect("Password: ");
            terminal.send_line(wrong);
            let output = terminal.finish();
            assert_eq!(output.code, Some(1), "{wrong:?}: {output:?}");
            assert!(output.stdout.contains("twinlock: the password was not accepted\n"), "{wrong:?}: {output:?}");
            assert!(!output.stdout.contains("otpauth"), "{output:?}");
            let said = world.log_since(mark).into_iter().filter(|line| line.tag == "twinlockd");
            let said: Vec<_> = said.map(|line| line.text).filter(|text| text.starts_with("password=")).collect();
            assert_eq!(said, ["password=wrong user=alice by-uid=1001"]);
        }
        // The host's file for the broker is missing: the one for all others denies.
        std::fs::remove_file("/etc/pam.d/twinlock").unwrap();
        let output = Terminal::start(world.twinlock_as(alice, &["enroll"])).finish();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stdout.contains("the password was not accepted"), "{output:?}");
    });
}

#[test]
fn no_password_is_enough_where_a_first_enrolment_is_off() {
    Setup::with_broker().config("[self_service]\nfirst_enrollment = \"off\"\n").unenrolled(|world, alice| {
        let told = "twinlock: not permitted: on this host only an administrator can enrol an account for the first time\nhint: ask your \
                    administrator\n";
        assert_eq!(first_enrolment(world, alice).parts(), (Some(3), "", told));
        // Off is about the first one alone.
        world.deploy("alice");
        let output = world.twinlock_as(alice, &["enroll", "--replace"]).run();
        assert!(was_asked(&output), "{output:?}");
    });
}

/// A configuration, and whether alice, who is in the group `staff`, may remove her second factor under it.
const REMOVALS: [(&str, bool); 22] = [
    ("", false),
    ("second_factor = \"required\"\n", false),
    ("second_factor = \"enroll\"\n", false),
    ("second_factor = \"optional\"\n", true),
    ("second_factor = \"skip\"\n", true),
    ("second_factor = \"skip\"\n[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"required\"\n", false),
    ("second_factor = \"skip\"\n[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"enroll\"\n", false),
    ("second_factor = \"skip\"\n[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"optional\"\n", true),
    ("second_factor = \"skip\"\n[[rule]]\nusers = [\"bob\"]\nsecond_factor = \"required\"\n", true),
    ("second_factor = \"skip\"\n[[rule]]\nusers = [\"!bob\"]\nsecond_factor = \"required\"\n", false),
    ("second_factor = \"optional\"\n[[rule]]\ngroups = [\"staff\"]\nsecond_factor = \"required\"\n", false),
    ("second_factor = \"optional\"\n[[rule]]\ngroups = [\"others\"]\nsecond_factor = \"required\"\n", true),
    ("second_factor = \"skip\"\n[[rule]]\nservices = [\"sshd\"]\nsecond_factor = \"required\"\n", false),
    ("second_factor = \"skip\"\n[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\n", false),
    ("[[rule]]\nsecond_factor = \"skip\"\n", true),
    ("[[rule]]\nsecond_factor = \"optional\"\n", true),
    ("[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"skip\"\n", true),
    ("[[rule]]\nusers = [\"bob\"]\nsecond_factor = \"skip\"\n", false),
    ("[[rule]]\nservices = [\"sshd\"]\nsecond_factor = \"skip\"\n", false),
    ("[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"skip\"\n", false),
    ("[[rule]]\nuntil = 2000-01-01\nsecond_factor = \"skip\"\n", false),
    ("[[rule]]\nsecond_factor = \"skip\"\n[[rule]]\nusers = [\"alice\"]\nsecond_factor = \"required\"\n", true),
];

fn remove(alice: &User<'_>) -> Output {
    alice.runs(&["remove", "alice", "--yes"], &[])
}

#[test]
fn what_policy_requires_of_somebody_they_may_not_remove() {
    Setup::with_broker().enrolled(|alice| {
        alice.world.group("staff", &["alice"]);
        alice.world.group("others", &["bob"]);
        for (config, may) in REMOVALS {
            alice.configure(config);
            let output = remove(alice);
            if may {
                assert!(was_asked(&output), "{config:?}: {output:?}");
            } else {
                let told = "twinlock: not permitted: this host requires a second factor for your account\nhint: `twinlock enroll \
                            --replace` sets up a new one in its place\n";
                assert_eq!(output.parts(), (Some(3), "", told), "{config:?}");
            }
        }
        alice.configure("second_factor = \"optional\"\n");
        let output = alice.runs(&["remove", "alice", "--yes"], &[&alice.codes().next()]);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert_eq!(alice.runs(&["status"], &[]).code, Some(4));
    });
}

/// The file, where its mistake is, and what is said of it.
const MISTAKES: [(&str, &str, &str); 14] = [
    (
        "[self_service]\nfirst_enrollment = \"passwort\"\n",
        "2:20",
        "`passwort` is not one of `password`, `session`, `off`",
    ),
    ("[self_service]\nfirst_enrollment = \"\"\n", "2:20", "`` is not one of `password`, `session`, `off`"),
    ("[self_service]\nfirst_enrollment = false\n", "2:20", "this must be a string"),
    ("[self_service]\nallow = \"enroll\"\n", "2:9", ""),
    ("[self_service]\nallow = true\n", "2:9", ""),
    (
        "[self_service]\nallow = [\"enroll\", \"enrol\"]\n",
        "2:9",
        "`enrol` is not one of `enroll`, `replace`, `recovery`, `device`, `remove`",
    ),
    ("[self_service]\nallow = [\n  \"device\",\n  \"all\",\n]\n", "2:9", "`all` is not one of `enroll`"),
    ("[self_service]\nallow = [\"Enroll\"]\n", "2:9", "`Enroll` is not one of"),
    ("[self_service]\nallow = [1]\n", "2:9", "this must be a string"),
    ("[self_service]\nallowed = []\n", "2:1", "unknown key `allowed`; known keys: `first_enrollment`, `allow`"),
    ("[self_service]\nallow = []\nallow = []\n", "3:1", "duplicate key"),
    ("[notify]\nmail = \"yes\"\n", "2:8", "this must be true or false"),
    ("[notify]\nmails = true\n", "2:1", "unknown key `mails`; known keys: `mail`"),
    ("[self-service]\nallow = []\n", "1:2", "unknown key `self-service`"),
];

#[test]
fn a_mistake_has_a_place_for_root_and_shuts_the_broker_without_telling_users_where() {
    Setup::with_broker().enrolled(|alice| {
        for (text, place, what) in MISTAKES {
            alice.configure(text);
            let output = alice.world.twinlock(&["check"]);
            assert_eq!(output.code, Some(1), "{text:?}: {output:?}");
            assert!(output.stderr.starts_with(&format!("twinlock: {CONFIG}:{place}: {what}")), "{text:?}: {output:?}");
            let mark = alice.world.log_mark();
            let told = "twinlock: this host cannot do that at the moment, because of a problem that its administrator has to fix\nhint: tell your \
                        administrator; the log of this host has the details\n";
            assert_eq!(alice.runs(&["status"], &[]).parts(), (Some(1), "", told), "{text:?}");
            let lines = alice.world.log_since(mark);
            let named = format!("{CONFIG}:{place}: ");
            let found =
                lines.iter().filter(|line| line.tag == "twinlockd" && line.text.starts_with("error=host by-uid=1001 "));
            assert_eq!(found.filter(|line| line.text.contains(&named)).count(), 1, "{text:?}: {lines:#?}");
        }
    });
}
