//! Faults in the middle of an attempt, at every place there is: system calls that fail, come short or are the host's last,
//! memory that is refused, limits that are reached. Whatever comes, nobody is let in who should not be, nobody is shut out
//! who should not be, and the host lives on as it was.

mod attempts;
mod host;
mod invariants;
mod limits;
mod memory;
mod scenario;
#[cfg(target_arch = "x86_64")] // the registers of another would have to be written down in `fault-host`
mod system_calls;
