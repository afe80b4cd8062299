//! `xtask DIRECTORY`: writes the manual pages, from the definitions that the programs themselves read, so that they cannot
//! differ: options from both `cli.rs`, settings from the shipped file, arguments and reasons from core. Used at build time
//! (`make man`); nothing of it ships.

#![forbid(unsafe_code)]

mod broker;
mod command;
mod flags;
mod module;
mod page;
mod settings;

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.ok_or_else(|| io::Error::other("usage: xtask DIRECTORY"))?;
    let pages = [
        ("twinlock.1", command::page()),
        ("twinlock.toml.5", settings::page()),
        ("pam_twinlock.8", module::page()),
        ("twinlockd.8", broker::page()),
    ];
    pages.iter().try_for_each(|(name, text)| write(&directory.join(name), text))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}
