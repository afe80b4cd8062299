//! Whether sshd can let an account in by a first factor at all: a key, a password, or something else. In doubt, it can.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::OFlag;
use twinlock_core::time::UnixTime;
use twinlock_service::status::Status;
use twinlock_store::host::accounts::Account;

use crate::{
    shadow::{Password, SECONDS_PER_DAY, Shadow},
    sshd::{Files, Settings},
};

/// The first factors of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeldFactors {
    /// A key, or something that is proven like one: a certificate, a ticket of Kerberos.
    pub(crate) key: bool,
    pub(crate) password: bool,
}

/// What sshd accepts as a first factor on this host.
pub(super) struct FirstFactorFacts<'a> {
    settings: &'a Settings,
    files: &'a Files,
    shadow: Shadow,
    now: UnixTime,
}

impl<'a> FirstFactorFacts<'a> {
    pub(super) fn gather(settings: &'a Settings, files: &'a Files, now: UnixTime) -> Self {
        Self { settings, files, shadow: Shadow::read(), now }
    }

    /// What an account has. Root's password counts only where sshd admits it.
    pub(super) fn held_by(&self, account: &Account) -> HeldFactors {
        let name = &account.subject.name;
        let root = account.subject.uid == 0;
        let barred = root
            && self.says("permitrootlogin", "no")
            && self.values("permitrootlogin").all(|value| value.eq_ignore_ascii_case("no"));
        if barred || self.shadow.has_expired(name, self.now) {
            return HeldFactors::default();
        }
        let admitted = !root || self.says("permitrootlogin", "yes");
        HeldFactors {
            key: self.accepts_what_is_not_in_files() || self.key_files(account).any(|path| has_key(&path)),
            password: admitted && self.shadow.password(name) != Password::Locked,
        }
    }

    /// Whether a device of the user is older than the home folder and than the last change of the password: so it is where
    /// an account was deleted and made anew. File systems that do not know the birth of a folder tell nothing.
    pub(super) fn is_newer_than_a_device(&self, account: &Account, status: &Status) -> bool {
        let home = fs::symlink_metadata(&account.home).ok().filter(fs::Metadata::is_dir);
        let home = home.and_then(|home| home.created().ok()).map(UnixTime::from);
        let (Some(home), Some(changed)) = (home, self.shadow.last_change(&account.subject.name)) else {
            return false;
        };
        // Of the day of the change the hour is not known.
        let newest = home.min(changed.after(Duration::from_secs(SECONDS_PER_DAY)));
        let created = status.authenticators.iter().filter_map(|device| device.created.as_deref());
        created.filter_map(|created| UnixTime::parse(created).ok()).any(|created| created < newest)
    }

    /// The files in which sshd looks for the keys of an account, those of `Match` blocks included.
    pub(super) fn key_files(&self, account: &'a Account) -> impl Iterator<Item = PathBuf> {
        let standard =
            [".ssh/authorized_keys"].into_iter().filter(|_| self.settings.value("authorizedkeysfile").is_empty());
        let named = self.values("authorizedkeysfile").flat_map(str::split_whitespace);
        standard.chain(named).filter_map(|file| {
            let home = account.home.to_str()?;
            let file = file.replace("%h", home).replace("%u", account.subject.name.as_str()).replace("%%", "%");
            Some(account.home.join(file))
        })
    }

    /// Certificates, keys that a program looks up, other hosts, or tickets of Kerberos where the host has a keytab.
    fn accepts_what_is_not_in_files(&self) -> bool {
        let named = |key| self.values(key).any(|value| !value.eq_ignore_ascii_case("none"));
        named("authorizedkeyscommand")
            || named("trustedusercakeys")
            || self.says("hostbasedauthentication", "yes")
            || (self.says("gssapiauthentication", "yes") && Path::new("/etc/krb5.keytab").exists())
    }

    fn says(&self, key: &str, wanted: &str) -> bool {
        self.values(key).any(|value| value.eq_ignore_ascii_case(wanted))
    }

    /// What is in force for no account in particular, and what the files say for some.
    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        let conditional = self.files.directives.iter().filter(move |one| one.key == key && one.condition.is_some());
        let conditional = conditional.map(|one| one.value.as_str());
        self.settings.all(key).iter().map(String::as_str).chain(conditional).filter(|value| !value.is_empty())
    }
}

/// What cloud-init puts before the keys of an account that is not to be used: the login shows this and ends.
const CLOSED_BY_CLOUD_INIT: &str = "Please login as the user";

/// Whether a file has a key. A file that exists and cannot be read may have one.
fn has_key(path: &Path) -> bool {
    let is_key = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#') && !line.contains(CLOSED_BY_CLOUD_INIT)
    };
    text_of_users(path).map_or_else(
        || match fs::metadata(path) {
            Ok(found) => found.is_file(),
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        },
        |text| text.lines().any(is_key),
    )
}

/// A file that a user can make: not a link, not a pipe that never ends, not too long.
pub(super) fn text_of_users(path: &Path) -> Option<String> {
    const LONGEST: u64 = 256 * 1024;
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
