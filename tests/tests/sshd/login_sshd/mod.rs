//! Whole logins: real `ssh`, real sshd, the shipped PAM stack and drop-in, the built module.

mod accounts;
mod clients;
mod code;
mod methods;
mod races;
mod recovery;
mod session;
mod shipped_host;
mod throttle;
