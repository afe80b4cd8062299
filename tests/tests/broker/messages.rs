//! A host with a broker: alice and bob are enrolled, carol and dave are not, erin had an account.

use std::fmt;

use serde_json::{Value, json};
use twinlock_tests::{
    Account, Broker, Caller, Enrolled, ForgedState, Frame, Raw, SOCKET, STORE, Snapshot, World, in_world,
    is_root_in_earnest,
};

/// No account has it.
pub(crate) const GHOST: u32 = 4242;

/// The host.
pub(crate) struct Scene<'w> {
    pub(crate) world: &'w World,
    pub(crate) broker: Broker,
    pub(crate) alice: Account,
    pub(crate) bob: Account,
    pub(crate) carol: Account,
    pub(crate) erin: Account,
    /// What alice holds.
    pub(crate) phone: Enrolled,
}

/// Runs the test in it.
pub(crate) fn with_scene(test: impl FnOnce(&Scene<'_>) + Send) {
    with_broker_under(&[], test);
}

/// The same with a broker that may open so many files.
pub(crate) fn with_limit(descriptors: u32, test: impl FnOnce(&Scene<'_>) + Send) {
    let limit = format!("ulimit -n {descriptors}; exec \"$@\"");
    with_broker_under(&["sh", "-c", &limit, "sh"], test);
}

fn with_broker_under(prefix: &[&str], test: impl FnOnce(&Scene<'_>) + Send) {
    if !is_root_in_earnest("a caller that is not root") {
        return;
    }
    in_world(|world| {
        world.set_up("");
        world.broker_service();
        let [alice, bob, carol, erin] = ["alice", "bob", "carol", "erin"].map(|name| world.account(name));
        world.account("dave");
        let [phone, ..] = ["alice", "bob", "erin"].map(|name| world.deploy(name));
        ForgedState::of(&alice).write(world);
        ForgedState::of(&bob).write(world);
        world.remove_account("erin");
        let broker = world.broker_of(world.broker_launch(&["--listen", SOCKET]).under(prefix));
        test(&Scene { world, broker, alice, bob, carol, erin, phone });
    });
}

impl Scene<'_> {
    pub(crate) fn caller(&self, account: &Account) -> Caller {
        self.world.caller(account.uid)
    }

    /// Fails the test unless root gets the status of alice.
    pub(crate) fn assert_serving(&self) {
        assert!(self.broker.is_running());
        let said = ask(Raw::connect(), &request(Some("alice"), &json!("status")));
        assert_eq!((said.last, &said.json()["status"]["enrolled"]), (Some('D'), &json!(true)), "{said:?}");
    }
}

/// Everything that is kept of everybody.
pub(crate) fn store() -> Snapshot {
    Snapshot::of(STORE)
}

/// A request in an envelope.
pub(crate) fn request(user: Option<&str>, request: &Value) -> Vec<u8> {
    json!({ "version": 1, "user": user, "request": request }).to_string().into_bytes()
}

/// A wish for a new authenticator.
pub(crate) fn wish(place: &str) -> Value {
    json!({ "enroll": {
        "place": place, "label": if place == "beside" { "tablet" } else { "phone" }, "issuer": null, "confirm": "ask",
        "parameters": { "algorithm": "sha1", "digits": 6, "factor": { "time": { "period": 30 } } },
    } })
}

/// What the module sends for a login.
pub(crate) fn login(user: &str) -> Vec<u8> {
    ["1", user, "required", "lock", "", "Code: "].join("\0").into_bytes()
}

/// What was said until the broker hung up.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The questions.
    pub(crate) questions: Vec<String>,
    /// The kind of the last word that is no question; `None` if there was none.
    pub(crate) last: Option<char>,
    /// That word.
    pub(crate) content: Vec<u8>,
}

impl Said {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.content).unwrap_or_default()
    }

    /// The message of a refusal.
    pub(crate) fn refusal(&self) -> String {
        assert_eq!(self.last, Some('F'), "{self:?}");
        self.json()["message"].as_str().unwrap().to_owned()
    }

    /// Whether nothing at all came.
    pub(crate) fn is_nothing(&self) -> bool {
        self.last.is_none() && self.questions.is_empty()
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} {:?} {}", self.questions, self.last, self.text())
    }
}

/// Sends a request, and has no answer to any question.
pub(crate) fn ask(connection: Raw, content: &[u8]) -> Said {
    say(connection, 'R', content)
}

/// The same with a first message of this kind.
pub(crate) fn say(mut connection: Raw, kind: char, content: &[u8]) -> Said {
    connection.say(kind, content);
    hear_out(connection)
}

/// Hears everything until the broker hangs up, with no answer to any question. After that its place is free again.
pub(crate) fn hear_out(mut connection: Raw) -> Said {
    let mut said = Said { questions: vec![], last: None, content: vec![] };
    while let Some(Frame { kind, content }) = connection.hear() {
        if matches!(kind, 'Q' | 'H') {
            said.questions.push(String::from_utf8_lossy(&content).into_owned());
            connection.say('X', b"");
        } else {
            (said.last, said.content) = (Some(kind), content);
        }
    }
    said
}
