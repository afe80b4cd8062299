//! The real sudo, su and login with the shipped stacks of both families, on a terminal, as a person sees them.

mod hosts;
mod login;
mod policy;
mod su;
mod sudo;
mod throttle;
mod trial;
