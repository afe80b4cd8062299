//! What the broker may still do after it has started: whatever goes wrong in it, or in what it starts, writes nowhere but
//! where it must. Under systemd the unit says more of the same; it also hides the sockets of services that would start
//! anything for root, which landlock cannot: it does not restrict connections to those that have a path.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope,
};
use nix::sys::prctl;
use twinlock_service::syslog::{SyslogPriority, log};

use crate::{PROGRAM, messages};

/// Where it, PAM modules and the host's sendmail write.
const WRITTEN: [&str; 5] = ["/run", "/dev", "/var/log", "/var/mail", "/var/spool"];

/// Gives up the right to gain rights, and that to write outside of the store and of the folders of other programs that it
/// needs. All threads that begin later and all programs that are started have no more.
pub(crate) fn myself(store: &Path) -> Result<(), String> {
    prctl::set_no_new_privs().map_err(|error| messages::start_failed("give up the right to new privileges", &error))?;
    let done = restrict(store).map_err(|error| messages::start_failed("restrict itself with landlock", &error))?;
    if done == RulesetStatus::NotEnforced {
        log(PROGRAM, SyslogPriority::Info, messages::NO_LANDLOCK);
    }
    Ok(())
}

/// As much of this as the kernel has: writing, devices (`IoctlDev`), and signals to processes that are not ours.
///
/// Two things that ABI 6 offers are left to the unit, where an administrator can relax them (docs/self-service.md). The network: PAM
/// modules for Kerberos and LDAP need TCP. Abstract sockets: some of winbind and nslcd are such.
fn restrict(store: &Path) -> Result<RulesetStatus, landlock::RulesetError> {
    let abi = ABI::V6;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .scope(Scope::Signal)?
        .create()?;
    if let Ok(everything) = PathFd::new("/") {
        rules = rules.add_rule(PathBeneath::new(everything, AccessFs::from_read(abi)))?;
    }
    for path in WRITTEN.iter().map(Path::new).chain([store]) {
        // What is not there cannot be written to.
        if let Ok(folder) = PathFd::new(path) {
            rules = rules.add_rule(PathBeneath::new(folder, AccessFs::from_all(abi)))?;
        }
    }
    Ok(rules.restrict_self()?.ruleset)
}
