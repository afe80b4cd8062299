//! Everything that can be wrong with the files: denied at once, with one message that names the file and the remedy, and
//! nothing changed.

mod btrfs;
mod config_content;
mod config_file;
mod crash;
mod credentials;
mod disk;
mod emergency;
mod refusals;
mod state;
mod store;
