//! What Twinlock is built from: every crate by the rules of `deny.toml`, every crate of the module with its reason, and
//! every build by the lock file. Asks cargo and reads the repository; no network, and nothing is installed.

mod crates;
mod locked;
mod module;
mod names;
mod rules;
