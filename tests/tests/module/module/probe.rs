//! Builds of the module with other features than the one that ships.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// Builds the module with this feature; its bytes.
pub(crate) fn module(feature: &str) -> Vec<u8> {
    built(&["--features", feature])
}

/// Builds the module without any feature; its bytes.
pub(crate) fn bare_module() -> Vec<u8> {
    built(&["--no-default-features"])
}

fn built(features: &[&str]) -> Vec<u8> {
    // All features are built in one folder, so that what they have in common is built once.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    // Built quickly: nothing of it is timed, and no Argon2 is run.
    let quickly = ["build", "--config=profile.dev.package.\"*\".opt-level=0", "--config=profile.dev.debug=false"];
    let built = cargo(features, &quickly);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::read(target().join("debug/libpam_twinlock.so")).unwrap()
}

/// Checks that no release can be built with this feature.
pub(crate) fn is_refused_in_a_release(feature: &str) {
    let built = cargo(&["--features", feature], &["check", "--release"]);
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(!built.status.success() && said.contains("never in a release build"), "{said}");
}

fn cargo(features: &[&str], arguments: &[&str]) -> Output {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["--offline", "--quiet"]).args(arguments).args(["-p", "pam_twinlock"]).args(features);
    command.current_dir(repository).env("CARGO_TARGET_DIR", target());
    command.env_remove("RUSTFLAGS").output().unwrap()
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("panic-probe")
}
