//! Files of other modules, which others may have made to do harm.

use std::io;

use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    ports::Randomness,
    recovery::HashMemory,
    time::UnixTime,
};
use twinlock_service::import::{ImportError, Imported, google_authenticator, oath, uri};
use twinlock_store::format::TomlDocument as _;

const NOW: UnixTime = UnixTime::from_seconds(1_795_492_800);

/// A file of `google-authenticator`.
#[must_use]
pub fn google_authenticator(file: &[u8]) -> bool {
    taken(file, google_authenticator::parse(file, NOW))
}

/// An `otpauth://` address.
#[must_use]
pub fn otpauth(address: &[u8]) -> bool {
    taken(address, uri::parse(address))
}

/// A file of `pam_oath`.
#[must_use]
pub fn users_oath(file: &[u8]) -> bool {
    match oath::parse(file, NOW) {
        Ok(users) => users.into_values().map(|user| taken(file, user)).fold(false, |any, one| any | one),
        Err(refusal) => {
            says_nothing_of(file, &refusal);
            false
        }
    }
}

fn taken(file: &[u8], read: Result<Imported, ImportError>) -> bool {
    match read {
        Ok(imported) => {
            can_be_stored(imported);
            true
        }
        Err(refusal) => {
            says_nothing_of(file, &refusal);
            false
        }
    }
}

/// What is carried is a second factor like any other. The scratch codes are left out: hashing them takes too long.
fn can_be_stored(mut imported: Imported) {
    assert!((1..=Enrolment::MOST_AUTHENTICATORS).contains(&imported.devices.len()));
    imported.drop_scratch_codes();
    let subject = Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 };
    let mut memory = HashMemory::default();
    let prepared = imported.prepare(&subject, NOW, &mut Counting(0), &mut memory);
    let enrolment = prepared.unwrap_or_else(|error| panic!("{error}")).enrolment;
    let written = enrolment.to_toml();
    let read = Enrolment::parse(written.as_bytes()).unwrap_or_else(|bad| panic!("{bad}"));
    assert!(*read.to_toml() == *written);
}

/// A refusal repeats no word of the file that may be a key.
fn says_nothing_of(file: &[u8], refusal: &ImportError) {
    let said = refusal.to_string();
    let keys = file.split(|byte| !byte.is_ascii_uppercase() && !byte.is_ascii_digit()).filter(|word| word.len() > 15);
    for key in keys.filter_map(|key| std::str::from_utf8(key).ok()) {
        assert!(!said.contains(key), "{said}");
    }
}

/// Ids that differ.
struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
        Ok(())
    }
}
