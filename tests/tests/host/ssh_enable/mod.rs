//! `twinlock ssh`: a host as it was installed, switched on and off by the command alone, under a real sshd.

mod boot;
mod daemon;
mod disk;
mod emergency;
mod enable;
mod killed;
mod last_day;
mod match_blocks;
mod pairs;
mod plan;
mod readme;
mod refused;
mod roll_out;
mod stock_host;
mod trial;
mod unenrolled;
mod watched;
