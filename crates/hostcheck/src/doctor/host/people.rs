//! Everybody who may log in or is enrolled, and what is known of them.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{Mutex, PoisonError},
};

use twinlock_core::{
    account::{Subject, UserName},
    policy::{Groups, SecondFactor, Source},
    time::UnixTime,
};
use twinlock_store::{
    files::Reading,
    host::{
        SystemGroups,
        accounts::{self, Account, Members},
    },
    ports::StoreError,
};

use super::{
    OUTSIDE, PamFacts, StoreFacts,
    access::Access,
    decide,
    first_factor::{FirstFactorFacts, HeldFactors, text_of_users},
    pam::PamExemptions,
};
use crate::{
    HostError, Installation, accounts as host_accounts, parallel,
    sshd::{Files, Settings},
};

/// Somebody who may log in or is enrolled.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact")]
pub(crate) struct Person {
    pub(crate) name: UserName,
    pub(crate) uid: u32,
    pub(crate) may_log_in: bool,
    /// sshd's lists leave the account in.
    pub(crate) allowed: bool,
    pub(crate) first_factors: HeldFactors,
    pub(crate) enrolled: bool,
    pub(crate) recovery_codes_left: Option<usize>,
    /// A device is older than the home folder and the password of the account.
    pub(crate) older_device: bool,
    pub(crate) admin: bool,
    /// What holds for a login of sshd from outside; `None` if it cannot be decided.
    pub(crate) second_factor: Option<SecondFactor>,
    /// A program logs in: keys with a command of their own, or a shell for one purpose.
    pub(crate) automation: Option<String>,
    /// A condition of the PAM file exempts the account from the guard.
    pub(crate) exempt_in_pam: bool,
}

const SHELLS_OF_PROGRAMS: [&str; 3] = ["git-shell", "rssh", "scponly"];

/// Everybody, with what is known of them. Asking a directory for groups is waiting: all processors do it.
pub(super) fn people(
    installation: &Installation<'_>,
    pam: &PamFacts,
    settings: &Settings,
    sshd_files: &Files,
    now: UnixTime,
    asked_about: Option<&Subject>,
    store: &mut StoreFacts,
) -> Result<Vec<Person>, HostError> {
    let files = installation.store.credentials.file_names().unwrap_or_default();
    let enrolled: HashSet<UserName> = files.iter().filter_map(|file| UserName::from_file_name(file).ok()).collect();
    let states: HashSet<UserName> = installation.store.states.users().unwrap_or_default().into_iter().collect();
    let asked_about = asked_about.map(|subject| &subject.name);
    // A user of a directory is found by name alone.
    let by_name = enrolled.iter().chain(asked_about).cloned().collect();
    let known = host_accounts::known(&by_name, None)?;
    let reader = AccountReader {
        installation,
        pam,
        now,
        reading: installation.store.reading().ok(),
        admins: accounts::ADMINISTRATORS.iter().filter_map(|group| accounts::members(group).ok().flatten()).collect(),
        outside: Source::from_rhost(Some(OUTSIDE)),
        groups: RememberedGroups::default(),
        access: Access::from_settings(settings),
        first_factors: FirstFactorFacts::gather(settings, sshd_files, now),
    };
    let meant = |account: &&Account| {
        let name = &account.subject.name;
        account.may_log_in() || enrolled.contains(name) || asked_about == Some(name)
    };
    let meant: Vec<&Account> = known.values().filter(meant).collect();
    let one = |account: &&Account| {
        let name = &account.subject.name;
        reader.read(account, enrolled.contains(name), states.contains(name))
    };
    let (people, faults): (Vec<_>, Vec<_>) = parallel::map(&meant, one).into_iter().unzip();
    store.faults.extend(faults.into_iter().flatten());
    Ok(people)
}

/// What is needed to look at one account after the other.
struct AccountReader<'a> {
    installation: &'a Installation<'a>,
    pam: &'a PamFacts,
    now: UnixTime,
    reading: Option<Reading>,
    admins: Vec<Members>,
    outside: Source,
    groups: RememberedGroups,
    access: Access<'a>,
    first_factors: FirstFactorFacts<'a>,
}

impl AccountReader<'_> {
    fn read(&self, account: &Account, enrolled: bool, has_state: bool) -> (Person, Option<StoreError>) {
        let Self { installation, pam, now, reading, admins, outside, groups, access, first_factors } = self;
        let name = &account.subject.name;
        let status = reading
            .as_ref()
            .filter(|_| enrolled || has_state)
            .map(|reading| installation.read_status(reading, &account.subject, *now));
        // Of an account that was renamed there is a fault where there seems to be nothing.
        let unseen = || reading.as_ref().and_then(|reading| reading.enrolment(&account.subject).err());
        let (recovery_codes_left, older_device, fault) = match status {
            Some(Ok(status)) => (
                enrolled.then_some(status.recovery_codes_left),
                first_factors.is_newer_than_a_device(account, &status),
                None,
            ),
            Some(Err(error)) => (None, false, Some(error)),
            None => (None, false, unseen()),
        };
        let second_factor = decide(installation, &pam.service, name, outside, *now, groups);
        let wanted = second_factor.is_some_and(|policy| policy >= SecondFactor::Enroll);
        let automation = if wanted { automation(account, first_factors) } else { None };
        let person = Person {
            name: name.clone(),
            uid: account.subject.uid,
            may_log_in: account.may_log_in(),
            allowed: access.leaves_in(account),
            first_factors: first_factors.held_by(account),
            enrolled,
            recovery_codes_left,
            older_device,
            admin: account.subject.uid == 0 || admins.iter().any(|group| group.contain(account)),
            second_factor,
            exempt_in_pam: PamExemptions::gather(pam, name, account.subject.uid).account,
            automation,
        };
        (person, fault)
    }
}

/// The group database, asked once for each group that a rule names.
#[derive(Default)]
struct RememberedGroups(Mutex<HashMap<String, Option<Vec<String>>>>);

impl Groups for RememberedGroups {
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
        SystemGroups.groups_of(user)
    }

    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(members) = known.get(group) {
            return Ok(members.clone());
        }
        let members = SystemGroups.members(group)?;
        known.insert(group.to_owned(), members.clone());
        Ok(members)
    }
}

/// Why somebody seems to be a program, if so.
fn automation(account: &Account, first_factors: &FirstFactorFacts<'_>) -> Option<String> {
    let shell = account.shell.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if SHELLS_OF_PROGRAMS.contains(&shell) {
        return Some(account.shell.display().to_string());
    }
    first_factors.key_files(account).find_map(|path| {
        let text = text_of_users(&path)?;
        text.lines().any(has_command).then(|| path.display().to_string())
    })
}

/// Whether a line of `authorized_keys` names the one command of its key.
fn has_command(line: &str) -> bool {
    let line = line.trim_start();
    // Options stand before the key, whose types begin like this.
    let is_key = ["ssh-", "ecdsa-", "sk-", "#"].iter().any(|start| line.starts_with(start));
    !is_key && line.to_ascii_lowercase().contains("command=\"")
}

#[cfg(test)]
mod tests {
    use super::has_command;

    #[test]
    fn a_key_with_a_command_of_its_own_has_it_among_the_options_before_the_key() {
        for (line, has) in [
            ("restrict,command=\"/usr/bin/backup\" ssh-ed25519 AAAA robot", true),
            ("  Command=\"/usr/bin/backup\" ssh-rsa AAAA", true),
            ("ssh-ed25519 AAAA a person's key with command=\"no\"", false),
            ("ecdsa-sha2-nistp256 AAAA command=\"no\"", false),
            ("# command=\"/usr/bin/backup\" ssh-ed25519 AAAA", false),
            ("no-pty ssh-ed25519 AAAA alice", false),
        ] {
            assert_eq!(has_command(line), has, "{line}");
        }
    }
}
