//! The built command: what each verb prints, changes and exits with, in scripts and on a real terminal.

mod admin;
mod alice;
mod announce;
mod check;
mod enrol;
mod explain;
mod interactive;
mod interrupted;
mod issue;
mod qr;
mod recovery;
mod report;
mod secrets;
mod status;
mod store;
mod test_login;
mod usage;
mod verify;
