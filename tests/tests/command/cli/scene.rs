//! A host with the command, the module as service `svc`, and alice, who is enrolled or not.

use std::fs;

use serde_json::Value;
use twinlock_tests::{Account, Attempt, BESIDE, Enrolled, ForgedState, Output, PamCode, STORE, World, in_world};

/// Runs the test with an account alice, who is not enrolled.
pub(crate) fn with_account(test: impl FnOnce(&World, &Account) + Send) {
    in_world(|world| {
        world.set_up("");
        world.service("svc", "auth required pam_twinlock.so\n");
        test(world, &world.account("alice"));
    });
}

/// Takes the store away, and the id that says that there was one.
pub(crate) fn remove_store() {
    fs::remove_dir_all(STORE).unwrap();
    fs::remove_file(BESIDE).unwrap();
}

/// Runs the test with alice enrolled; she never logged in.
pub(crate) fn with_alice(test: impl FnOnce(&World, &Alice) + Send) {
    with_account(|world, account| {
        let alice = Alice { enrolled: world.deploy("alice"), account: account.clone() };
        alice.state().write(world);
        test(world, &alice);
    });
}

/// alice, enrolled.
pub(crate) struct Alice {
    pub(crate) account: Account,
    pub(crate) enrolled: Enrolled,
}

impl Alice {
    pub(crate) fn state(&self) -> ForgedState {
        ForgedState::of(&self.account)
    }
}

/// What a login of alice with this answer returns.
pub(crate) fn login(world: &World, answer: &str) -> PamCode {
    Attempt::new("svc").user("alice").answer(answer).run(world).code()
}

/// Exit code, standard output and standard error.
pub(crate) fn parts(output: &Output) -> (Option<i32>, &str, &str) {
    (output.code, &output.stdout, &output.stderr)
}

/// The one JSON object on standard output, on a line of its own.
pub(crate) fn json(output: &Output) -> Value {
    assert_eq!(output.code.map(|code| [0, 4].contains(&code)), Some(true), "{output:?}");
    assert!(output.stdout.ends_with("}\n") && output.stdout.lines().count() == 1, "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

/// The field names of an object, in their order in the text.
pub(crate) fn fields(text: &str, names: &[&str]) -> bool {
    let mut rest = text;
    names.iter().all(|name| {
        let found = rest.split_once(&format!("\"{name}\":"));
        rest = found.map_or("", |(_, after)| after);
        found.is_some()
    })
}
