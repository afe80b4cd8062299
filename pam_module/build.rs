//! How the module is linked: never unloaded, relocations read-only, nothing left undefined; and which build it is.

#![allow(
    clippy::disallowed_methods,
    reason = "it runs where the module is built, and reads what cargo says and the sources"
)]

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// The sources that say how values are laid out in memory.
const SOURCES: [&str; 3] = ["src", "../crates", "../Cargo.lock"];

fn main() -> io::Result<()> {
    for argument in [
        "-Wl,-z,nodelete", // a thread-local destructor after dlclose would kill a threaded host
        "-Wl,-z,relro,-z,now",
        "-Wl,-z,defs",
        "-Wl,--as-needed",
    ] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=TWINLOCK_BUILD_ID={:016x}", build_id()?);
    Ok(())
}

/// A hash of the compiler, the target, the profile, the features and the sources: the same in whatever folder it is built.
fn build_id() -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let compiler = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output()?;
    compiler.stdout.hash(&mut hasher);
    for variable in ["TARGET", "PROFILE", "DEBUG", "OPT_LEVEL", "CARGO_CFG_FEATURE"] {
        env::var_os(variable).hash(&mut hasher);
    }
    for source in SOURCES.map(Path::new) {
        println!("cargo::rerun-if-changed={}", source.display());
        hash_files(source, &mut hasher)?;
    }
    Ok(hasher.finish())
}

/// Hashes a file, or all files below a folder, by name and content in the order of their names.
fn hash_files(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| hash_files(entry, hasher));
    }
    path.hash(hasher);
    fs::read(path)?.hash(hasher);
    Ok(())
}
