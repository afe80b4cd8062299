//! Logins that are remembered for a while, so that the code is not asked again: where a rule says `remember`, for the
//! same user, the same client key and the same network. Pure; what is kept is a keyed hash of all three.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{
    credentials::Enrolment,
    policy::{Network, ProvenKey},
    time::UnixTime,
};

/// What recognises a client: the key that it proved, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The public key, or the certificate.
    pub key: &'a ProvenKey,
    pub network: Network,
    /// For how long a login is remembered by the rule that holds now.
    pub span: Duration,
    /// Random: the key of the hashes, if this is the first login to be remembered.
    pub fresh: [u8; 16],
}

/// The remembered logins of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// What the hashes are keyed with.
    key: [u8; 16],
    logins: Vec<RememberedLogin>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedLogin {
    /// The hash of client and enrolment.
    pub tag: [u8; 12],
    /// When the code was given.
    pub since: UnixTime,
    /// When it ends at the latest.
    pub until: UnixTime,
}

/// More than this many are not kept; the oldest goes first.
pub const MOST: usize = 8;

impl Remembered {
    /// None yet.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key, logins: Vec::new() }
    }

    /// Those that `now` is within, for people.
    pub fn current(&self, now: UnixTime) -> impl Iterator<Item = &RememberedLogin> {
        self.logins.iter().filter(move |login| login.holds(now))
    }

    /// Whether a login of this client is remembered. A clock set back, or a rule that remembers shorter than the one
    /// before, ends it. So does any change of the authenticators, which are part of the hash.
    #[must_use]
    pub fn recognises(&self, enrolment: &Enrolment, client: &Client<'_>, now: UnixTime) -> bool {
        let tag = self.tag(enrolment, client);
        self.logins.iter().fold(false, |known, login| {
            let same: bool = login.tag.ct_eq(&tag).into();
            known | (same && login.holds(now) && now < login.since.after(client.span))
        })
    }

    /// Remembers a login of this client.
    pub fn remember(&mut self, enrolment: &Enrolment, client: &Client<'_>, now: UnixTime) {
        let tag = self.tag(enrolment, client);
        self.logins.retain(|login| login.holds(now) && login.tag != tag);
        while self.logins.len() >= MOST {
            self.logins.remove(0);
        }
        self.logins.push(RememberedLogin { tag, since: now, until: now.after(client.span) });
    }

    /// HMAC-SHA-256, cut to 96 bits, of everything that must be the same, each part with its length.
    fn tag(&self, enrolment: &Enrolment, client: &Client<'_>) -> [u8; 12] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        let mut part = |bytes: &[u8]| {
            mac.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(bytes);
        };
        part(b"twinlock remembered login 1");
        part(enrolment.user.as_str().as_bytes());
        part(&client.key.blob);
        part(client.network.to_string().as_bytes());
        for authenticator in enrolment.active() {
            part(authenticator.id.as_str().as_bytes());
            part(authenticator.otp.secret().bytes());
        }
        *mac.finalize().into_bytes().first_chunk().expect("SHA-256 has 32 bytes")
    }

    /// The remembered logins as they are kept: the key of the hashes, and each login.
    #[must_use]
    pub fn parts(&self) -> (&[u8; 16], &[RememberedLogin]) {
        (&self.key, &self.logins)
    }

    /// The same as they were kept.
    #[must_use]
    pub const fn from_parts(key: [u8; 16], logins: Vec<RememberedLogin>) -> Self {
        Self { key, logins }
    }
}

impl RememberedLogin {
    fn holds(&self, now: UnixTime) -> bool {
        self.since <= now && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::UserName,
        credentials::{Authenticator, AuthenticatorId, Label},
        otp::{Algorithm, MovingFactor, Otp},
        policy::{FirstFactors, KeyType, Source},
        secret::Secret,
    };

    const HOUR: u64 = 3_600;
    const NOON: u64 = 1_795_521_600;

    fn enrolment(id: &str, secret: u8) -> Enrolment {
        let secret = Secret::from_bytes(&[secret; 20]).unwrap();
        let otp = Otp::new(secret, Algorithm::Sha1, 6, MovingFactor::Time { period: 30 }).unwrap();
        let (id, label) = (AuthenticatorId::parse(id).unwrap(), Label::parse("phone").unwrap());
        Enrolment {
            user: UserName::parse(b"alice").unwrap(),
            uid: None,
            authenticators: vec![Authenticator { id, label, otp, created: None, suspended: false }],
            recovery: None,
        }
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    /// Whether a login with key 7 from 192.0.2.7 at noon, remembered for 8 hours, is recognised as this one.
    fn recognised(key: u8, rhost: &str, hours: u64, id: (&str, u8), now: u64) -> bool {
        let mut proven = FirstFactors::with_key_of(KeyType::Ed25519).keys()[0].clone();
        proven.blob = vec![7];
        let network = Source::from_rhost(Some("192.0.2.7")).neighbourhood().unwrap();
        let client = Client { key: &proven, network, span: Duration::from_hours(8), fresh: [1; 16] };
        let mut logins = Remembered::new(client.fresh);
        logins.remember(&enrolment("phone", 1), &client, at(NOON));
        let mut other = proven.clone();
        other.blob = vec![key];
        let network = Source::from_rhost(Some(rhost)).neighbourhood().unwrap();
        let asked = Client { key: &other, network, span: Duration::from_hours(hours), fresh: [2; 16] };
        logins.recognises(&enrolment(id.0, id.1), &asked, at(now))
    }

    #[test]
    fn one_that_is_the_same_is_recognised_and_no_other() {
        let phone = ("phone", 1);
        assert!(recognised(7, "192.0.2.7", 8, phone, NOON));
        assert!(recognised(7, "::ffff:192.0.2.7", 8, phone, NOON + 8 * HOUR - 1));
        assert!(recognised(7, "192.0.2.7", 9, phone, NOON + 8 * HOUR - 1));
        for (what, known) in [
            ("another key", recognised(8, "192.0.2.7", 8, phone, NOON)),
            ("another address", recognised(7, "192.0.2.8", 8, phone, NOON)),
            ("another authenticator", recognised(7, "192.0.2.7", 8, ("other", 1), NOON)),
            ("another secret", recognised(7, "192.0.2.7", 8, ("phone", 2), NOON)),
            ("over", recognised(7, "192.0.2.7", 9, phone, NOON + 8 * HOUR)),
            ("over by a shorter rule", recognised(7, "192.0.2.7", 1, phone, NOON + HOUR)),
            ("a clock set back", recognised(7, "192.0.2.7", 8, phone, NOON - 1)),
        ] {
            assert!(!known, "{what}");
        }
    }

    #[test]
    fn the_oldest_go_and_those_that_are_over() {
        let key = FirstFactors::with_key_of(KeyType::Ed25519).keys()[0].clone();
        let mut logins = Remembered::new([1; 16]);
        let client = |last: usize| {
            let network = Source::from_rhost(Some(&format!("192.0.2.{last}"))).neighbourhood().unwrap();
            Client { key: &key, network, span: Duration::from_hours(1), fresh: [1; 16] }
        };
        let phone = enrolment("phone", 1);
        for last in 1..=MOST + 2 {
            logins.remember(&phone, &client(last), at(NOON));
        }
        let known: Vec<_> = (1..=MOST + 2).filter(|last| logins.recognises(&phone, &client(*last), at(NOON))).collect();
        assert_eq!(known, (3..=MOST + 2).collect::<Vec<_>>());
        logins.remember(&phone, &client(3), at(NOON + HOUR));
        assert_eq!(logins.current(at(NOON + HOUR)).count(), 1);
    }
}
