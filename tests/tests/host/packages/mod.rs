//! The packages that `make deb` and `make rpm` have built: what is in them, and what installing, upgrading, removing and
//! purging them does to a host. The Makefile builds them before the tests.

mod built;
mod contents;
mod debian;
mod fail2ban;
mod five_commands;
mod repository;
mod reproducible;
mod root;
mod rpm;
mod selinux;
