//! Every text of this crate that users, administrators and the log read. Three files have their own: `catalogue` what
//! users read, in all languages, `audit` the reasons of the log, `module_arguments` the module's options.

use std::{
    fmt::{self, Display, Formatter},
    io,
};

use crate::{
    account::{UserName, UserNameError},
    catalogue::UserText,
    credentials::Enrolment,
    devices::DeviceError,
    notice::Change,
    policy::{Doubt, SecondFactor},
    recovery::RecoveryError,
    sealed::SealedError,
    secret::{Secret, SecretError},
};

// Values that are not accepted.

impl Display for UserNameError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "user names have 1 to {} bytes, no control characters and no slash", UserName::LONGEST)
    }
}

/// A text is no time.
pub(crate) const NOT_A_TIME: &str = "a time is written like 2026-11-24T04:00:00Z";

/// What a label must be.
pub(crate) const LABEL_RULE: &str =
    "a label has 1 to 64 characters, without control characters and invisible characters";

impl Display for SealedError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Malformed => "it is not a sealed file, or was cut short",
            Self::NewerVersion => "a newer version of Twinlock sealed it",
            Self::NotAuthentic => "it was changed, or was sealed for another user or store",
        })
    }
}

impl Display for SecretError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => write!(out, "the secret is not base32 (letters A to Z, digits 2 to 7)"),
            Self::TooShort(bits) => {
                write!(out, "the secret has {bits} bits; at least {} are required", Secret::SHORTEST.saturating_mul(8))
            }
            Self::TooLong => write!(out, "the secret has more than {} bytes", Secret::LONGEST),
        }
    }
}

impl Display for RecoveryError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Format => "the hash of a recovery code is not a PHC string of Argon2id with a salt and 32 bytes",
            Self::Cost => "the cost of a recovery code's hash is out of range (m 7168 to 65536, t 1 to 10, p 1 to 4)",
            Self::Mixed => "the recovery codes do not share one salt and one cost",
            Self::Ids => "there must be 1 to 32 recovery codes, each with its own id",
            Self::Memory => "there is not enough memory to verify a recovery code",
        })
    }
}

/// A language of `language` in the configuration.
pub(crate) fn not_a_language(text: &str) -> String {
    format!("`{text}` is not a language: use one such as `de`, or the absolute path of a catalogue")
}

/// A value of `second_factor`.
pub(crate) fn not_a_second_factor(name: &str) -> String {
    format!("`{name}` is not one of `required`, `enroll`, `optional`, `skip`")
}

/// A value of `key_types`.
pub(crate) fn not_a_key_type(name: &str, known: &[&str]) -> String {
    format!("`{name}` is not one of `{}` (certificates count as their key)", known.join("`, `"))
}

/// A value of `from`.
pub(crate) fn not_a_network(text: &str) -> String {
    format!("`{text}` is neither a network such as 10.0.0.0/8 nor an address")
}

/// The same: an address inside of the network.
pub(crate) fn address_in_network(text: &str, network: &impl Display) -> String {
    format!("`{text}` has bits set after its prefix; the network is {network}")
}

// Devices.

impl Display for DeviceError {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuch => write!(out, "no device has this id or label"),
            Self::SeveralSuch => write!(out, "several devices have this label; use the id"),
            Self::Last => write!(out, "it is the only device of the user"),
            Self::LooksAlike => write!(out, "another device of the user has this label, or one that looks the same"),
            Self::TooMany => write!(out, "a user has at most {} devices", Enrolment::MOST_AUTHENTICATORS),
        }
    }
}

// Notices.

impl Change {
    /// As people read it.
    #[must_use]
    pub const fn text(self) -> UserText {
        match self {
            Self::Enrolled => UserText::ChangeEnrolled,
            Self::DeviceAdded => UserText::ChangeDeviceAdded,
            Self::Replaced => UserText::ChangeReplaced,
            Self::RecoveryRenewed => UserText::ChangeRecoveryRenewed,
            Self::RecoveryIssued => UserText::ChangeRecoveryIssued,
            Self::DeviceRenamed => UserText::ChangeDeviceRenamed,
            Self::DeviceSuspended => UserText::ChangeDeviceSuspended,
            Self::DeviceResumed => UserText::ChangeDeviceResumed,
            Self::DeviceRemoved => UserText::ChangeDeviceRemoved,
            Self::Removed => UserText::ChangeRemoved,
            Self::Resynced => UserText::ChangeResynced,
            Self::Unlocked => UserText::ChangeUnlocked,
            Self::Acknowledged => UserText::ChangeAcknowledged,
        }
    }
}

// The policy.

impl Display for Doubt<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceIsAName => out.write_str(
                "the login comes from a host name, and networks are compared with addresses only (set UseDNS no)",
            ),
            Self::SourceIsUnverified => out.write_str(
                "a service other than sshd may report a name that looks like an address, so networks are compared only \
                 where the rule names the service in `services`",
            ),
            Self::KeyIsNotShown => out.write_str(
                "sshd reports no key of a known type, and a rule with key_types is stricter than what follows it",
            ),
            Self::NoSuchAccount => out.write_str("the account was not found"),
            Self::NoSuchGroup(group) => out.write_str(&no_group(group)),
            Self::NotInTheList(group) => {
                write!(out, "the group {group} lists the user as a member, but the user's list of groups lacks it")
            }
        }
    }
}

fn no_group(group: &str) -> String {
    format!("there is no group named {group}")
}

/// A group of `[helpdesk]` that must exist.
pub(crate) const GROUP_MISSING: &str = "there is no group of this name";

/// The group database was asked for the groups of a user.
pub(crate) fn groups_of(user: &UserName, error: &io::Error) -> String {
    format!("cannot ask the group database for the groups of {user}: {error}")
}

/// It was asked for a group.
pub(crate) fn group(name: &str, error: &io::Error) -> String {
    format!("cannot ask the group database for the group {name}: {error}")
}

// Rules that can never decide anything: a problem and its hint, or a half of one.

/// A condition without a name or value.
pub(crate) fn empty_condition(condition: &str) -> String {
    format!("`{condition}` is empty, so the rule matches no login")
}

/// A condition that excludes all that it lists.
pub(crate) fn contradictory_condition(condition: &str) -> String {
    format!("`{condition}` lists the same names with and without `!`, so the rule matches no login")
}

pub(crate) const CONDITION_HINT: &str = "list what the rule applies to, or remove the line";

pub(crate) const EXPIRED: (&str, &str) =
    ("its last day has passed, so the rule matches no login any more", "remove the rule, or give it a later `until`");

pub(crate) fn never_reached(earlier: &str) -> String {
    format!("an earlier rule ({earlier}) matches every login that this one matches, so this one never applies")
}

pub(crate) const NEVER_REACHED_HINT: &str = "put the narrower rule first, or remove one of the two";

/// A program has two PAM services, and a rule names one of them.
pub(crate) fn other_service(named: &str, unnamed: &str, used_by: &str) -> String {
    format!("it names the service {named} but not {unnamed}, which `{used_by}` uses")
}

/// `both` as the rule would have them in its list.
pub(crate) fn other_service_hint(both: &str) -> String {
    format!("name both, as in services = [{both}]")
}

pub(crate) fn strict_without_key(second_factor: SecondFactor) -> String {
    format!(
        "it is stricter than what follows it, so its second_factor = \"{}\" also applies to logins for which sshd reports \
         no key (a password, or a key alone)",
        second_factor.name()
    )
}

pub(crate) const STRICT_WITHOUT_KEY_HINT: &str =
    "first add a rule for the key_types that are exempt, then require a code of all other logins";

pub(crate) fn unknown_group(group: &str) -> String {
    format!("{}, so it is unknown which logins the rule matches", no_group(group))
}

pub(crate) const UNKNOWN_GROUP_HINT: &str =
    "write the name as `id` prints it; until then, the strictest of the possible rules applies";

pub(crate) fn misspelt_account(user: &str, account: &UserName) -> String {
    format!("the account {user} is named {account}, so the name matches no login")
}

pub(crate) const MISSPELT_ACCOUNT_HINT: &str = "write the name as `id` prints it";

pub(crate) fn unknown_account(user: &str) -> String {
    format!("there is no account named {user}")
}

pub(crate) const UNKNOWN_ACCOUNT_HINT: &str = "correct the name, or remove it";
