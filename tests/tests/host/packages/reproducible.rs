//! Two builds of one source, in two folders, are the same to the last byte.

use std::fs;
use std::path::{Path, PathBuf};

use crate::packages::built::{Folder, repository, text};

const SHIPPED: [&str; 3] = ["libpam_twinlock.so", "twinlock", "twinlockd"];

/// Copies the source, without what was built of it, and builds it there.
fn build_in(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let (from, to) = (repository().display(), folder.display());
    text("sh", &["-c", &format!("tar -C '{from}' --exclude=./target --exclude=./.git -cf - . | tar -C '{to}' -xf -")]);
    let target = folder.join("target");
    let variable = format!("CARGO_TARGET_DIR={}", target.display());
    text("make", &["-C", folder.to_str().unwrap(), "build", &variable]);
    target.join("release")
}

/// Two optimised builds take many minutes: `make test-long` has the time.
#[test]
#[ignore = "two optimised builds"]
fn two_builds_in_two_folders_are_the_same() {
    let folder = Folder::new("reproducible");
    let [one, other] = ["one", "in/quite/another"].map(|name| build_in(&folder.0.join(name)));
    for file in SHIPPED {
        assert!(fs::read(one.join(file)).unwrap() == fs::read(other.join(file)).unwrap(), "{file} differs");
    }
}
