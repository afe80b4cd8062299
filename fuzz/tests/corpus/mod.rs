//! The corpora, as they are checked in.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A path of this crate.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The inputs of a kind, in the order of their names.
pub(crate) fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder("corpus").join(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}
