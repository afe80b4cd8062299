//! Requests that claim, smuggle or break something: who it is about is never theirs to say.

use serde_json::{Value, json};
use twinlock_tests::{Caller, Raw};

use crate::messages::{Said, Scene, ask, request, say, store, wish, with_scene};

/// Has alice, bob and root say all of it; none of it may be understood, asked about, or leave a trace.
fn none_is_understood(scene: &Scene<'_>, contents: &[Vec<u8>]) {
    let (mark, before) = (scene.world.log_mark(), store());
    let users = [scene.caller(&scene.alice), scene.caller(&scene.bob)];
    for content in contents {
        let shown = String::from_utf8_lossy(&content[..content.len().min(200)]).into_owned();
        let connections = users.iter().map(Caller::connect).chain([Raw::connect()]);
        let said: Vec<Said> = connections.map(|connection| ask(connection, content)).collect();
        for one in &said {
            assert!(one.questions.is_empty() && one.last == Some('F'), "{shown}: {one:?}");
            assert!(one.refusal().starts_with("the broker "), "{shown}: {one:?}");
        }
        assert!(said.iter().all(|one| *one == said[0]), "whoever asks hears the same: {shown}: {said:?}");
    }
    assert_eq!(store(), before);
    assert_eq!(scene.world.log_since(mark), []);
    scene.assert_serving();
}

/// The value with one more field in its object at this path.
fn with(value: &Value, pointer: &str, key: &str, field: Value) -> Vec<u8> {
    let mut value = value.clone();
    value.pointer_mut(pointer).unwrap()[key] = field;
    value.to_string().into_bytes()
}

fn envelope(inner: &Value) -> Value {
    serde_json::from_slice(&request(None, inner)).unwrap()
}

#[test]
fn whoever_claims_to_be_somebody_is_not_understood() {
    with_scene(|scene| {
        let mut contents = Vec::new();
        for (key, claim) in [
            ("uid", json!(0)),
            ("uid", json!(scene.bob.uid)),
            ("euid", json!(0)),
            ("gid", json!(0)),
            ("pid", json!(1)),
            ("caller", json!("root")),
            ("subject", json!({ "name": "bob", "uid": 1002 })),
            ("owner", json!("bob")),
            ("root", json!(true)),
            ("by-uid", json!(0)),
            ("config", json!("/home/alice/config.toml")),
            ("store", json!("/home/alice")),
            ("User", json!("bob")),
        ] {
            contents.push(with(&envelope(&json!("status")), "", key, claim.clone()));
            for pointer in ["/request/enroll", "/request/enroll/parameters", "/request/enroll/parameters/factor/time"] {
                contents.push(with(&envelope(&wish("instead")), pointer, key, claim.clone()));
            }
        }
        none_is_understood(scene, &contents);
    });
}

#[test]
fn a_secret_is_not_taken_over_a_socket() {
    with_scene(|scene| {
        let secrets = [
            ("secret", json!("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
            ("secret", json!(null)),
            ("secret", json!([49, 50, 51])),
            ("key", json!("GEZDGNBVGY3TQOJQ")),
            ("uri", json!("otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ")),
        ];
        let smuggled = secrets.map(|(key, secret)| with(&envelope(&wish("first")), "/request/enroll", key, secret));
        none_is_understood(scene, &smuggled);
    });
}

#[test]
fn another_version_is_not_understood() {
    with_scene(|scene| {
        let versions =
            [json!(0), json!(2), json!(255), json!(256), json!(-1), json!(1.0), json!("1"), json!(null), json!([1])];
        let contents = versions.map(|version| with(&envelope(&json!("status")), "", "version", version));
        none_is_understood(scene, &contents);
        let said = ask(Raw::connect(), br#"{"version":2,"request":"status"}"#);
        assert_eq!(said.refusal(), "the broker uses version 1 of the protocol, and the command version 2");
    });
}

#[test]
fn what_is_said_twice_is_not_understood() {
    with_scene(|scene| {
        let contents = [
            r#"{"version":1,"user":null,"user":"bob","request":"status"}"#,
            r#"{"version":1,"user":"bob","user":null,"request":"status"}"#,
            r#"{"version":1,"version":1,"request":"status"}"#,
            r#"{"version":1,"request":"status","request":"remove"}"#,
            r#"{"version":1,"request":{"remove":null,"status":null}}"#,
            r#"{"version":1,"request":{"device":["phone1","suspend"],"device":["phone1","remove"]}}"#,
            r#"{"version":1,"request":"status"}{"version":1,"request":"remove"}"#,
            r#"{"version":1,"request":"status"} x"#,
            "{\"version\":1,\"request\":\"status\"}\0",
            r#"{"version":1,"request":{"device":["phone1",{"rename":"a","rename":"b"}]}}"#,
            r#"{"version":1,"request":{"device":["phone1","suspend","remove"]}}"#,
            r#"{"version":1,"request":{"renew-recovery":"ask","renew-recovery":"skip"}}"#,
        ];
        none_is_understood(scene, &contents.map(|content| content.as_bytes().to_vec()));
    });
}

#[test]
fn what_is_no_request_is_not_understood() {
    with_scene(|scene| {
        let deep = |open: &str, close: &str, times: usize| {
            format!(r#"{{"version":1,"request":{}{}}}"#, open.repeat(times), close.repeat(times)).into_bytes()
        };
        let contents = vec![
            vec![],
            b"\0".to_vec(),
            b"null".to_vec(),
            b"[]".to_vec(),
            b"{}".to_vec(),
            b"\"status\"".to_vec(),
            b"{\"version\":1}".to_vec(),
            b"{\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"request\":\"Status\"}".to_vec(),
            b"{\"version\":1,\"request\":\"forget\"}".to_vec(),
            b"{\"version\":1,\"request\":\"stat\\u0000us\"}".to_vec(),
            b"{\"version\":1,\"request\":\"status\",}".to_vec(),
            b"\xef\xbb\xbf{\"version\":1,\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"request\":\"stat\xff\"}".to_vec(),
            b"{\"version\":1,\"user\":\"\xff\xfe\",\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"user\":\"\xed\xa0\x80\",\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"user\":\"\\ud800\",\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"user\":[\"bob\"],\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"user\":0,\"request\":\"status\"}".to_vec(),
            b"{\"version\":1,\"user\":{\"bob\":null},\"request\":\"status\"}".to_vec(),
            vec![0xff; 16 * 1024],
            vec![b'['; 16 * 1024],
            vec![b'{'; 16 * 1024],
            vec![b' '; 16 * 1024],
            b"{\"a\":".repeat(3000),
            deep("[", "]", 8000),
            deep("{\"enroll\":", "}", 1400),
            deep("{\"device\":[", "]}", 1200),
        ];
        none_is_understood(scene, &contents);
    });
}

#[test]
fn a_request_that_is_not_understood_is_refused_however_long_it_is() {
    with_scene(|scene| {
        // What is wrong with it is repeated in the answer, which has a longest length too.
        let long = format!(r#"{{"version":1,"{}":1}}"#, "x".repeat(16 * 1024 - 18));
        let escaped = format!(r#"{{"version":1,"{}":1}}"#, "\\u0001".repeat(2700));
        assert_eq!(long.len(), 16 * 1024);
        none_is_understood(scene, &[long.into_bytes(), escaped.into_bytes()]);
    });
}

/// A wish with another value at this path.
fn wish_with(pointer: &str, value: Value) -> Vec<u8> {
    let mut changed = envelope(&wish("first"));
    *changed.pointer_mut(pointer).unwrap() = value;
    changed.to_string().into_bytes()
}

#[test]
fn labels_and_numbers_that_no_authenticator_can_have_are_not_understood() {
    with_scene(|scene| {
        let labels =
            ["", "a\nb", "\u{1b}[2J", "a\0", "\u{7f}", "\u{85}", "\u{202e}a", "a\u{200b}", "\u{feff}"].map(Value::from);
        let labels = labels.into_iter().chain([json!("x".repeat(65)), json!(null), json!(1)]);
        let digits = [json!(-1), json!(256), json!(6.5), json!("6"), json!(null)];
        let periods = [json!(-1), json!(4_294_967_296_u64), json!("30"), json!(null)];
        let algorithms = [json!("md5"), json!("SHA1"), json!(null), json!("sha1\0")];
        let places = [json!("First"), json!("elsewhere"), json!(null), json!(["first", "instead"])];
        let confirm = [json!("yes"), json!(true), json!(null)];
        let contents: Vec<_> = labels
            .map(|value| wish_with("/request/enroll/label", value))
            .chain(digits.map(|value| wish_with("/request/enroll/parameters/digits", value)))
            .chain(periods.map(|value| wish_with("/request/enroll/parameters/factor/time/period", value)))
            .chain(algorithms.map(|value| wish_with("/request/enroll/parameters/algorithm", value)))
            .chain(places.map(|value| wish_with("/request/enroll/place", value)))
            .chain(confirm.map(|value| wish_with("/request/enroll/confirm", value)))
            .chain([wish_with(
                "/request/enroll/parameters/factor",
                json!({ "time": { "period": 30 }, "counter": { "first": 0 } }),
            )])
            .chain([br#"{"version":1,"request":{"device":["phone1",{"rename":"a\nb"}]}}"#.to_vec()])
            .collect();
        none_is_understood(scene, &contents);
    });
}

#[test]
fn numbers_out_of_range_and_bad_issuers_are_refused_and_store_nothing() {
    with_scene(|scene| {
        let carol = scene.caller(&scene.carol);
        let before = store();
        for issuer in ["a:b", "a\nb", "\u{1b}]0;x\u{7}", "\0", &"x".repeat(65)] {
            let content = wish_with("/request/enroll/issuer", json!(issuer));
            for connection in [carol.connect(), Raw::connect()] {
                let said = ask(connection, &content);
                assert_eq!(said.questions, Vec::<String>::new(), "{said:?}");
                assert_eq!(said.refusal(), "an issuer has up to 64 characters, no colon and no control characters");
            }
        }
        let numbers = [("digits", [0, 5, 9, 255]), ("factor/time/period", [0, 14, 121, u32::MAX])];
        for (field, values) in numbers {
            for value in values {
                let content = wish_with(&format!("/request/enroll/parameters/{field}"), json!(value));
                let said = ask(Raw::connect(), &content);
                assert!(said.questions.is_empty() && said.last == Some('F'), "{field} {value}: {said:?}");
                // A user is asked for the password first, and does not have it here.
                assert_eq!(ask(carol.connect(), &content).last, Some('F'), "{field} {value}");
            }
        }
        assert_eq!(store(), before);
    });
}

#[test]
fn what_is_not_confirmed_is_for_root_alone() {
    with_scene(|scene| {
        let before = store();
        for (account, place) in
            [(&scene.alice, "first"), (&scene.alice, "beside"), (&scene.alice, "instead"), (&scene.carol, "first")]
        {
            let mut skipped = envelope(&wish(place));
            skipped["request"]["enroll"]["confirm"] = json!("skip");
            let said = ask(scene.caller(account).connect(), skipped.to_string().as_bytes());
            assert!(said.questions.is_empty(), "{said:?}");
            assert_eq!(said.refusal(), "not permitted: only root can use --no-confirm");
        }
        assert_eq!(store(), before);
        let mut skipped = envelope(&wish("first"));
        skipped["request"]["enroll"]["confirm"] = json!("skip");
        skipped["user"] = json!("carol");
        assert_eq!(ask(Raw::connect(), skipped.to_string().as_bytes()).last, Some('D'));
    });
}

#[test]
fn a_login_that_is_not_one_gets_no_answer() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let (mark, before) = (scene.world.log_mark(), store());
        let fields = |fields: &[&str]| fields.join("\0").into_bytes();
        let contents = [
            vec![],
            vec![0; 5],
            vec![0; 16 * 1024],
            b"1".to_vec(),
            fields(&["2", "alice", "required", "lock", "", "Code: "]),
            fields(&["01", "alice", "required", "lock", "", "Code: "]),
            fields(&["1", "alice", "Required", "lock", "", "Code: "]),
            fields(&["1", "alice", "", "lock", "", "Code: "]),
            fields(&["1", "alice", "required", "lock", "Code: "]),
            fields(&["1", "alice", "required", "lock", "", "Code: ", ""]),
            fields(&["1", "alice", "required", "lock", "", "Code: ", "0"]),
            [&fields(&["1", "alice", "required", "lock", "", "Code"])[..], b"\xff"].concat(),
        ];
        for content in contents {
            let said = say(caller.connect(), 'L', &content);
            assert!(said.is_nothing(), "{content:?}: {said:?}");
        }
        assert_eq!(store(), before);
        assert_eq!(scene.world.log_since(mark), []);
    });
}

#[test]
fn a_login_says_nothing_in_the_log_but_its_own_words() {
    with_scene(|scene| {
        let caller = scene.caller(&scene.alice);
        let hostile =
            ["x\nresult=granted user=bob", "a b=c", "\"", "\u{1b}[2J", "\u{202e}", "rhost=- failures=0", "%s%n"];
        for forged in hostile {
            let mark = scene.world.log_mark();
            let content = ["1", "alice", "required", forged, forged, forged].join("\0");
            let said = say(caller.connect(), 'L', content.as_bytes());
            assert_eq!((said.questions, said.last), (vec![forged.to_owned()], Some('V')));
            // By a grammar that takes nothing else; it fails on what does not fit.
            let entries = scene.world.entries_since(mark);
            assert_eq!(entries.len(), 1, "{entries:?}");
            assert!(entries[0].text.contains(" user=alice "), "{entries:?}");
        }
    });
}

#[test]
fn a_login_under_a_policy_of_its_own_lets_nobody_in_who_was_not_asked() {
    with_scene(|scene| {
        for (account, policy, verdict) in [
            (&scene.alice, "skip", "not-asked"),
            (&scene.alice, "optional", "no-answer 0"),
            (&scene.alice, "enroll", "no-answer 0"),
            (&scene.carol, "optional", "not-asked"),
        ] {
            let content = ["1", &account.name, policy, "lock", "", "Code: "].join("\0");
            let said = say(scene.caller(account).connect(), 'L', content.as_bytes());
            assert_eq!((said.last, said.text().as_str()), (Some('V'), verdict), "{} {policy}", account.name);
        }
    });
}
