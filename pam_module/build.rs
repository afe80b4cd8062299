//! How the module is linked: never unloaded, relocations read-only, nothing left undefined, with an unwinder of its own.

#![allow(clippy::disallowed_methods, reason = "this is no host of the module")]

use std::{env, fs, path::PathBuf};

fn main() {
    link_unwinder();
    for argument in [
        "-Wl,-z,nodelete", // a thread-local destructor after dlclose would kill a threaded host
        "-Wl,-z,relro,-z,now",
        "-Wl,-z,defs",
        "-Wl,--as-needed",
    ] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}

/// Links what catches a panic from libgcc's archive instead of its library. That library is no part of what sshd has
/// loaded: to look for it, map and bind it was a third of the time in which a login loads the module. Rust asks the linker
/// for it by name, and gets the archive, which is part of every gcc.
fn link_unwinder() {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    fs::write(folder.join("libgcc_s.so"), "INPUT(-lgcc_eh)\n").expect("the folder is ours");
    println!("cargo::rustc-link-search=native={}", folder.display());
}
