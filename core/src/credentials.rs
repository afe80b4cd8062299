//! What a user holds: the credentials file, read into values that cannot be wrong, and written from them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use toml::value::Datetime;
use zeroize::Zeroizing;

use crate::{
    account::UserName,
    otp::{Algorithm, Totp, TotpError},
    recovery::{RecoveryError, RecoverySet},
    secret::Secret,
    time::UnixTime,
};

/// A user's second factors. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Enrolment {
    /// Whose it is.
    pub user: UserName,
    /// The uid it was made for; absent where configuration management deploys the file.
    pub uid: Option<u32>,
    /// At least one and at most [`Enrolment::MOST_AUTHENTICATORS`], each with an id of its own.
    pub authenticators: Vec<Authenticator>,
    /// The recovery codes, if there are any.
    pub recovery: Option<RecoverySet>,
}

/// One app or device.
#[derive(Clone)]
pub struct Authenticator {
    /// Its name in the state and in the log.
    pub id: AuthenticatorId,
    /// Its name for people.
    pub label: Label,
    /// How its codes are made.
    pub totp: Totp,
    /// When it was enrolled.
    pub created: Option<UnixTime>,
}

/// The short, stable, random name of an authenticator: 1 to 16 of `a` to `z` and `0` to `9`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AuthenticatorId(String);

/// What a person calls an authenticator: 1 to 64 characters, none a control character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

/// Why a credentials file is refused. Never repeats the text, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsError {
    /// Not UTF-8, not TOML, an unknown key, or a value of the wrong kind.
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// `version` is not 1.
    Version,
    /// No authenticator, too many, or an id twice.
    Authenticators,
    /// Digits or period out of range.
    Totp(TotpError),
    /// `created` is not a time with an offset.
    Created,
    /// The recovery codes are no set.
    Recovery(RecoveryError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<'a> {
    version: u32,
    user: UserName,
    uid: Option<u32>,
    #[serde(borrow)]
    authenticator: Vec<StoredAuthenticator<'a>>,
    #[serde(borrow)]
    recovery: Option<StoredRecovery<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAuthenticator<'a> {
    id: AuthenticatorId,
    label: Label,
    #[serde(rename = "type")]
    kind: Kind,
    secret: Secret,
    #[serde(default)]
    algorithm: Algorithm,
    #[serde(default = "digits")]
    digits: u8,
    #[serde(default = "period")]
    period: u32,
    created: Option<Datetime>,
    #[serde(skip)]
    _file: std::marker::PhantomData<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Totp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRecovery<'a> {
    set: AuthenticatorId,
    created: Option<Datetime>,
    #[serde(borrow)]
    codes: Vec<StoredCode<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCode<'a> {
    id: u8,
    #[serde(borrow)]
    hash: std::borrow::Cow<'a, str>,
}

const fn digits() -> u8 {
    Totp::DIGITS
}

const fn period() -> u32 {
    Totp::PERIOD
}

impl Enrolment {
    /// Authenticators one user may have; the state of all of them must fit a slot.
    pub const MOST_AUTHENTICATORS: usize = 16;

    /// Reads a credentials file.
    ///
    /// # Errors
    /// [`CredentialsError`]; a file that is cut anywhere is an error or means the same as before, never a weaker enrolment.
    pub fn parse(text: &[u8]) -> Result<Self, CredentialsError> {
        let whole = std::str::from_utf8(text).map_err(|error| syntax(text, error.valid_up_to()))?;
        let stored: Stored<'_> = toml::from_str(whole).map_err(|error| syntax(text, error.span().map_or(0, |span| span.start)))?;
        if stored.version != 1 {
            return Err(CredentialsError::Version);
        }
        let authenticators = stored.authenticator.into_iter().map(Authenticator::from_stored).collect::<Result<Vec<_>, _>>()?;
        let recovery = stored.recovery.map(recovery_set).transpose()?;
        Self { user: stored.user, uid: stored.uid, authenticators, recovery }.checked()
    }

    /// The file, as [`Enrolment::parse`] reads it.
    #[must_use]
    pub fn to_toml(&self) -> Zeroizing<String> {
        // Room for all of it at once: a growing buffer would leave copies of the secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "version = 1")?;
        writeln!(out, "user = {}", quoted(self.user.as_str()))?;
        if let Some(uid) = self.uid {
            writeln!(out, "uid = {uid}")?;
        }
        for authenticator in &self.authenticators {
            let Authenticator { id, label, totp, created } = authenticator;
            writeln!(out, "\n[[authenticator]]\nid = \"{}\"\nlabel = {}\ntype = \"totp\"", id.0, quoted(&label.0))?;
            writeln!(out, "secret = \"{}\"", totp.secret().to_base32().as_str())?;
            writeln!(out, "algorithm = \"{}\"\ndigits = {}\nperiod = {}", totp.algorithm().name(), totp.digits(), totp.period())?;
            if let Some(created) = created {
                writeln!(out, "created = {created}")?;
            }
        }
        if let Some(set) = &self.recovery {
            writeln!(out, "\n[recovery]\nset = \"{}\"", set.set)?;
            if let Some(created) = set.created {
                writeln!(out, "created = {created}")?;
            }
            writeln!(out, "codes = [")?;
            for (id, hash) in set.stored() {
                writeln!(out, "    {{ id = {id}, hash = \"{hash}\" }},")?;
            }
            writeln!(out, "]")?;
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, CredentialsError> {
        let mut ids: Vec<&str> = self.authenticators.iter().map(|authenticator| authenticator.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let sound = !ids.is_empty() && ids.len() == self.authenticators.len() && ids.len() <= Self::MOST_AUTHENTICATORS;
        if sound { Ok(self) } else { Err(CredentialsError::Authenticators) }
    }
}

impl Authenticator {
    fn from_stored(stored: StoredAuthenticator<'_>) -> Result<Self, CredentialsError> {
        let Kind::Totp = stored.kind;
        let totp = Totp::new(stored.secret, stored.algorithm, stored.digits, stored.period).map_err(CredentialsError::Totp)?;
        Ok(Self { id: stored.id, label: stored.label, totp, created: stored.created.map(time).transpose()? })
    }
}

fn recovery_set(stored: StoredRecovery<'_>) -> Result<RecoverySet, CredentialsError> {
    let codes: Vec<(u8, &str)> = stored.codes.iter().map(|code| (code.id, code.hash.as_ref())).collect();
    let created = stored.created.map(time).transpose()?;
    RecoverySet::from_stored(stored.set.0, created, &codes).map_err(CredentialsError::Recovery)
}

fn time(stored: Datetime) -> Result<UnixTime, CredentialsError> {
    UnixTime::parse(&stored.to_string()).map_err(|_| CredentialsError::Created)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn syntax(text: &[u8], offset: usize) -> CredentialsError {
    let (line, column) = crate::config::line_and_column(text, offset);
    CredentialsError::Syntax { line, column }
}

impl AuthenticatorId {
    /// Longest id.
    pub const LONGEST: usize = 16;

    /// Takes an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        sound.then(|| Self(text.to_owned()))
    }

    /// An id of 6 symbols (30 bits, so that ids of one user do not meet) from random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        const SYMBOLS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        Self(bytes.iter().filter_map(|byte| SYMBOLS.get(usize::from(byte % 32))).map(|symbol| char::from(*symbol)).collect())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AuthenticatorId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("an id has 1 to 16 lower-case letters and digits")
    }
}

impl Label {
    /// Longest label in characters.
    pub const LONGEST: usize = 64;

    /// Takes a label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a label has 1 to 64 characters, none a control character")
    }
}

impl std::fmt::Display for CredentialsError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { line, column } => {
                write!(out, "line {line}, column {column}: not TOML, an unknown key or a value that does not fit its key")
            }
            Self::Version => write!(out, "version is not 1"),
            Self::Authenticators => {
                write!(out, "there must be 1 to {} authenticators, each with an id of its own", Enrolment::MOST_AUTHENTICATORS)
            }
            Self::Totp(error) => error.fmt(out),
            Self::Created => write!(out, "created is not a time in UTC such as 2026-11-24T04:00:00Z"),
            Self::Recovery(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for CredentialsError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = r#"version = 1
user = "alice"
uid = 1001

[[authenticator]]
id = "k3v9q2"
label = "phone"
type = "totp"
secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
algorithm = "SHA1"
digits = 6
period = 30
created = 2026-11-24T04:00:00Z

[recovery]
set = "a7c2"
created = 2026-11-24T04:00:00Z
codes = [
    { id = 1, hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
]
"#;

    fn refusal(text: &str) -> CredentialsError {
        Enrolment::parse(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn the_file_of_the_design_is_read_and_written_byte_for_byte() {
        assert_eq!(Enrolment::parse(ALICE.as_bytes()).unwrap().to_toml().as_str(), ALICE);
    }

    #[test]
    fn each_mistake_is_refused_with_its_own_words() {
        let syntax = |line, column| CredentialsError::Syntax { line, column };
        for (from, to, error) in [
            ("version = 1", "version = 2", CredentialsError::Version),
            ("uid = 1001", "uid = \"1001\"", syntax(3, 7)),
            ("uid = 1001", "uid = -1", syntax(3, 7)),
            ("label = \"phone\"", "label = \"\"", syntax(7, 9)),
            ("type = \"totp\"", "type = \"steam\"", syntax(8, 8)),
            ("secret = \"GEZD", "secret = \"1EZD", syntax(9, 10)),
            ("digits = 6", "digits = 5", CredentialsError::Totp(TotpError::Digits)),
            ("digits = 6", "digits = 9", CredentialsError::Totp(TotpError::Digits)),
            ("period = 30", "period = 0", CredentialsError::Totp(TotpError::Period)),
            ("period = 30", "period = 121", CredentialsError::Totp(TotpError::Period)),
            ("period = 30", "periodd = 30", syntax(12, 1)),
            ("\"SHA1\"", "\"MD5\"", syntax(10, 13)),
            ("created = 2026-11-24T04:00:00Z\n\n[rec", "created = 2026-11-24\n\n[rec", CredentialsError::Created),
            ("id = \"k3v9q2\"", "id = \"../x\"", syntax(6, 6)),
        ] {
            assert!(ALICE.contains(from), "{from}");
            assert_eq!(refusal(&ALICE.replacen(from, to, 1)), error, "{to}");
        }
        let (head, recovery) = ALICE.split_once("\n[recovery]").unwrap();
        let authenticator = head.split_once("\n[[").unwrap().1;
        assert_eq!(refusal(&format!("{head}\n[[{authenticator}\n[recovery]{recovery}")), CredentialsError::Authenticators);
    }

    #[test]
    fn no_error_repeats_the_secret() {
        for bad in [ALICE.replace("secret = \"", "secret = 1\""), ALICE.replace("secret", "sekret"), ALICE.replace("OJQ\"", "OJQ")] {
            let text = format!("{} {:?}", refusal(&bad), refusal(&bad));
            assert!(!text.contains("GEZD"), "{text}");
        }
    }

    #[test]
    fn cut_anywhere_it_is_refused_or_has_fewer_recovery_codes_but_never_another_secret() {
        let whole = Enrolment::parse(ALICE.as_bytes()).unwrap();
        for end in 0..ALICE.len() {
            if let Ok(cut) = Enrolment::parse(&ALICE.as_bytes()[..end]) {
                assert_eq!(cut.authenticators.len(), 1);
                assert_eq!(cut.authenticators[0].totp.secret().bytes(), whole.authenticators[0].totp.secret().bytes(), "{end}");
            }
        }
    }
}
