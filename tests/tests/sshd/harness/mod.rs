//! The harness proves itself on modules that are not ours: each of its promises, with a stand-in for Twinlock.

mod libpam;
mod peer;
mod sshd;
mod terminal;
mod world;
