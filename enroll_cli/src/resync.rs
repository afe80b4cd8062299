//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_core::{
    journal::Reason,
    login::{Attempt, Outcome},
};

use crate::{
    cli::User,
    failure::Failure,
    journal,
    output::print,
    scene::{self, Scene},
    terminal::Terminal,
    verify,
};

pub(crate) fn run(config: &Path, arguments: &User) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    let mut terminal = Terminal::or_stdin("codes", "pipe the two codes into stdin, a line each")?;
    let attempt = scene.login().resync(&subject, &mut terminal);
    journal::attempt(user, &attempt);
    if matches!(attempt.outcome, Outcome::Granted { .. }) {
        journal::change("resynced", user);
        return print("right: the authenticator is set right by these two codes\n");
    }
    match attempt.outcome {
        Outcome::Refused(Reason::WrongCode | Reason::StepUp) => Err(not_consecutive(&attempt)),
        Outcome::Granted { .. }
        | Outcome::Refused(_)
        | Outcome::TooSoon(_)
        | Outcome::NoAnswer(_)
        | Outcome::NotAsked => Err(verify::failure(&attempt, user)),
    }
}

fn not_consecutive(attempt: &Attempt) -> Failure {
    if attempt.method == Some("hotp") {
        Failure::refused("wrong: not two consecutive codes among the next hundred of the token")
            .hint("press its button twice, and give both codes in that order with none in between")
    } else {
        Failure::refused("wrong: not two consecutive codes within ten minutes of now")
            .hint("give a code, wait for the next one, give that; a clock that is further off must be set first")
    }
}
