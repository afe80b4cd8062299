//! The table of checks. Each is pure: it judges facts, and reads and asks nothing.

mod clock;
mod logins;
mod module;
mod other_lines;
mod people;
mod server;
mod stack;
mod store;
#[cfg(test)]
mod tests;

use super::{
    finding::{Finding, Severity},
    host::HostFacts,
};

/// The check for accounts that are denied because they are not enrolled.
pub const NOT_ENROLLED: &str = "not-enrolled";

/// What is found of a plan alone: accounts without the first factor that it asks for.
pub const NO_FIRST_FACTOR: &str = "no-first-factor";

/// A check.
struct Check {
    /// Stable: scripts know it.
    id: &'static str,
    /// What it looks for, for the manual page.
    about: &'static str,
    run: fn(&HostFacts) -> Vec<Symptom>,
}

/// What a check found, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Symptom {
    severity: Severity,
    found: String,
    place: Option<String>,
    why: String,
    fix: String,
}

/// All checks, in the order in which an administrator would fix what they find.
const CHECKS: [Check; 35] = [
    Check {
        id: "sshd-config",
        about: "`sshd -t` refuses the configuration, or there is no sshd.",
        run: server::config,
    },
    Check { id: "use-pam", about: "sshd does not use PAM.", run: server::use_pam },
    Check { id: "sshd-methods", about: "A login for which every method is switched off.", run: logins::no_method },
    Check {
        id: "key-alone",
        about: "A login that sshd admits by a key alone although policy requires a code: open where no guard stops it.",
        run: logins::key_alone,
    },
    Check {
        id: "code-alone",
        about: "A login for which a code is the only thing asked for, or nothing at all; or which is refused because of that.",
        run: logins::code_alone,
    },
    Check {
        id: "password-method",
        about: "sshd's password method, which can give no code, together with Twinlock.",
        run: logins::password_method,
    },
    Check { id: "root", about: "Root has to answer, and sshd does not let root answer.", run: logins::root },
    Check {
        id: "sshd-unheard",
        about: "A line of sshd's configuration that comes too late to hold.",
        run: server::unheard,
    },
    Check { id: "sshd-stale", about: "The configuration was changed after sshd read it.", run: server::stale },
    Check {
        id: "grace-time",
        about: "Less than 300 seconds for a login in which people enrol.",
        run: server::grace_time,
    },
    Check { id: "use-dns", about: "sshd tells PAM names where rules speak of networks.", run: server::use_dns },
    Check {
        id: "penalties",
        about: "sshd punishes addresses behind which many people may be.",
        run: server::penalties,
    },
    Check { id: "version", about: "An OpenSSH that lacks something.", run: server::version },
    Check { id: "service-name", about: "A PAM file in capitals, which libpam never reads.", run: stack::service_name },
    Check { id: "pam-line", about: "No auth line of pam_twinlock.so.", run: stack::line },
    Check {
        id: "pam-order",
        about: "A line that leads past Twinlock's: `sufficient`, a jump, an included file. A hint where the line is a condition.",
        run: stack::order,
    },
    Check {
        id: "pam-control",
        about: "A control value by which a login succeeds though Twinlock refused it.",
        run: stack::control,
    },
    Check { id: "pam-refuses", about: "A stack in which no login can succeed.", run: stack::refuses },
    Check {
        id: "pam-ignore",
        about: "A stack in which nothing succeeds where Twinlock asks nobody.",
        run: stack::ignored,
    },
    Check {
        id: "guard",
        about: "No account line of pam_twinlock.so, or one that is led past or not heeded.",
        run: stack::guard,
    },
    Check { id: "password-too", about: "A password is asked for after the key.", run: logins::password_too },
    Check {
        id: "faillock",
        about: "pam_faillock counts codes as passwords, or forgets before the code.",
        run: other_lines::faillock,
    },
    Check {
        id: "other-second-factor",
        about: "Another module that asks for a second factor.",
        run: other_lines::other_second_factor,
    },
    Check {
        id: "module",
        about: "The module is not there, not root's alone, for another machine, or a library that it needs is missing.",
        run: module::module,
    },
    Check {
        id: "store",
        about: "A folder or file of the store that is not trusted or cannot be read; a store that is not known to be the one \
                of this host; a record without credentials; a read-only or a network file system.",
        run: store::store,
    },
    Check {
        id: "store-mount",
        about: "The file system on which the store should be, by fstab or a mount unit, is not mounted.",
        run: store::mount,
    },
    Check { id: "store-space", about: "Little or no room for the store.", run: store::space },
    Check { id: "clock", about: "The clock is off, or nothing keeps it right.", run: clock::clock },
    Check {
        id: NOT_ENROLLED,
        about: "Accounts that sshd would let in by a key or a password, and that are denied because they are not enrolled.",
        run: people::not_enrolled,
    },
    Check {
        id: "not-allowed",
        about: "Enrolled users whom AllowUsers and the like leave out.",
        run: people::not_allowed,
    },
    Check {
        id: "earlier-owner",
        about: "Enrolments that are older than the account: of somebody who had the name and number before.",
        run: people::earlier_owner,
    },
    Check { id: "recovery-codes", about: "Enrolled users without a recovery code.", run: people::recovery_codes },
    Check {
        id: "automation",
        about: "An account of a program that would be asked for a code.",
        run: people::automation,
    },
    Check { id: "break-glass", about: "No way in that needs no code.", run: people::break_glass },
    Check { id: "broker", about: "The socket of twinlockd is missing or not trusted.", run: store::broker },
];

/// Each check with what it looks for.
pub fn described() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHECKS.iter().map(|check| (check.id, check.about))
}

/// Everything that is found.
pub(super) fn all(facts: &HostFacts) -> Vec<Finding> {
    let found = CHECKS.iter().flat_map(|check| (check.run)(facts).into_iter().map(|found| found.by(check.id)));
    // Not one of the table: only a plan can be compared with the host as it is.
    let found = found.chain(people::no_first_factor(facts).into_iter().map(|found| found.by(NO_FIRST_FACTOR)));
    let mut findings: Vec<Finding> = found.collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

impl Symptom {
    fn new(
        severity: Severity,
        place: Option<String>,
        found: impl Into<String>,
        why: &str,
        fix: impl Into<String>,
    ) -> Self {
        Self { severity, place, found: found.into(), why: why.to_owned(), fix: fix.into() }
    }

    fn by(self, id: &'static str) -> Finding {
        let Self { severity, found, place, why, fix } = self;
        Finding { id, severity, found, place, why, fix }
    }
}
