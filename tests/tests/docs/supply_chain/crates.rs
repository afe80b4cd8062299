//! What cargo says of the crates that it builds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A crate as it is built.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    /// As in `Cargo.lock`.
    pub(crate) name: String,
    /// Its version, and its folder if it is one of ours.
    pub(crate) version: String,
    /// Its licence, as an expression of SPDX.
    pub(crate) licence: String,
}

/// A file of the repository.
pub(crate) fn source(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The crates that `cargo tree` finds below `roots` along `edges`, as the lock file has them.
pub(crate) fn tree(roots: &[&str], edges: &str) -> BTreeSet<Crate> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["tree", "--locked", "--offline", "--no-dedupe"]);
    cargo.args(["--prefix", "none", "--format", "{p}|{l}", "--edges", edges]).args(roots);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(read).collect()
}

fn read(line: &str) -> Crate {
    let (package, licence) = line.split_once('|').unwrap();
    let (name, version) = package.split_once(" v").unwrap();
    Crate { name: name.into(), version: version.replace(" (proc-macro)", ""), licence: licence.into() }
}
