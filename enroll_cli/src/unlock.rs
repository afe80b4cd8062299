//! `twinlock unlock`: wrong answers forgotten. What was used stays used.

use std::path::Path;

use twinlock_service::admin;
use twinlock_store::ports::ReadCredentials;

use crate::{
    cli::Users,
    failure::Failure,
    output::note,
    scene::{self, Scene},
};

pub(crate) fn run(config: &Path, arguments: &Users) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subjects = scene::accounts(&arguments.user)?;
    for subject in &subjects {
        if scene.store.credentials.read(subject)?.is_none() {
            return Err(Failure::not_enrolled(subject.name.as_str()));
        }
    }
    for subject in &subjects {
        admin::unlock(&scene.store.states, subject)?;
        scene.audit_log().changed("unlocked", subject.name.as_str());
        note(&format!("{}: one code is enough again", subject.name));
    }
    Ok(())
}
