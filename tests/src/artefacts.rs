//! Where the things under test were built. They are looked for outside the world and bound into it.

use std::env;
use std::path::{Path, PathBuf};

/// The directory with `libpam_twinlock.so`, `twinlock` and `twinlockd`: `$TWINLOCK_ARTEFACTS`, or `release/` of the target directory
/// this test binary stands in.
pub(crate) fn directory() -> PathBuf {
    match env::var_os("TWINLOCK_ARTEFACTS") {
        Some(directory) => PathBuf::from(directory),
        None => profile_directory().parent().expect("target/<profile> has a parent").join("release"),
    }
}

/// A program of the harness; cargo builds them beside the tests.
pub(crate) fn helper(name: &str) -> PathBuf {
    profile_directory().join(name)
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in the workspace")
}

/// `target/<profile>`, from `target/<profile>/deps/<test>`.
fn profile_directory() -> PathBuf {
    let test = env::current_exe().expect("the path of this test binary");
    let deps = test.parent().expect("a file has a parent");
    if deps.ends_with("deps") { deps.parent().expect("deps stands in target/<profile>").into() } else { deps.into() }
}
