//! An enrolment inside a login, between the account phase and the end of the login: what the store keeps of it meanwhile.
//!
//! sshd runs both phases in a child process, and the end of the login in another process, to which the PAM environment
//! alone is handed over, and only on success. So the enrolment waits in a file, and the environment carries its id. A login
//! that fails later never comes to the end, and its file is worth nothing: only that login knew the id.

use std::fmt::Write as _;

use twinlock_core::{account::Subject, credentials::Enrolment, pending::PendingId};
use twinlock_store::format::TomlDocument as _;
use zeroize::Zeroizing;

use crate::onboarding::Staged;

impl Staged {
    /// The content of the file: the id and the step of the confirming code on a line, then the credentials.
    #[must_use]
    pub fn to_pending(&self, id: &PendingId) -> Zeroizing<String> {
        let credentials = self.enrolment.to_toml();
        // Room for all of it at once: a growing buffer would leave copies of the secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(credentials.len().saturating_add(64)));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {}", id.as_str(), self.confirmed);
        text.push_str(&credentials);
        text
    }

    /// What such a file holds; `None` if it is not this account's, not of this id, or damaged.
    #[must_use]
    #[inline(never)]
    pub fn from_pending(text: &[u8], subject: &Subject, id: &PendingId) -> Option<Self> {
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let (head, credentials) = text.split_at_checked(end)?;
        let (written, step) = std::str::from_utf8(head).ok()?.split_once(' ')?;
        let confirmed = step.parse().ok()?;
        let enrolment = Enrolment::parse(credentials).ok()?;
        let is_it = written == id.as_str() && enrolment.user == subject.name && enrolment.uid == Some(subject.uid);
        is_it.then(|| Self { subject: subject.clone(), enrolment, confirmed })
    }
}

#[cfg(test)]
mod tests {
    use twinlock_core::account::UserName;
    use twinlock_store::host::Kernel;

    use super::*;

    fn alice(uid: u32) -> Subject {
        Subject { name: UserName::parse(b"alice").unwrap(), uid }
    }

    fn staged() -> Staged {
        let text = "version = 1\nuser = \"alice\"\nuid = 1001\n[[authenticator]]\nid = \"k3v9q2\"\nlabel = \"phone\"\n\
                    type = \"totp\"\nsecret = \"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"\nalgorithm = \"SHA1\"\ndigits = 6\nperiod = 30\n";
        let enrolment = Enrolment::parse(text.as_bytes()).ok().unwrap();
        Staged { subject: alice(1001), enrolment, confirmed: 59_849_760 }
    }

    #[test]
    fn what_is_written_is_read_by_its_own_login_and_account_alone() {
        let (id, other) = (PendingId::new(&mut Kernel).unwrap(), PendingId::new(&mut Kernel).unwrap());
        let text = staged().to_pending(&id);
        let read = |subject: &Subject, id: &PendingId| Staged::from_pending(text.as_bytes(), subject, id);
        let found = read(&alice(1001), &id).unwrap();
        assert_eq!((found.confirmed, found.enrolment.to_toml()), (59_849_760, staged().enrolment.to_toml()));
        assert!(read(&alice(1001), &other).is_none(), "another login's");
        assert!(read(&alice(1002), &id).is_none(), "another uid");
        assert!(read(&Subject { name: UserName::parse(b"bob").unwrap(), uid: 1001 }, &id).is_none());
    }

    #[test]
    fn a_file_that_is_cut_short_is_none() {
        let id = PendingId::new(&mut Kernel).unwrap();
        let text = staged().to_pending(&id);
        let secret = text.find("secret").unwrap();
        for length in 0..secret {
            assert!(Staged::from_pending(&text.as_bytes()[..length], &alice(1001), &id).is_none(), "{length}");
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = PendingId::new(&mut Kernel).unwrap();
        assert_eq!(PendingId::parse(id.as_str()), Some(id.clone()));
        for text in ["", "0", &id.as_str()[1..], &format!("{}0", id.as_str()), &"A".repeat(32), &"-".repeat(32)] {
            assert_eq!(PendingId::parse(text), None, "{text}");
        }
    }
}
