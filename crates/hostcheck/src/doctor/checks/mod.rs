//! The table of checks. Each is pure: it judges facts, and reads and asks nothing.

mod clock;
mod logins;
mod module;
mod other_lines;
mod people;
mod sealing;
mod server;
mod stack;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;

use Run::{Each, One};

use super::{
    finding::{Finding, Severity},
    host::HostFacts,
};
use crate::{messages::Text, pam_stack::Place};

/// The check for accounts that are denied because they are not enrolled.
pub const NOT_ENROLLED: &str = "not-enrolled";

/// What is found of a plan alone: accounts without the first factor that it asks for.
pub const NO_FIRST_FACTOR: &str = "no-first-factor";

/// A check: its name, which scripts know; what it looks for, for the manual page; and what it does.
type Check = (&'static str, &'static str, Run);

/// What finds one thing at the most, or several.
enum Run {
    One(fn(&HostFacts) -> Option<Symptom>),
    Each(fn(&HostFacts) -> Vec<Symptom>),
}

/// What a check found, without its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Symptom {
    severity: Severity,
    place: Option<String>,
    text: Text,
}

/// All checks, in the order in which an administrator would fix what they find.
const CHECKS: [Check; 40] = [
    (
        "emergency",
        "`twinlock emergency off` is in force, so nobody is asked for a second factor.",
        One(module::emergency),
    ),
    ("sshd-config", "`sshd -t` rejects the configuration, or there is no sshd.", One(server::config)),
    ("use-pam", "sshd does not use PAM.", One(server::use_pam)),
    ("sshd-methods", "A login for which every method is turned off.", Each(logins::no_method)),
    (
        "key-alone",
        "A login that sshd admits with a key alone although policy requires a code. It succeeds where no account \
         guard stops it.",
        Each(logins::key_alone),
    ),
    (
        "code-alone",
        "A login that asks for a code only, or for nothing; or that is denied because of that.",
        Each(logins::code_alone),
    ),
    (
        "password-method",
        "sshd's password method, which cannot ask for a code, together with Twinlock.",
        Each(logins::password_method),
    ),
    ("root", "Root has to enter a code, and sshd does not let root enter one.", Each(logins::root)),
    (
        "sshd-unheard",
        "A line of sshd's configuration without effect, because an earlier one decides.",
        Each(server::unheard),
    ),
    ("sshd-stale", "The configuration was changed after sshd read it.", One(server::stale)),
    (
        "match-blocks",
        "The Match blocks that `twinlock ssh enable` made are not those of the rules any more.",
        One(server::match_blocks),
    ),
    ("grace-time", "Less than 300 seconds for a login in which users enrol.", One(server::grace_time)),
    ("use-dns", "sshd gives PAM names where rules list networks.", One(server::use_dns)),
    ("penalties", "sshd penalises addresses that many users may share.", One(server::penalties)),
    ("touch", "Rules exempt FIDO keys, and sshd takes such a key without a touch.", One(server::touch)),
    ("version", "A version of OpenSSH that lacks something.", One(server::version)),
    (
        "service-name",
        "A PAM file with capital letters in its name, which libpam never reads.",
        Each(stack::service_name),
    ),
    ("pam-line", "No auth line of pam_twinlock.so.", One(stack::line)),
    (
        "pam-order",
        "A line that bypasses that of pam_twinlock.so: `sufficient`, a jump, an included file. A hint where the \
         line is a condition.",
        Each(stack::order),
    ),
    ("pam-control", "A control value by which a login succeeds although Twinlock denied it.", One(stack::control)),
    ("pam-refuses", "A stack in which no login can succeed.", One(stack::refuses)),
    ("pam-ignore", "A stack in which nothing succeeds where Twinlock asks for no code.", One(stack::ignored)),
    (
        "login-shell",
        "`sudo -i` or `su -` has a PAM file of its own that lacks the line that the file of sudo or su has.",
        Each(stack::login_shell),
    ),
    ("guard", "No account line of pam_twinlock.so, or one that is bypassed or ignored.", Each(stack::guard)),
    ("password-too", "A password is asked for after the key.", One(logins::password_too)),
    (
        "faillock",
        "pam_faillock counts codes as passwords, or clears its count before the code.",
        Each(other_lines::faillock),
    ),
    ("other-second-factor", "Another module that asks for a second factor.", Each(other_lines::other_second_factor)),
    (
        "module",
        "The module is missing, writable by others than root, for another machine, or lacks a library.",
        Each(module::module),
    ),
    (
        "store",
        "A directory or file of the store that cannot be trusted or read; a store that may be that of another \
         host; a record without credentials; a read-only or a network file system.",
        Each(store::store),
    ),
    (
        "store-mount",
        "The file system on which the store should be, by fstab or a mount unit, is not mounted.",
        One(store::mount),
    ),
    ("store-space", "Little or no space for the store.", Each(store::space)),
    (
        "sealed",
        "Sealed secrets whose key is not there now or will not be after a restart; secrets in clear on a sealed host; \
         a change that was interrupted; a key on the same disk.",
        Each(sealing::sealed),
    ),
    ("clock", "The clock is off, or nothing synchronises it.", One(clock::clock)),
    (
        NOT_ENROLLED,
        "Accounts that sshd would let in with a key or a password, and that are denied because they are not \
         enrolled.",
        One(people::not_enrolled),
    ),
    ("not-allowed", "Enrolled users who are left out by AllowUsers and the like.", One(people::not_allowed)),
    (
        "earlier-owner",
        "Enrolments that are older than the account: of a former user of the same name and uid.",
        One(people::earlier_owner),
    ),
    ("recovery-codes", "Enrolled users without a recovery code.", Each(people::recovery_codes)),
    ("automation", "An account of a program that would be asked for a code.", One(people::automation)),
    ("break-glass", "No way in that needs no code.", One(people::break_glass)),
    ("broker", "The socket of twinlockd is missing or not trusted.", One(store::broker)),
];

/// Each check with what it looks for.
pub fn described() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHECKS.iter().map(|(id, about, _)| (*id, *about))
}

/// Everything that is found.
pub(super) fn all(facts: &HostFacts) -> Vec<Finding> {
    let found = CHECKS.iter().flat_map(|(id, _, run)| {
        let found = match run {
            One(run) => run(facts).into_iter().collect(),
            Each(run) => run(facts),
        };
        found.into_iter().map(|found| found.by(id))
    });
    // Not one of the table: only a plan can be compared with the host as it is.
    let found = found.chain(people::no_first_factor(facts).into_iter().map(|found| found.by(NO_FIRST_FACTOR)));
    let mut findings: Vec<Finding> = found.collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

impl Symptom {
    const fn new(severity: Severity, place: Option<String>, text: Text) -> Self {
        Self { severity, place, text }
    }

    /// The same of a file or directory.
    fn of_path(severity: Severity, path: &Path, text: Text) -> Self {
        Self::new(severity, Some(path.display().to_string()), text)
    }

    /// The same at a line.
    fn at(severity: Severity, place: &Place, text: Text) -> Self {
        Self::new(severity, Some(place.to_string()), text)
    }

    fn by(self, id: &'static str) -> Finding {
        let Self { severity, place, text: Text { found, why, fix } } = self;
        Finding { id, severity, found, place, why, fix }
    }
}
