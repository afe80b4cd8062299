//! `twinlock forget`: remembered logins ended, so that the next login is asked for a code.

use std::path::Path;

use twinlock_core::ports::Clock;
use twinlock_service::admin;
use twinlock_store::host::SystemClock;

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
        let forgotten = admin::forget(&scene.store.states, subject, SystemClock.now())?;
        scene.audit_log().changed("forgotten", subject.name.as_str());
        let logins = if forgotten == 1 { "login" } else { "logins" };
        note(&format!("{}: {forgotten} remembered {logins} forgotten", subject.name));
    }
    Ok(())
}
