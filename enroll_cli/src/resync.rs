//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_core::{journal::Reason, login::Outcome};

use crate::{
    cli::User,
    failure::Failure,
    journal,
    output::print,
    scene::{self, Scene},
    terminal::Terminal,
    verify::{self, Owned},
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
    let owned = Owned::by(&subject, &scene);
    match attempt.outcome {
        Outcome::Refused(Reason::WrongCode | Reason::StepUp) => Err(not_consecutive(owned)),
        Outcome::Granted { .. }
        | Outcome::Refused(_)
        | Outcome::TooSoon(_)
        | Outcome::NoAnswer(_)
        | Outcome::NotAsked => Err(verify::failure(&attempt, user, owned)),
    }
}

fn not_consecutive(owned: Owned) -> Failure {
    let (message, hint) = match owned {
        Owned::Phones => (
            "wrong: not two consecutive codes within ten minutes of now",
            "set the phone to automatic date and time, give a code, wait for the next one, give that",
        ),
        Owned::Tokens => (
            "wrong: not two consecutive codes among the next hundred of the token",
            "press its button twice, and give both codes in that order with none in between; \
             a token that is further ahead is enrolled again, with --counter",
        ),
        Owned::Both => (
            "wrong: not two consecutive codes of any device",
            "give two of the same device, with none in between; a phone is set to automatic date and time first",
        ),
    };
    Failure::refused(message).hint(hint)
}
