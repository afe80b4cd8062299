//! The power fails: every image that the writes of an attempt may leave on the disk is put into a store and read by the
//! built module. None is unreadable, no success that was seen is forgotten, no charge is lost that was seen.

mod attempts;
mod btrfs;
mod disk;
mod pairs;
mod trace;
