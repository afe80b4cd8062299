//! The accounts of a world: its `passwd`, `shadow` and `group`, written whole at every change.

use std::fmt::Write as _;
use std::path::PathBuf;

/// The password of every account of a world.
pub const PASSWORD: &str = "correct horse battery";

/// [`PASSWORD`] as crypt(3) stores it; few rounds, because nobody guesses it here.
const PASSWORD_HASH: &str = "$6$rounds=1000$twinlocktests$aJiOwlVRJeZU/xnyRZwU/rpTcDuxBxVvjWL1lop3/18x0reAOgT2Wii9kJ5k0cAT0g/JKuaQEQ4n.Nc7PtmIh0";

/// One account of a world. Its group has the same name and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The user and group number.
    pub uid: u32,
    /// The home folder, which exists.
    pub home: PathBuf,
}

/// Everybody in a world.
#[derive(Debug, Default)]
pub(crate) struct Register {
    accounts: Vec<Account>,
    groups: Vec<(String, Vec<String>)>,
}

impl Register {
    /// The first free number from 1001 on.
    pub(crate) fn free_uid(&self) -> u32 {
        (1001..60000).find(|uid| self.accounts.iter().all(|account| account.uid != *uid)).expect("numbers are many")
    }

    pub(crate) fn add(&mut self, account: Account) {
        self.remove(&account.name);
        self.accounts.push(account);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.accounts.retain(|account| account.name != name);
    }

    pub(crate) fn set_group(&mut self, name: &str, members: &[&str]) {
        self.groups.retain(|(known, _)| known != name);
        self.groups.push((name.into(), members.iter().map(ToString::to_string).collect()));
    }

    pub(crate) fn passwd(&self) -> String {
        let mut text = String::from(
            "root:x:0:0:root:/root:/bin/sh\n\
             sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        );
        for Account { name, uid, home } in &self.accounts {
            writeln!(text, "{name}:x:{uid}:{uid}::{}:/bin/sh", home.display()).expect("strings take text");
        }
        text
    }

    pub(crate) fn shadow(&self) -> String {
        let mut text =
            format!("root:{PASSWORD_HASH}:20000:0:99999:7:::\nsshd:!:20000::::::\nnobody:*:20000:0:99999:7:::\n");
        for Account { name, .. } in &self.accounts {
            writeln!(text, "{name}:{PASSWORD_HASH}:20000:0:99999:7:::").expect("strings take text");
        }
        text
    }

    pub(crate) fn group(&self) -> String {
        let mut text = String::from("root:x:0:\ntty:x:5:\nshadow:x:42:\nutmp:x:43:\nnogroup:x:65534:\n");
        for Account { name, uid, .. } in &self.accounts {
            writeln!(text, "{name}:x:{uid}:").expect("strings take text");
        }
        for (gid, (name, members)) in (2001..).zip(&self.groups) {
            writeln!(text, "{name}:x:{gid}:{}", members.join(",")).expect("strings take text");
        }
        text
    }
}
