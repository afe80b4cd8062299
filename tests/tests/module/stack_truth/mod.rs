//! The truth table of PAM stacks: every shipped one, and every control value for Twinlock's line, with each return code
//! of the first factor and each end of the second. What must come of it is stated in `rule.rs`, apart from libpam.

mod controls;
mod first;
mod ours;
mod rule;
mod shipped;
mod stack;
mod table;
mod unsafe_stacks;
