//! Many accounts at once: those of the host's own files, and the members of a group.
//!
//! libc can walk through the whole passwd database, but only by functions that are unsafe and that directories
//! switch off (`enumerate` of sssd.conf). So the accounts are those of `/etc/passwd`; everybody else is looked up by
//! name, and an account that is not known by name is not listed.

use std::{collections::HashSet, io, path::PathBuf};

use nix::unistd::{Group, User};
use twinlock_core::account::{Subject, UserName};

use super::subject;

const PASSWD: &str = "/etc/passwd";

/// Groups whose members may become root, on one distribution or another.
pub const ADMINISTRATORS: [&str; 3] = ["sudo", "wheel", "admin"];

/// Programs that end a login at once, whatever folder they are in.
const NO_SHELLS: [&str; 5] = ["nologin", "false", "sync", "halt", "shutdown"];

/// An account and what says whether it may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub subject: Subject,
    /// `pw_gid`.
    pub primary_group: u32,
    /// `pw_dir`.
    pub home: PathBuf,
    /// `pw_shell`; empty means `/bin/sh`.
    pub shell: PathBuf,
}

impl Account {
    /// Whether its shell lets anybody in. A locked password is no hindrance: a key may be all that is needed.
    #[must_use]
    pub fn may_log_in(&self) -> bool {
        self.shell.file_name().is_none_or(|name| NO_SHELLS.iter().all(|no_shell| name != *no_shell))
    }
}

/// A group: who is in it by number and who by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    gid: u32,
    names: HashSet<String>,
}

impl Members {
    /// Whether the account is in the group, by its primary group or by name.
    #[must_use]
    pub fn contain(&self, account: &Account) -> bool {
        account.primary_group == self.gid || self.names.contains(account.subject.name.as_str())
    }

    /// Those in it by name.
    pub fn names(&self) -> impl Iterator<Item = UserName> {
        self.names.iter().filter_map(|name| UserName::parse(name.as_bytes()).ok())
    }
}

/// The accounts of `/etc/passwd`, in its order; of several with one name the first, which is the one libc finds.
///
/// # Errors
/// The file cannot be read.
#[allow(clippy::disallowed_methods, reason = "this is libc's file: where it is a link, libc follows it too")]
pub fn of_passwd_file() -> io::Result<Vec<Account>> {
    Ok(parse(&std::fs::read(PASSWD)?))
}

/// Looks an account up in the passwd database, directories included.
///
/// # Errors
/// The database could not be asked. That is not the same as no account.
pub fn find(name: &UserName) -> io::Result<Option<Account>> {
    let found = User::from_name(name.as_str())?;
    Ok(found.and_then(|user| {
        let (primary_group, home, shell) = (user.gid.as_raw(), user.dir.clone(), user.shell.clone());
        subject(user).map(|subject| Account { subject, primary_group, home, shell })
    }))
}

/// Looks a group up in the group database, directories included.
///
/// # Errors
/// As for [`find`].
pub fn members(group: &str) -> io::Result<Option<Members>> {
    Ok(Group::from_name(group)?
        .map(|group| Members { gid: group.gid.as_raw(), names: group.mem.into_iter().collect() }))
}

/// Lines that are no accounts, as libc sees it, are passed over.
fn parse(text: &[u8]) -> Vec<Account> {
    let mut known = HashSet::new();
    let accounts = text.split(|byte| *byte == b'\n').filter_map(parse_line);
    accounts.filter(|account| known.insert(account.subject.name.clone())).collect()
}

fn parse_line(line: &[u8]) -> Option<Account> {
    let mut fields = std::str::from_utf8(line).ok()?.split(':');
    let name = fields.next()?.trim_start();
    // `+` and `-` include and exclude NIS users; `#` begins no comment here, but nobody is called so.
    if name.starts_with(['+', '-', '#']) {
        return None;
    }
    let (_password, uid, primary_group) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let (home, shell) = (fields.nth(1).unwrap_or_default(), fields.next().unwrap_or_default());
    Some(Account {
        subject: Subject { name: UserName::parse(name.as_bytes()).ok()?, uid },
        primary_group,
        home: home.into(),
        shell: shell.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one =
            |account: &Account| format!("{}:{}:{}", account.subject.name, account.subject.uid, account.may_log_in());
        parse(text.as_bytes()).iter().map(one).collect()
    }

    #[test]
    fn who_may_log_in_is_told_by_the_shell() {
        for (shell, may) in [
            ("/bin/bash", true),
            ("", true),
            ("/usr/bin/git-shell", true),
            ("/usr/sbin/nologin", false),
            ("/sbin/nologin", false),
            ("/bin/false", false),
            ("/usr/bin/false", false),
            ("/bin/sync", false),
            ("/sbin/halt", false),
            ("/sbin/shutdown", false),
        ] {
            assert_eq!(shown(&format!("a:x:1:1:::{shell}\n")), [format!("a:1:{may}")], "{shell}");
        }
    }

    #[test]
    fn the_first_of_one_name_counts_and_other_lines_are_passed_over() {
        let text = "root:x:0:0:root:/root:/bin/sh\n\n# a comment:x:1:1:::\n+nis:x:1:1:::\n+\nbob:x:seven:7:::\nbob:x:8:8\n\
                    bob:x:9:9:::/bin/false\nno colon\nal\u{7f}ice:x:1:1:::\nzoe:x:4294967295:1:::/bin/zsh";
        assert_eq!(shown(text), ["root:0:true", "bob:8:true", "zoe:4294967295:true"]);
        assert_eq!(parse(b"\xff:x:1:1:::\n"), []);
    }

    #[test]
    fn a_member_is_one_by_number_or_by_name() {
        let members = Members { gid: 7, names: ["bob".into()].into() };
        let contained = |line: &str| members.contain(&parse(line.as_bytes())[0]);
        assert!(contained("alice:x:1:7:::"));
        assert!(contained("bob:x:2:2:::"));
        assert!(!contained("carol:x:3:3:::"));
    }
}
