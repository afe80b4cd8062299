//! The secret of an enrolment inside a login: the same one again for a client whose connection was cut a short time ago, so
//! that an app which has it already needs no second entry.
//!
//! It is kept for the client alone that sshd had verified by the same key, from the same address, and not while the dialogue
//! that made it still runs. What is in the way of keeping it hinders no enrolment.

use std::time::Duration;

use twinlock_core::{account::Subject, pending::OfferedTo, ports::Randomness, secret::Secret, time::UnixTime};
use twinlock_store::files::{CredentialFiles, OfferFile};
use zeroize::Zeroizing;

use crate::enrolment::{EnrolError, new_secret};

/// How long a secret is offered.
const SPAN: Duration = Duration::from_mins(10);

/// A secret to enrol with. No `Debug`: it is one.
pub struct Offered {
    pub(crate) secret: Secret,
    /// Held while the dialogue runs.
    _file: Option<OfferFile>,
}

impl Offered {
    /// The secret that this client was offered, or a new one.
    ///
    /// # Errors
    /// [`EnrolError::Randomness`].
    pub fn again_or_new(
        credentials: &CredentialFiles,
        (subject, client): (Option<&Subject>, Option<&OfferedTo>),
        now: UnixTime,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, EnrolError> {
        let (Some(subject), Some(client)) = (subject, client) else { return Self::new(randomness) };
        let Ok(Some(file)) = credentials.lock_offer(subject) else { return Self::new(randomness) };
        if let Some(secret) = file.read().ok().and_then(|content| parse(&content, (subject, client), now)) {
            return Ok(Self { secret, _file: Some(file) });
        }
        let new = Self::new(randomness)?;
        // One that could not be written whole is read as none.
        let written = file.write(written(&new.secret, (subject, client), now).as_bytes());
        Ok(Self { _file: written.ok().map(|()| file), ..new })
    }

    /// A new secret, which is not kept.
    ///
    /// # Errors
    /// [`EnrolError::Randomness`].
    pub fn new(randomness: &mut dyn Randomness) -> Result<Self, EnrolError> {
        Ok(Self { secret: new_secret(randomness)?, _file: None })
    }
}

/// When it was offered, to which account and client, and the secret, on one line.
fn written(secret: &Secret, (subject, client): (&Subject, &OfferedTo), now: UnixTime) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(512));
    for part in [&now.seconds().to_string(), " ", &subject.uid.to_string(), " ", client.as_str(), " "] {
        text.push_str(part);
    }
    text.push_str(&secret.to_base32());
    text.push('\n');
    text
}

/// The secret, if it was offered to this account and client, and its time is not over.
fn parse(content: &[u8], (subject, client): (&Subject, &OfferedTo), now: UnixTime) -> Option<Secret> {
    let line = std::str::from_utf8(content).ok()?.strip_suffix('\n')?;
    let mut words = line.split(' ');
    let (at, uid, to, secret) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let at = UnixTime::from_seconds(at.parse().ok()?);
    let is_theirs = uid == subject.uid.to_string() && to == client.as_str() && words.next().is_none();
    let is_current = at <= now && now.since(at) < SPAN;
    if is_theirs && is_current { Secret::from_base32(secret).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use twinlock_core::{account::UserName, policy::FirstFactors};
    use twinlock_store::host::Kernel;

    use super::*;

    fn alice(uid: u32) -> Subject {
        Subject { name: UserName::parse(b"alice").unwrap(), uid }
    }

    fn client(rhost: &str) -> OfferedTo {
        OfferedTo::client(&FirstFactors::parse(Some(b"password")), Some(rhost)).unwrap()
    }

    #[test]
    fn a_secret_is_offered_again_to_its_account_and_client_for_ten_minutes() {
        let at = UnixTime::from_seconds;
        let (secret, home) = (new_secret(&mut Kernel).unwrap(), client("192.0.2.1"));
        let text = written(&secret, (&alice(1001), &home), at(1000));
        let read = |uid: u32, client: &OfferedTo, now: u64| parse(text.as_bytes(), (&alice(uid), client), at(now));
        assert_eq!(read(1001, &home, 1599).unwrap().to_base32(), secret.to_base32());
        assert!(read(1001, &home, 1600).is_none(), "too late");
        assert!(read(1001, &home, 999).is_none(), "the clock was set back");
        assert!(read(1002, &home, 1001).is_none() && read(1001, &client("192.0.2.2"), 1001).is_none());
        for length in 0..text.len() {
            assert!(parse(&text.as_bytes()[..length], (&alice(1001), &home), at(1001)).is_none(), "{length}");
        }
    }

    #[test]
    fn nothing_is_kept_for_a_client_that_sshd_has_not_verified() {
        assert!(OfferedTo::client(&FirstFactors::parse(None), Some("192.0.2.1")).is_none());
        assert!(OfferedTo::client(&FirstFactors::parse(Some(b"none")), Some("192.0.2.1")).is_none());
        assert!(OfferedTo::client(&FirstFactors::parse(Some(b"password")), None).is_none());
    }
}
