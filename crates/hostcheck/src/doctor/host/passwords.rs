//! When accounts were made, as far as a host knows: by the birth of the home folder and the last change of the password.

use std::{collections::HashMap, fs, time::Duration};

use twinlock_core::time::UnixTime;
use twinlock_service::status::Status;
use twinlock_store::host::accounts::Account;

const SHADOW: &str = "/etc/shadow";
const DAY: Duration = Duration::from_hours(24);

/// The day of the last change of each password in the host's own file; accounts of directories are not in it.
pub(super) struct Passwords(HashMap<String, UnixTime>);

impl Passwords {
    #[allow(clippy::disallowed_methods, reason = "this is libc's file: where it is a link, libc follows it too")]
    pub(super) fn of_host() -> Self {
        Self::parse(&fs::read_to_string(SHADOW).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let one = |line: &str| {
            let mut fields = line.split(':');
            let (name, days) = (fields.next()?, fields.nth(1)?.parse().ok()?);
            // In shadow(5), 0 means that the password must be changed.
            let time = UnixTime::from_seconds(DAY.as_secs().saturating_mul(days));
            (days > 0).then(|| (name.to_owned(), time))
        };
        Self(text.lines().filter_map(one).collect())
    }

    /// Whether a device of the user is older than the home folder and than the last change of the password: so it is where
    /// an account was deleted and made anew. File systems that do not know the birth of a folder tell nothing.
    pub(super) fn is_newer_than_a_device(&self, account: &Account, status: &Status) -> bool {
        let home = fs::symlink_metadata(&account.home).ok().filter(fs::Metadata::is_dir);
        let home = home.and_then(|home| home.created().ok()).map(UnixTime::from);
        let (Some(home), Some(changed)) = (home, self.0.get(account.subject.name.as_str())) else {
            return false;
        };
        // Of the day of the change the hour is not known.
        let newest = home.min(changed.after(DAY));
        let created = status.authenticators.iter().filter_map(|device| device.created.as_deref());
        created.filter_map(|created| UnixTime::parse(created).ok()).any(|created| created < newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_the_last_change_is_the_third_field() {
        let Passwords(known) = Passwords::parse("alice:$y$j:20000:0:99999:7:::\nbob:!::0:::::\ncarol:*:0:\nbroken\n");
        assert_eq!(known, HashMap::from([("alice".to_owned(), UnixTime::from_seconds(20_000 * 86_400))]));
    }
}
