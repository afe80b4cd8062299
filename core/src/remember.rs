//! Logins that are remembered for a while, so that the code is not asked again: where a rule says `remember`, for the
//! same user, the same client key and the same network. Pure; what is kept is a keyed hash of all three.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::{
    credentials::Enrolment,
    document::{Mistake, Table, array, each, integer, string},
    policy::{Network, ProvenKey},
    time::UnixTime,
};

/// What recognises a client: the key that it proved, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// The public key, or the certificate.
    pub key: &'a ProvenKey,
    /// Its network.
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
    tag: [u8; 12],
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
    pub fn note(&mut self, enrolment: &Enrolment, client: &Client<'_>, now: UnixTime) {
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
        let whole = mac.finalize().into_bytes();
        whole.first_chunk().copied().unwrap_or_default()
    }

    /// Reads the table of a record.
    pub(crate) fn take(mut table: Table<'_>) -> Result<Self, Mistake> {
        let remembered = Self {
            key: table.required("key", |value| hex(string(value)?))?,
            logins: table.required("logins", |value| each(value, RememberedLogin::take))?,
        };
        table.end()?;
        Ok(remembered)
    }

    /// Writes the table of a record.
    pub(crate) fn write(&self, out: &mut String) -> std::fmt::Result {
        use std::fmt::Write as _;
        write!(out, "[remembered]\nkey = \"{}\"\nlogins = [", shown(&self.key))?;
        for RememberedLogin { tag, since, until } in &self.logins {
            write!(out, "[\"{}\",{},{}],", shown(tag), since.seconds(), until.seconds())?;
        }
        writeln!(out, "]")
    }
}

impl RememberedLogin {
    fn holds(&self, now: UnixTime) -> bool {
        self.since <= now && now < self.until
    }

    fn take(value: &toml::de::DeValue<'_>) -> Result<Self, String> {
        match &array(value)?[..] {
            [tag, since, until] => Ok(Self {
                tag: hex(string(tag.get_ref())?)?,
                since: UnixTime::from_seconds(integer(since.get_ref())?),
                until: UnixTime::from_seconds(integer(until.get_ref())?),
            }),
            _ => Err("a remembered login has three parts".into()),
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let (pairs, odd) = text.as_bytes().as_chunks();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let read = |(byte, [high, low]): (&mut u8, &[u8; 2])| {
        *byte = digit(*high)?.wrapping_shl(4) | digit(*low)?;
        Some(())
    };
    let sound = pairs.len() == N && odd.is_empty() && bytes.iter_mut().zip(pairs).map(read).all(|read| read.is_some());
    if sound { Ok(bytes) } else { Err(format!("{N} bytes in hexadecimal are wanted here")) }
}
