//! The very files of `config/`, loaded as they are, and the demonstration that shows them.

mod demo;
mod drop_ins;
mod install;
mod leavers;
mod stacks;
mod units;
