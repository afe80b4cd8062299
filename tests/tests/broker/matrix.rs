//! What a caller may do to an account: every caller, every verb, every object.

use serde_json::{Value, json};
use twinlock_tests::{CONFIG, Caller, Raw, Snapshot};

use crate::messages::{GHOST, Said, Scene, ask, login, request, say, store, wish, with_scene};

/// What no host takes for an account.
const HOSTILE: [&str; 17] = [
    "",
    " ",
    ".",
    "..",
    "../alice",
    "/etc/passwd",
    "alice/",
    "alice:x",
    "alice\n",
    "alice\nbob:0",
    "alice\0",
    "\0",
    "bob\0alice",
    "\u{202e}ecila",
    "ALICE",
    "alice ",
    "%61lice",
];
/// Accounts that are not the caller's: enrolled, not enrolled, of nobody any more, root's, a service's, unknown.
const OTHERS: [&str; 7] = ["bob", "carol", "dave", "erin", "root", "nobody", "mallory"];

fn verbs() -> Vec<Value> {
    let changes = [json!("suspend"), json!("resume"), json!("remove"), json!({ "rename": "new" })];
    let devices = changes.map(|change| json!({ "device": ["phone1", change] }));
    let wishes = ["first", "beside", "instead"].map(wish);
    let rest = ["status", "remove", "verify", "resync"].map(Value::from);
    let recovery = ["ask", "skip"].map(|confirm| json!({ "renew-recovery": confirm }));
    [&wishes[..], &devices, &rest, &recovery].concat()
}

/// Everything a user can name that is not the user's own account.
fn not(own: &str) -> Vec<String> {
    let alice = ["alice", "erin", "uid4242", "4242", "1001", "#1001", "*"];
    let known = OTHERS.iter().chain(&alice).filter(|name| **name != own);
    known.chain(&HOSTILE).map(ToString::to_string).chain([own.repeat(500), "x".repeat(8000)]).collect()
}

/// Has everything asked about everybody else: all refusals are one and the same, and nothing was touched.
fn one_refusal_for_all(scene: &Scene<'_>, caller: &Caller, own: &str) -> Said {
    let (mark, before) = (scene.world.log_mark(), store());
    let mut refusals: Vec<Said> = Vec::new();
    for name in not(own) {
        for verb in verbs() {
            let said = ask(caller.connect(), &request(Some(&name), &verb));
            assert_eq!(refusals.first().unwrap_or(&said), &said, "{verb} for {name:?}");
            refusals.push(said);
        }
    }
    assert!(refusals.len() > 300, "{}", refusals.len());
    assert_eq!(store(), before);
    assert_eq!(scene.world.log_since(mark), [], "nothing was looked up, so there is nothing to tell");
    refusals.pop().unwrap()
}

fn not_yours() -> Said {
    let content = r#"{"cause":"not-permitted","message":"not permitted: only root can do this for another account","hint":"run the command without a user name, or as root"}"#;
    Said { questions: vec![], last: Some('F'), content: content.into() }
}

fn no_account() -> Said {
    let content = r#"{"cause":"refused","message":"there is no such account","hint":null}"#;
    Said { questions: vec![], last: Some('F'), content: content.into() }
}

#[test]
fn an_enrolled_user_learns_and_changes_nothing_of_anybody_else() {
    with_scene(|scene| {
        let said = one_refusal_for_all(scene, &scene.caller(&scene.alice), "alice");
        assert_eq!(said, not_yours());
        scene.assert_serving();
    });
}

#[test]
fn a_user_who_is_not_enrolled_learns_and_changes_nothing_of_anybody_else() {
    with_scene(|scene| {
        let said = one_refusal_for_all(scene, &scene.caller(&scene.carol), "carol");
        assert_eq!(said, not_yours());
    });
}

#[test]
fn whoever_has_no_account_is_refused_whatever_is_asked() {
    with_scene(|scene| {
        for uid in [GHOST, scene.erin.uid] {
            let caller = scene.world.caller(uid);
            assert_eq!(one_refusal_for_all(scene, &caller, "-"), no_account(), "{uid}");
            let before = store();
            for verb in verbs() {
                assert_eq!(ask(caller.connect(), &request(None, &verb)), no_account(), "{uid}: {verb}");
            }
            assert_eq!(store(), before, "{uid}");
        }
    });
}

#[test]
fn an_account_that_has_the_number_of_a_deleted_one_inherits_nothing() {
    with_scene(|scene| {
        let frank = scene.world.account_with_uid("frank", scene.erin.uid);
        let said = ask(scene.caller(&frank).connect(), &request(None, &json!("status")));
        assert_eq!(
            (&said.json()["status"]["user"], &said.json()["status"]["enrolled"]),
            (&json!("frank"), &json!(false)),
            "{said:?}"
        );
    });
}

/// What becomes of a verb, from the first question on.
fn expected(verb: &Value, enrolled: bool) -> (Option<&'static str>, &'static str) {
    const PROOF: &str = "To confirm your identity, enter a code from your app or a recovery code: ";
    const CODE: &str = "Verification code: ";
    let name = verb.as_str().unwrap_or_else(|| verb.as_object().unwrap().keys().next().unwrap());
    let place = verb["enroll"]["place"].as_str().unwrap_or_default();
    match (name, place, enrolled) {
        ("status", _, _) => (None, ""),
        ("enroll", "first", true) => (None, "is already enrolled"),
        ("enroll", "first", false) => (Some("Password: "), "the password was not accepted"),
        ("renew-recovery", _, _) if verb["renew-recovery"] == "skip" => {
            (None, "not permitted: only root can use --no-confirm")
        }
        ("remove", _, _) => (None, "not permitted: this host requires a second factor for your account"),
        ("verify" | "resync", ..) => (Some(CODE), "no code was entered"),
        (_, _, true) => (Some(PROOF), "not confirmed, so nothing was changed"),
        (_, _, false) => (None, "is not enrolled"),
    }
}

#[test]
fn a_user_is_asked_for_proof_before_anything_of_its_own_is_changed() {
    with_scene(|scene| {
        for (account, enrolled) in [(&scene.alice, true), (&scene.carol, false)] {
            let caller = scene.caller(account);
            let (mark, credentials) = (scene.world.log_mark(), Snapshot::of("/var/lib/twinlock/credentials"));
            for verb in verbs() {
                let unnamed = ask(caller.connect(), &request(None, &verb));
                let named = ask(caller.connect(), &request(Some(&account.name), &verb));
                assert_eq!(named, unnamed, "{verb}");
                let (question, message) = expected(&verb, enrolled);
                assert_eq!(named.questions.first().map(String::as_str), question, "{verb}: {named:?}");
                if message.is_empty() {
                    let status = &named.json()["status"];
                    assert_eq!(status["user"], json!(account.name), "{named:?}");
                    assert_eq!(status["enrolled"], json!(enrolled), "{named:?}");
                } else {
                    assert!(named.refusal().contains(message), "{verb}: {named:?}");
                }
            }
            assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), credentials);
            for line in scene.world.log_since(mark) {
                assert!(!line.text.contains("bob") && !line.text.contains("change="), "{line}");
            }
        }
    });
}

#[test]
fn a_login_is_that_of_the_caller_or_none() {
    with_scene(|scene| {
        let (mark, before) = (scene.world.log_mark(), store());
        for (uid, own) in [(scene.alice.uid, "alice"), (scene.carol.uid, "carol"), (GHOST, "-"), (scene.erin.uid, "-")]
        {
            let caller = scene.world.caller(uid);
            for name in not(own).into_iter().filter(|name| !name.contains('\0')) {
                let said = say(caller.connect(), 'L', &login(&name));
                let content = b"refused unknown-user".to_vec();
                assert_eq!(said, Said { questions: vec![], last: Some('V'), content }, "{name:?} by {own}");
            }
        }
        // Root's hosts read the store themselves: a login of somebody else is nothing for the broker.
        let said = say(Raw::connect(), 'L', &login("alice"));
        assert_eq!((said.last, said.text().as_str()), (Some('V'), "refused unknown-user"));
        assert_eq!(store(), before);
        // The log names who asked, and nobody who was asked for; what there was no room for is counted.
        for line in scene.world.log_since(mark).iter().filter(|line| !line.text.starts_with("not-logged=")) {
            let told = "result=refused reason=unknown-user user=- method=- authenticator=- service=lock rhost=- failures=- claimed=service,rhost detail=\"uid ";
            assert!(
                line.text.starts_with(told) && line.text.ends_with(" requested a login of another account\""),
                "{line}"
            );
        }
        let said = say(scene.caller(&scene.alice).connect(), 'L', &login("alice"));
        assert_eq!((said.questions, said.last), (vec!["Code: ".to_owned()], Some('V')));
    });
}

#[test]
fn root_names_anybody_who_has_an_account() {
    with_scene(|_| {
        for (name, enrolled) in [("alice", true), ("bob", true), ("carol", false), ("root", false), ("nobody", false)] {
            let said = ask(Raw::connect(), &request(Some(name), &json!("status")));
            let status = &said.json()["status"];
            assert_eq!((&status["user"], &status["enrolled"]), (&json!(name), &json!(enrolled)), "{said:?}");
        }
        let before = store();
        for name in HOSTILE.iter().chain(&["mallory", "erin"]) {
            for verb in verbs() {
                let said = ask(Raw::connect(), &request(Some(name), &verb));
                assert_eq!(said, no_account(), "{verb} for {name:?}");
            }
        }
        assert_eq!(store(), before);
    });
}

#[test]
fn root_changes_what_is_others_without_proof_and_it_is_written_down() {
    with_scene(|scene| {
        let mark = scene.world.log_mark();
        let spoken = |verb: Value| ask(Raw::connect(), &request(Some("bob"), &verb));
        let renamed = spoken(json!({ "device": ["phone1", { "rename": "new" }] }));
        assert_eq!((renamed.questions.len(), renamed.last), (0, Some('D')), "{renamed:?}");
        let removed = spoken(json!("remove"));
        assert_eq!((removed.last, removed.text().as_str()), (Some('D'), "\"removed\""), "{removed:?}");
        let log: Vec<_> = scene.world.log_since(mark).into_iter().map(|line| line.text).collect();
        assert_eq!(log, ["change=device-renamed user=bob by-uid=0", "change=removed user=bob by-uid=0"]);
        scene.assert_serving();
    });
}

#[test]
fn of_two_accounts_with_one_number_the_kernel_s_word_decides() {
    with_scene(|scene| {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let alias = format!("anna:x:{0}:{0}::/home/anna:/bin/sh\n", scene.alice.uid);
        scene.world.write("/etc/passwd", passwd + &alias);
        let caller = scene.caller(&scene.alice);
        assert_eq!(ask(caller.connect(), &request(Some("anna"), &json!("status"))), not_yours());
        let said = ask(caller.connect(), &request(None, &json!("status")));
        assert_eq!(said.json()["status"]["user"], json!("alice"), "{said:?}");
    });
}

#[test]
fn a_connection_stays_that_of_who_made_it_when_its_process_is_gone() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let connections = [caller.connect(), caller.connect(), caller.connect()];
        // Killed before the broker could have asked about the process, and waited for: its number is free again.
        drop(caller);
        let [named, unnamed, login_of_bob] = connections;
        assert_eq!(ask(named, &request(Some("bob"), &json!("status"))), not_yours());
        assert_eq!(ask(unnamed, &request(None, &json!("status"))).json()["status"]["user"], json!("alice"));
        assert_eq!(say(login_of_bob, 'L', &login("bob")).text(), "refused unknown-user");
    });
}

/// The word of the configuration that leaves a verb to users.
fn word_for(verb: &Value) -> Option<&'static str> {
    match (verb["enroll"]["place"].as_str(), verb.as_str()) {
        (Some("first"), _) => Some("enroll"),
        (Some("beside"), _) => Some("device"),
        (Some("instead"), _) => Some("replace"),
        (_, Some("remove")) => Some("remove"),
        (_, Some(_)) => None,
        (_, None) => Some(if verb["device"].is_null() { "recovery" } else { "device" }),
    }
}

#[test]
fn what_the_administrator_does_not_leave_to_users_is_root_s() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let before = Snapshot::of("/var/lib/twinlock/credentials");
        for word in ["", "enroll", "replace", "recovery", "device", "remove"] {
            let words = if word.is_empty() { String::new() } else { format!("\"{word}\"") };
            // It is read anew for each request.
            scene.world.write(CONFIG, format!("[self_service]\nallow = [{words}]\n"));
            for verb in verbs() {
                let said = ask(caller.connect(), &request(None, &verb));
                let kept = said.text().contains("not permitted: on this host only an administrator can ");
                assert_eq!(kept, word_for(&verb).is_some_and(|needed| needed != word), "{word}: {verb}: {said:?}");
                assert!(!kept || said.questions.is_empty(), "{word}: {verb}: {said:?}");
            }
        }
        scene.world.write(CONFIG, "[self_service]\nfirst_enrollment = \"off\"\n");
        let said = ask(scene.caller(&scene.carol).connect(), &request(None, &wish("first")));
        assert_eq!(
            said.refusal(),
            "not permitted: on this host only an administrator can enrol an account for the first time"
        );
        assert_eq!(Snapshot::of("/var/lib/twinlock/credentials"), before);
        scene.world.write(CONFIG, "[self_service]\nallow = []\n");
        let removed = ask(Raw::connect(), &request(Some("bob"), &json!("remove")));
        assert_eq!(removed.last, Some('D'), "{removed:?}");
    });
}
