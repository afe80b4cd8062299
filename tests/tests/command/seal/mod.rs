//! Sealed secrets: the command changes the form, the module and the broker go by it, and wherever a change is killed every user
//! can log in.

mod files;
mod given;
mod killed;
mod machine;
mod modes;
