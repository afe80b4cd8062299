//! `twinlock manual`: the manual pages, from the definitions that the programs themselves read, so that they cannot
//! differ: flags from both `cli.rs`, settings from the shipped file, arguments and reasons from core.

mod broker;
mod command;
mod flags;
mod module;
mod page;
mod settings;

use std::{fs::File, io::Write, path::Path};

use crate::failure::Failure;

pub(crate) fn run(directory: &Path) -> Result<(), Failure> {
    let pages = [
        ("twinlock.1", command::page()),
        ("twinlock.toml.5", settings::page()),
        ("pam_twinlock.8", module::page()),
        ("twinlockd.8", broker::page()),
    ];
    for (name, text) in pages {
        let path = directory.join(name);
        File::create(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::refused(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}
