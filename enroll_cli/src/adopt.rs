//! `twinlock adopt`: the same person under another uid keeps the second factor.

use std::path::Path;

use twinlock_core::admin;

use crate::{
    cli::Named,
    failure::Failure,
    output::note,
    scene::{self, Scene},
};

pub(crate) fn run(config: &Path, arguments: &Named) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(Some(&arguments.user))?;
    let user = subject.name.as_str();
    if !admin::adopt(&scene.store.credentials, &scene.store.states, &subject)? {
        return Err(Failure::not_enrolled(user));
    }
    scene.journal().changed("adopted", user);
    note(&format!("{user}: the second factor belongs to uid {} now", subject.uid));
    Ok(())
}
