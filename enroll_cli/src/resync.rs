//! `twinlock resync`: two consecutive codes set a clock or a counter right.

use std::path::Path;

use twinlock_core::login::Outcome;

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
    Err(verify::failure(&attempt, user))
}
