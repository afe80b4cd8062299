//! alice, who is not enrolled at first, her logins, and verbs that must do or refuse what they say.

use twinlock_tests::{Attempt, Authenticator, Output, PamCode, Setup, World};

pub(crate) const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Runs the test with an account alice, who is not enrolled.
pub(crate) fn with_account(test: impl FnOnce(&World) + Send) {
    Setup::new().unenrolled(|world, _| test(world));
}

/// What a login of alice with these answers returns.
pub(crate) fn login(world: &World, answers: &[&str]) -> PamCode {
    let attempt = answers.iter().fold(Attempt::new("svc").user("alice"), Attempt::answer);
    attempt.run(world).code()
}

/// Runs a verb that must do what it says.
pub(crate) fn done(world: &World, arguments: &[&str]) -> Output {
    let output = world.twinlock(arguments);
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output
}

/// Runs a verb that must refuse with this status and these words.
pub(crate) fn refused(world: &World, arguments: &[&str], status: i32, words: &str) {
    let output = world.twinlock(arguments);
    assert_eq!(output.code, Some(status), "{arguments:?}: {output:?}");
    assert!(output.stdout.is_empty() && output.stderr.contains(words), "{arguments:?}: {output:?}");
}

/// The same with something on stdin.
pub(crate) fn fed(world: &World, arguments: &[&str], input: &str) -> Output {
    world.twinlock_launch(arguments).run_with_input(input.as_bytes())
}

/// The secret that every token of these tests has.
pub(crate) fn token() -> Authenticator {
    Authenticator::from_base32(SECRET)
}
