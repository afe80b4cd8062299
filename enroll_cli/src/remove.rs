//! `twinlock remove`: a user without a second factor.

use std::path::Path;

use twinlock_core::{admin, policy::SecondFactor, ports::WriteCredentials};

use crate::{
    cli::Remove,
    failure::Failure,
    journal,
    output::note,
    scene::{self, Scene},
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &Remove) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(Some(&arguments.user))?;
    let user = subject.name.as_str();
    // Also removes what cannot be read: the way out of a damaged file.
    if matches!(scene.store.credentials.read_any_uid(&subject), Ok(None)) {
        return Err(Failure::not_enrolled(user));
    }
    let rules = if scene.config.policy.rules.is_empty() { "" } else { " (where no rule says otherwise)" };
    let means = match scene.config.policy.otherwise {
        SecondFactor::Required => "cannot log in until enrolled again",
        SecondFactor::Enroll => "enrols again at the next login",
        SecondFactor::Optional | SecondFactor::Skip => "logs in with the first factor alone",
    };
    if !arguments.yes {
        let mut terminal = Terminal::open("removing", "--yes does it without asking")?;
        let answer =
            terminal.ask(&format!("Remove the second factor of {user}, who then {means}{rules}? Type yes: "))?;
        if answer.as_deref().map(Vec::as_slice) != Some(b"yes") {
            return Err(Failure::refused("not confirmed, so nothing was changed"));
        }
    }
    admin::remove(&scene.store.credentials, &scene.store.states, &subject)?;
    journal::change("removed", user);
    note(&format!("{user}: no second factor any more; {user} {means}{rules}"));
    Ok(())
}
