//! The host as adapters: its clock, its randomness, its accounts, its syslog. The only readers of any of them.

pub mod accounts;
mod groups;
pub mod mounts;

use std::time::{Duration, SystemTime};

pub use groups::SystemGroups;
use nix::{
    time::{ClockId, clock_gettime},
    unistd::{Uid, User},
};
use twinlock_core::{
    account::{Subject, UserName},
    ports::{Clock, Randomness},
    time::UnixTime,
};

/// The host's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one adapter that reads the clock")]
    fn now(&self) -> UnixTime {
        SystemTime::now().into()
    }
}

/// The number that the kernel gives each boot; empty where it does not tell.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a file of the kernel, where nobody can put a link")]
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The time since the boot, sleep included. Nobody can set this clock.
///
/// # Errors
/// The kernel's.
pub fn since_boot() -> std::io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_BOOTTIME)?.into())
}

/// The kernel's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kernel;

impl Randomness for Kernel {
    fn fill(&mut self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(std::io::Error::from)
    }
}

/// Looks an account up in the passwd database; `None` if there is none.
///
/// # Errors
/// The database could not be asked. That is not the same as no account.
pub fn account(typed: &UserName) -> std::io::Result<Option<Subject>> {
    Ok(User::from_name(typed.as_str())?.and_then(subject))
}

/// The account of a uid.
///
/// # Errors
/// As for [`account`].
pub fn account_of(uid: u32) -> std::io::Result<Option<Subject>> {
    Ok(User::from_uid(uid.into())?.and_then(subject))
}

/// The uid of the login that this process comes from: sudo(8) and su(1) do not change it. `None` where there was no login, as
/// for a service, and where the kernel does not keep it.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a file of the kernel, where nobody can put a link")]
pub fn login_uid() -> Option<u32> {
    let uid = std::fs::read_to_string("/proc/self/loginuid").ok()?.trim().parse().ok()?;
    (uid != u32::MAX).then_some(uid)
}

/// The account that this process runs as.
///
/// # Errors
/// As for [`account`].
pub fn own_account() -> std::io::Result<Option<Subject>> {
    account_of(Uid::current().as_raw())
}

#[allow(clippy::needless_pass_by_value, reason = "it is mapped over an Option<User>")]
fn subject(user: User) -> Option<Subject> {
    // A name that cannot be one of ours (a slash in LDAP, say) has no second factor and no login.
    UserName::parse(user.name.as_bytes()).ok().map(|name| Subject { name, uid: user.uid.as_raw() })
}

/// The issuer, for the app: what the administrator calls it, or the host's name as far as the picture has
/// room for it; a long one loses its domain.
#[must_use]
pub fn issuer(configured: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    let host = name();
    let short = if host.len() > 20 { host.split('.').next().unwrap_or_default() } else { &host };
    if short.is_empty() { "host".into() } else { short.into() }
}

/// The host's name; empty if it has none.
#[must_use]
pub fn name() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default()
}

/// Whether this process is root's.
#[must_use]
pub fn is_root() -> bool {
    Uid::effective().is_root()
}
