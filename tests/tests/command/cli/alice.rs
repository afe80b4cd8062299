//! Tests with alice, enrolled or not, and what is common to the output of the verbs.

use std::fs;

use serde_json::Value;
use twinlock_tests::{Account, Attempt, BESIDE, Output, PamCode, STORE, Setup, User, World};

/// Runs the test with an account alice, who is not enrolled.
pub(crate) fn with_account(test: impl FnOnce(&World, &Account) + Send) {
    Setup::new().unenrolled(test);
}

/// Runs the test with alice enrolled; she never logged in.
pub(crate) fn with_alice(test: impl FnOnce(&World, &User<'_>) + Send) {
    Setup::new().enrolled(|alice| test(alice.world, alice));
}

/// Takes the store away, and the id that says that there was one.
pub(crate) fn remove_store() {
    fs::remove_dir_all(STORE).unwrap();
    fs::remove_file(BESIDE).unwrap();
}

/// What a login of alice with this answer returns.
pub(crate) fn login(world: &World, answer: &str) -> PamCode {
    Attempt::new("svc").user("alice").answer(answer).run(world).code()
}

/// The JSON of a verb that was done, or of somebody who is not enrolled.
pub(crate) fn json(output: &Output) -> Value {
    assert!(matches!(output.code, Some(0 | 4)) && output.stdout.ends_with("}\n"), "{output:?}");
    output.json()
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
