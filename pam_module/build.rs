//! How the module is linked: never unloaded, relocations read-only, nothing left undefined.

fn main() {
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
