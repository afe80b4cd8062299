//! `twinlock check`: what `sshd -t` is to sshd. Reads the configuration and every file of the store, changes nothing.

use std::path::Path;

use twinlock_core::{
    account::UserName,
    host,
    ports::{ReadCredentials, StoreError},
};

use crate::{
    failure::Failure,
    output::{note, print},
    scene::Scene,
};

pub(crate) fn run(config: &Path) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let mut found = 0usize;
    let mut report = |problem: &str, hint: &str| {
        found = found.saturating_add(1);
        note(&format!("problem: {problem}\nhint: {hint}"));
    };
    let mut of_store = |error: &StoreError| report(&error.to_string(), &error.hint());
    let files = scene.store.credentials.file_names().inspect_err(&mut of_store).unwrap_or_default();
    for file in &files {
        match subject(file) {
            Err(problem) => report(
                &format!("credentials/{file}.toml: {problem}"),
                "remove the file if the account is gone for good",
            ),
            Ok(subject) => {
                let mut of_store = |error: &StoreError| report(&error.to_string(), &error.hint());
                let _ = scene.store.credentials.read(&subject).inspect_err(&mut of_store);
                let _ = scene.store.states.look(&subject).inspect_err(&mut of_store);
            }
        }
    }
    if found > 0 {
        return Err(Failure::refused(format!("{found} problems")));
    }
    print(&format!("{}: fine; {} users in {}\n", config.display(), files.len(), scene.config.store.directory.display()))
}

fn subject(file: &str) -> Result<twinlock_core::account::Subject, String> {
    let name = UserName::from_file_name(file).map_err(|bad| bad.to_string())?;
    let account = host::account(&name).map_err(|error| format!("cannot ask the passwd database: {error}"))?;
    account.ok_or_else(|| format!("there is no account named {name}"))
}
