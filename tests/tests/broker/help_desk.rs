//! What members of the help desk do for others: each change with a code of their own, on record, and known to the owner.

use serde_json::json;
use twinlock_tests::{Account, Enrolled, PamCode, Setup, State, Terminal, User};

use crate::asked::{PROOF, changes};

const CONFIG: &str = "[helpdesk]\ngroup = \"helpdesk\"\n";
const WRONG: &str = "000000";

/// alice, who needs help, and hanna of the help desk, who is enrolled.
fn with_hanna(config: &str, test: impl FnOnce(&User<'_>, &Account, &Enrolled) + Send) {
    Setup::with_broker().config(config).enrolled(|alice| {
        let hanna = alice.world.account("hanna");
        alice.world.group("helpdesk", &["hanna"]);
        let app = alice.world.enrol("hanna");
        alice.state().wrong_codes(100).write(alice.world);
        test(alice, &hanna, &app);
    });
}

#[test]
fn the_help_desk_looks_unlocks_and_issues_a_code_and_the_owner_learns_of_it() {
    with_hanna(CONFIG, |alice, hanna, app| {
        let world = alice.world;
        let (mut codes, mark) = (app.codes(), world.log_mark());
        let status = world.twinlock_as(hanna, &["status", "alice", "--json"]).run();
        assert_eq!((status.code, &status.json()["throttle"]["mode"]), (Some(0), &json!("disabled")), "{status:?}");
        let unlock = world.twinlock_as(hanna, &["unlock", "alice"]);
        let unlocked = unlock.run_with_input(format!("{}\n", codes.next()).as_bytes());
        assert_eq!(unlocked.parts(), (Some(0), "", "alice: cleared the failures; one code is enough again\n"));
        let issue = world.twinlock_as(hanna, &["recovery", "issue", "alice", "--json"]);
        let issued = issue.run_with_input(format!("{}\n", codes.next()).as_bytes());
        assert_eq!(issued.code, Some(0), "{issued:?}");
        let (by, lines) = (format!("by-uid={}", hanna.uid), world.log_since(mark).into_iter());
        let lines: Vec<_> = lines.filter(|line| line.tag == "twinlockd").map(|line| line.text).collect();
        let proved = |line: &str| line.starts_with("result=granted reason=- user=hanna method=totp ");
        assert!(lines.len() == 5 && proved(&lines[1]) && proved(&lines[3]), "{lines:#?}");
        let done = ["help=status", "change=unlocked", "change=recovery-code-issued"];
        assert_eq!(
            [&lines[0], &lines[2], &lines[4]].map(String::as_str),
            done.map(|what| format!("{what} user=alice {by}"))
        );
        let kept = &alice.world.twinlock(&["status", "alice", "--json"]).json()["issued_codes"];
        assert_eq!((kept.as_array().unwrap().len(), &kept[0]["by_uid"]), (1, &json!(hanna.uid)));
        let told = alice.attempt().answer(issued.json()["code"].as_str().unwrap()).run(world);
        let told: String = told.messages.iter().flat_map(|message| message.text.split_whitespace()).collect();
        for change in ["A one-time code was issued for the account", "The failed attempts were cleared"] {
            assert!(told.contains(&change.replace(' ', "")), "{change}: {told}");
        }
    });
}

#[test]
fn nobody_helps_without_a_code_of_their_own() {
    with_hanna(CONFIG, |alice, hanna, _| {
        let (world, before, mark) = (alice.world, alice.state_bytes(), alice.world.log_mark());
        for arguments in [&["unlock", "alice"][..], &["recovery", "issue", "alice"]] {
            for typed in ["", WRONG, alice.recovery_code(0)] {
                let output = world.twinlock_as(hanna, arguments).run_with_input(format!("{typed}\n").as_bytes());
                assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{arguments:?} {typed}: {output:?}");
            }
        }
        assert_eq!((alice.state_bytes(), changes(world, mark)), (before, vec![]));
        assert_eq!(State::of("hanna").charges()[0], 3, "her own failures");
    });
}

#[test]
fn the_help_desk_does_nothing_else_for_others() {
    with_hanna(CONFIG, |alice, hanna, app| {
        let (world, before) = (alice.world, alice.state_bytes());
        let code = app.codes().next();
        for arguments in [
            &["enroll", "alice", "--replace"][..],
            &["recovery", "new", "alice"],
            &["device", "suspend", "alice", "phone"],
            &["remove", "alice", "--yes"],
            &["verify", "alice"],
            &["resync", "alice"],
        ] {
            let output = world.twinlock_as(hanna, arguments).run_with_input(format!("{code}\n").as_bytes());
            let told = "twinlock: not permitted: the help desk can show a status, unlock an account and issue a code\n\
                        hint: ask your administrator\n";
            assert_eq!(output.parts(), (Some(3), "", told), "{arguments:?}");
        }
        assert_eq!(alice.state_bytes(), before);
        assert_eq!(alice.attempt().answer(alice.recovery_code(0)).run(world).code(), PamCode::Success);
    });
}

#[test]
fn users_who_are_unknown_or_not_enrolled_are_named_before_a_code_is_asked_for() {
    with_hanna(CONFIG, |alice, hanna, _| {
        alice.world.account("bob");
        for (user, code, told) in [("bob", 4, "twinlock: bob is not enrolled\n"), ("nobody-here", 1, "no such account")]
        {
            let output = alice.world.twinlock_as(hanna, &["recovery", "issue", user]).run_with_input(b"");
            assert!(output.code == Some(code) && output.stderr.contains(told), "{output:?}");
        }
    });
}

#[test]
fn a_protected_group_that_does_not_exist_stops_the_help_desk() {
    with_hanna(&format!("{CONFIG}protected_groups = [\"docker\"]\n"), |alice, hanna, _| {
        let world = alice.world;
        let status = || world.twinlock_as(hanna, &["status", "alice"]).run();
        let refused = status();
        assert!(refused.code == Some(1) && refused.stderr.contains("this host cannot do that"), "{refused:?}");
        let line = world.wait_for_log(|line| line.text.starts_with("error=host"));
        assert!(line.text.contains("the group docker"), "{line}");
        world.group("docker", &["dora"]);
        assert_eq!(status().code, Some(0));
        world.group("docker", &["alice"]);
        let told = "twinlock: not permitted: the help desk cannot help alice, who has more rights than a user\n\
                    hint: ask your administrator\n";
        assert_eq!(status().parts(), (Some(3), "", told));
    });
}

#[test]
fn a_member_who_is_taken_out_of_the_group_at_the_prompt_does_not_help() {
    with_hanna(CONFIG, |alice, hanna, app| {
        let (world, before) = (alice.world, alice.state_bytes());
        let mut terminal = Terminal::start(world.twinlock_as(hanna, &["unlock", "alice"]));
        terminal.expect(PROOF);
        world.group("helpdesk", &[]);
        terminal.send_line(&app.codes().next());
        terminal.expect("not permitted: only root can do this for another account");
        assert_eq!((terminal.finish().code, alice.state_bytes()), (Some(3), before));
    });
}
