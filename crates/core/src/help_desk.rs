//! The help desk: a group whose members may help users who cannot log in, and users who are out of its reach.

use std::io;

use crate::{
    account::{Subject, UserName},
    messages,
    policy::{Groups, PolicyError},
};

/// `[helpdesk]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HelpDesk {
    /// Its group; empty if there is no help desk.
    pub group: String,
    /// Groups whose members it may not help, beside its own and those of administrators.
    pub protected_groups: Vec<String>,
}

/// Why somebody may not be helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpRefusal {
    /// The caller is not a member of the help desk.
    NotAMember,
    /// It is the caller's own account.
    Themselves,
    /// The account is root's, an administrator's, a member's of the help desk, or in a protected group. With a code that was
    /// issued for it, the caller would have its rights.
    Protected,
}

impl HelpDesk {
    /// Whether an account is a member for certain.
    ///
    /// # Errors
    /// [`PolicyError`]: the group database could not be asked.
    pub fn has_member(&self, user: &UserName, groups: &dyn Groups) -> Result<bool, PolicyError> {
        Ok(!self.group.is_empty() && groups_of(user, groups)?.contains(&self.group))
    }

    /// Why `helper` may not help `user`; `None` if they may. Members of `administrators` are protected where there are such
    /// groups.
    ///
    /// # Errors
    /// [`PolicyError`]: the group database could not be asked, or a protected group does not exist, so that nobody knows who is
    /// in it.
    pub fn refusal(
        &self,
        (helper, user): (&Subject, &Subject),
        administrators: &[&str],
        groups: &dyn Groups,
    ) -> Result<Option<HelpRefusal>, PolicyError> {
        if !self.has_member(&helper.name, groups)? {
            return Ok(Some(HelpRefusal::NotAMember));
        }
        if user.uid == helper.uid || user.name == helper.name {
            return Ok(Some(HelpRefusal::Themselves));
        }
        let protected = user.uid == 0 || self.may_be_protected(&user.name, administrators, groups)?;
        Ok(protected.then_some(HelpRefusal::Protected))
    }

    /// Whether an account is in a protected group, by its list of groups or by that of the group's members: libc leaves out a
    /// source that it could not read, and reports no error.
    fn may_be_protected(
        &self,
        user: &UserName,
        administrators: &[&str],
        groups: &dyn Groups,
    ) -> Result<bool, PolicyError> {
        let own = groups_of(user, groups)?;
        let own_group = [self.group.as_str()];
        let must_exist = self.protected_groups.iter().map(String::as_str).chain(own_group).map(|group| (group, true));
        for (group, must_exist) in must_exist.chain(administrators.iter().map(|group| (*group, false))) {
            let failed = |error| PolicyError::of_group(group, error);
            let members = groups.members(group).map_err(failed)?;
            if members.is_none() && must_exist {
                return Err(failed(io::Error::new(io::ErrorKind::NotFound, messages::GROUP_MISSING)));
            }
            let named = members.is_some_and(|members| members.iter().any(|member| member == user.as_str()));
            if named || own.iter().any(|own| own == group) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn groups_of(user: &UserName, groups: &dyn Groups) -> Result<Vec<String>, PolicyError> {
    groups.groups_of(user).map_err(|error| PolicyError::of_groups_of(user, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups with their members; `torn` is in the list of no user's groups.
    struct Host;

    const GROUPS: [(&str, &[&str]); 5] = [
        ("helpdesk", &["hanna", "henry", "gone"]),
        ("sudo", &["sue"]),
        ("docker", &["dora"]),
        ("torn", &["tom"]),
        ("staff", &["hanna", "alice"]),
    ];

    impl Groups for Host {
        fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
            if user.as_str() == "gone" {
                return Err(io::ErrorKind::NotFound.into());
            }
            let of_user = GROUPS.iter().filter(|(group, users)| *group != "torn" && users.contains(&user.as_str()));
            Ok(of_user.map(|(group, _)| (*group).to_owned()).collect())
        }

        fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
            let found = GROUPS.iter().find(|(name, _)| *name == group);
            Ok(found.map(|(_, users)| users.iter().map(|user| (*user).to_owned()).collect()))
        }
    }

    fn account(name: &str, uid: u32) -> Subject {
        Subject { name: UserName::parse(name.as_bytes()).unwrap(), uid }
    }

    fn asked(group: &str, protected: &[&str], helper: &str, user: (&str, u32)) -> Result<Option<HelpRefusal>, String> {
        let protected_groups = protected.iter().map(|group| (*group).to_owned()).collect();
        let desk = HelpDesk { group: group.to_owned(), protected_groups };
        let (helper, user) = (account(helper, 1001), account(user.0, user.1));
        desk.refusal((&helper, &user), &["sudo", "wheel"], &Host).map_err(|error| error.to_string())
    }

    #[test]
    fn a_member_may_help_users_who_have_no_more_rights_than_users() {
        use HelpRefusal::{NotAMember, Protected, Themselves};
        let alice = ("alice", 1002);
        for (group, protected, helper, user, expected) in [
            ("helpdesk", &[][..], "hanna", alice, None),
            ("helpdesk", &["docker", "torn"], "hanna", alice, None),
            ("", &[], "hanna", alice, Some(NotAMember)),
            ("helpdesk", &[], "alice", ("hanna", 1002), Some(NotAMember)),
            ("helpdesk", &[], "sue", alice, Some(NotAMember)),
            ("helpdesk", &[], "hanna", ("hanna", 1001), Some(Themselves)),
            ("helpdesk", &[], "hanna", ("hannas-other-name", 1001), Some(Themselves)),
            ("helpdesk", &[], "hanna", ("root", 0), Some(Protected)),
            ("helpdesk", &[], "hanna", ("toor", 0), Some(Protected)),
            ("helpdesk", &[], "hanna", ("henry", 1002), Some(Protected)),
            ("helpdesk", &[], "hanna", ("sue", 1002), Some(Protected)),
            ("helpdesk", &[], "hanna", ("dora", 1002), None),
            ("helpdesk", &["docker"], "hanna", ("dora", 1002), Some(Protected)),
            ("helpdesk", &["torn"], "hanna", ("tom", 1002), Some(Protected)),
        ] {
            assert_eq!(asked(group, protected, helper, user), Ok(expected), "{helper} helps {user:?}");
        }
    }

    #[test]
    fn what_the_group_database_does_not_say_lets_nobody_help() {
        for (group, protected, helper, user) in [
            ("helpdesk", &["no-such-group"][..], "hanna", "alice"),
            ("helpdesk", &[], "hanna", "gone"),
            ("helpdesk", &[], "gone", "alice"),
        ] {
            assert!(asked(group, protected, helper, (user, 1002)).is_err(), "{helper} helps {user}");
        }
        assert_eq!(asked("no-such-group", &[], "hanna", ("alice", 1002)), Ok(Some(HelpRefusal::NotAMember)));
    }
}
