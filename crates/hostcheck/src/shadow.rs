//! `/etc/shadow`: which accounts have a password, and which have expired. No hash leaves this file.

use std::{collections::HashMap, fs::OpenOptions, io::Read};

use twinlock_core::{account::UserName, time::UnixTime};
use zeroize::Zeroizing;

/// The accounts of `/etc/shadow`; none if it cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Shadow(HashMap<String, Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    password: Password,
    /// The day since 1970 of its last change.
    changed: Option<u64>,
    /// The day since 1970 on which the account expires.
    expires: Option<u64>,
}

/// What the password field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Password {
    /// A hash in the format of crypt(5).
    Hash,
    /// No password matches.
    Locked,
    /// An empty field, an old format, or an account of a directory.
    Unknown,
}

/// The length of a day.
pub(crate) const SECONDS_PER_DAY: u64 = 86_400;

impl Shadow {
    /// Reads the file.
    pub(crate) fn read() -> Self {
        let mut text = Zeroizing::new(Vec::new());
        let read = OpenOptions::new().read(true).open("/etc/shadow").and_then(|mut file| file.read_to_end(&mut text));
        if read.is_ok() { Self::parse(&text) } else { Self::default() }
    }

    fn parse(text: &[u8]) -> Self {
        let mut entries = HashMap::new();
        for line in text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
            let mut fields = line.split(':');
            let (Some(name), Some(field)) = (fields.next(), fields.next()) else {
                continue;
            };
            let password = match field.as_bytes().first() {
                Some(b'$') => Password::Hash,
                Some(b'!' | b'*') => Password::Locked,
                _ => Password::Unknown,
            };
            // Zero is reserved, and for the change it means that the password must be changed: shadow(5).
            let mut day = |skipped| fields.nth(skipped).and_then(|day| day.parse().ok()).filter(|day| *day > 0);
            let (changed, expires) = (day(0), day(4));
            // libc finds the first of one name.
            entries.entry(name.to_owned()).or_insert(Entry { password, changed, expires });
        }
        Self(entries)
    }

    /// The password of an account.
    pub(crate) fn password(&self, name: &UserName) -> Password {
        self.0.get(name.as_str()).map_or(Password::Unknown, |entry| entry.password)
    }

    /// The day on which the password was changed last.
    pub(crate) fn last_change(&self, name: &UserName) -> Option<UnixTime> {
        let day = self.0.get(name.as_str())?.changed?;
        Some(UnixTime::from_seconds(day.saturating_mul(SECONDS_PER_DAY)))
    }

    /// Whether the account has expired: PAM then refuses it, whatever its user knows.
    pub(crate) fn has_expired(&self, name: &UserName, now: UnixTime) -> bool {
        let expires = self.0.get(name.as_str()).and_then(|entry| entry.expires);
        expires.is_some_and(|day| now.seconds() / SECONDS_PER_DAY >= day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_expiry_are_read_and_the_first_line_of_a_name_counts() {
        let shadow = Shadow::parse(
            b"a:$y$j9T$x:20000:0:99999:7:::\nb:!$6$x:20000:0:99999:7::20000:\nc:*:20000::::::\nd::0:0:99999:7:::\n\
              a:!:1::::::\ne:$6$x:20000:0:99999:7::0:\nno colon\n",
        );
        let name = |name: &str| UserName::parse(name.as_bytes()).unwrap();
        let passwords = ["a", "b", "c", "d", "nobody"].map(|user| shadow.password(&name(user)));
        let [hash, locked, unknown] = [Password::Hash, Password::Locked, Password::Unknown];
        assert_eq!(passwords, [hash, locked, locked, unknown, unknown]);
        let day = |day: u64| UnixTime::from_seconds(day * SECONDS_PER_DAY);
        assert!(shadow.has_expired(&name("b"), day(20_000)) && !shadow.has_expired(&name("b"), day(19_999)));
        let changed = ["a", "d", "e", "nobody"].map(|user| shadow.last_change(&name(user)));
        assert_eq!(changed, [Some(day(20_000)), None, Some(day(20_000)), None]);
        assert!(["a", "e", "nobody"].iter().all(|user| !shadow.has_expired(&name(user), day(30_000))));
    }
}
