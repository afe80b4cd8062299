//! The users that sshd's `AllowUsers`, `DenyUsers`, `AllowGroups` and `DenyGroups` leave in, wherever the login comes from. In doubt,
//! somebody is left in.

use twinlock_store::host::accounts::{self, Account, Members};

use crate::sshd::{Settings, is_match};

/// The four lists.
pub(super) struct Access<'a> {
    allowed: Vec<&'a str>,
    denied: Vec<&'a str>,
    /// `None` if no group is named; also if one is a pattern, whose members are not known.
    allowed_groups: Option<Vec<Members>>,
    denied_groups: Vec<Members>,
}

impl<'a> Access<'a> {
    pub(super) fn from_settings(settings: &'a Settings) -> Self {
        let words = |key| settings.all(key).iter().flat_map(|value| value.split_whitespace());
        // What stands behind the name is a host, from which a login may come or not.
        let users = |key| words(key).map(|word| word.split('@').next().unwrap_or(word)).collect();
        let members = |group: &str| accounts::members(group).ok().flatten();
        let groups: Vec<&str> = words("allowgroups").collect();
        let plain = !groups.is_empty() && groups.iter().all(|group| !group.contains(['*', '?', '!']));
        let denied = words("denyusers").filter(|word| !word.contains('@')).collect();
        Self {
            allowed: users("allowusers"),
            denied,
            allowed_groups: plain.then(|| groups.into_iter().filter_map(members).collect()),
            denied_groups: words("denygroups").filter_map(members).collect(),
        }
    }

    /// Whether an account is left in.
    pub(super) fn leaves_in(&self, account: &Account) -> bool {
        let name = account.subject.name.as_str();
        let listed = |patterns: &[&str]| patterns.iter().any(|pattern| is_match(pattern, name));
        let in_one = |groups: &[Members]| groups.iter().any(|group| group.contain(account));
        !listed(&self.denied)
            && !in_one(&self.denied_groups)
            && (self.allowed.is_empty() || listed(&self.allowed))
            && self.allowed_groups.as_deref().is_none_or(in_one)
    }
}

#[cfg(test)]
mod tests {
    use twinlock_core::account::{Subject, UserName};

    use super::*;

    fn account(name: &str, primary_group: u32) -> Account {
        let subject = Subject { name: UserName::parse(name.as_bytes()).unwrap(), uid: 1001 };
        Account { subject, primary_group, home: "/home".into(), shell: "/bin/sh".into() }
    }

    #[test]
    fn the_lists_leave_in_whom_they_name_and_everybody_in_doubt() {
        // The group of root is on every host.
        let [alice, bob, in_root] = [account("alice", 1001), account("bob", 1002), account("carol", 0)];
        for (lists, left_in) in [
            ("", [true, true, true]),
            ("allowusers alice root", [true, false, false]),
            ("allowusers alice bo*", [true, true, false]),
            ("allowusers alice@192.0.2.*", [true, false, false]),
            ("denyusers b?b", [true, false, true]),
            ("denyusers bob@192.0.2.*", [true, true, true]),
            ("denyusers carol\nallowusers alice carol", [true, false, false]),
            ("allowgroups root", [false, false, true]),
            ("allowgroups r*", [true, true, true]),
            ("denygroups root", [true, true, false]),
        ] {
            let settings = Settings::parse(lists);
            let access = Access::from_settings(&settings);
            assert_eq!([&alice, &bob, &in_root].map(|account| access.leaves_in(account)), left_in, "{lists}");
        }
    }
}
