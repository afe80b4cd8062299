//! What a user holds: the credentials file, read into values that cannot be wrong, and written from them.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use toml::de::DeValue;
use toml_writer::ToTomlValue;
use zeroize::Zeroizing;

use crate::{
    account::UserName,
    config::line_and_column,
    document::{Document, ParseError, ParseErrorKind, Table, boolean, integer, string},
    otp::{Algorithm, MovingFactor, Otp},
    recovery::RecoverySet,
    secret::Secret,
    text::is_hidden,
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
    pub otp: Otp,
    /// When it was enrolled.
    pub created: Option<UnixTime>,
    /// Switched off for a while: its codes open nothing, and its user is enrolled all the same.
    pub suspended: bool,
}

/// The short, stable, random name of an authenticator: 1 to 16 of `a` to `z` and `0` to `9`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorId(String);

/// What a person calls an authenticator: 1 to 64 characters, none a control character. A new one has no hidden character
/// either ([`is_hidden`]); one that was stored before may have some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl TryFrom<String> for Label {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or(Self::RULE)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

/// Why a credentials file is refused. Never repeats the text, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsError {
    /// Not UTF-8, not TOML, a key that is unknown or missing, or a value that does not fit its key.
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// No authenticator, too many, or an id twice.
    Authenticators,
}

impl Enrolment {
    /// Authenticators one user may have; the state of all of them must fit a slot.
    pub const MOST_AUTHENTICATORS: usize = 16;

    /// Reads a credentials file.
    ///
    /// # Errors
    /// [`CredentialsError`]. A file that is cut short is an error, or has fewer authenticators and recovery codes and, for the
    /// last of them, the defaults of what was cut off; never another secret, nor one switched on that was suspended.
    pub fn parse(text: &[u8]) -> Result<Self, CredentialsError> {
        let place = |offset| {
            let (line, column) = line_and_column(text, offset);
            CredentialsError::Syntax { line, column }
        };
        let whole = std::str::from_utf8(text).map_err(|error| place(error.valid_up_to()))?;
        Self::take(whole).map_err(|error| place(error.offset))?.checked()
    }

    /// What tells this enrolment from what it may become: which authenticators are there, which of them are switched on,
    /// and which set of recovery codes. All these names are random.
    #[must_use]
    pub fn identity(&self) -> String {
        let one = |held: &Authenticator| format!("{}{} ", held.id.as_str(), if held.suspended { "-" } else { "+" });
        let devices: String = self.authenticators.iter().map(one).collect();
        devices + self.recovery.as_ref().map_or("", |set| set.set.as_str())
    }

    fn take(text: &str) -> Result<Self, ParseError> {
        let document = Document::parse(text)?;
        let mut whole = document.table();
        whole.required("version", |value| match integer(value)? {
            1u32 => Ok(()),
            _ => Err("version is not 1".into()),
        })?;
        let enrolment = Self {
            user: whole
                .required("user", |value| UserName::parse(string(value)?.as_bytes()).map_err(|bad| bad.to_string()))?,
            uid: whole.optional("uid", integer)?,
            authenticators: whole.tables("authenticator", Authenticator::take)?,
            recovery: whole.table("recovery")?.map(take_recovery).transpose()?,
        };
        whole.end()?;
        Ok(enrolment)
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
            let Authenticator { id, label, otp, created, suspended } = authenticator;
            writeln!(out, "\n[[authenticator]]\nid = \"{}\"\nlabel = {}", id.0, quoted(&label.0))?;
            // Before what cannot be left out, so that no file that is cut short has it switched on.
            if *suspended {
                writeln!(out, "suspended = true")?;
            }
            writeln!(out, "type = \"{}\"\nsecret = \"{}\"", otp.kind(), *otp.secret().to_base32())?;
            writeln!(out, "algorithm = \"{}\"\ndigits = {}", otp.algorithm().name(), otp.digits())?;
            match otp.factor() {
                MovingFactor::Time { period } => writeln!(out, "period = {period}")?,
                MovingFactor::Counter { first } => writeln!(out, "counter = {first}")?,
            }
            if let Some(created) = created {
                writeln!(out, "created = {created}")?;
            }
        }
        if let Some(set) = &self.recovery {
            writeln!(out, "\n[recovery]\nset = \"{}\"", set.set.as_str())?;
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

    /// The authenticators whose codes count.
    pub fn active(&self) -> impl Iterator<Item = &Authenticator> {
        self.authenticators.iter().filter(|authenticator| !authenticator.suspended)
    }

    fn checked(self) -> Result<Self, CredentialsError> {
        let all = &self.authenticators;
        let twice = || all.iter().zip(1..).any(|(one, rest)| all.iter().skip(rest).any(|other| other.id == one.id));
        let sound = (1..=Self::MOST_AUTHENTICATORS).contains(&all.len()) && !twice();
        if sound { Ok(self) } else { Err(CredentialsError::Authenticators) }
    }
}

impl Authenticator {
    fn take(mut table: Table<'_>) -> Result<Self, ParseError> {
        let id = table.required("id", AuthenticatorId::take)?;
        let label =
            table.required("label", |value| Label::of_store(string(value)?).ok_or_else(|| Label::RULE.into()))?;
        let counts = table.required("type", |value| match string(value)? {
            "totp" => Ok(false),
            "hotp" => Ok(true),
            _ => Err("the type is neither totp nor hotp".into()),
        })?;
        let secret =
            table.required("secret", |value| Secret::from_base32(string(value)?).map_err(|bad| bad.to_string()))?;
        let algorithm = table
            .optional("algorithm", |value| Algorithm::named(string(value)?).ok_or_else(|| "no algorithm".into()))?
            .unwrap_or_default();
        let digits = table
            .optional("digits", |value| Otp::check_digits(integer(value)?).map_err(|bad| bad.to_string()))?
            .unwrap_or(Otp::DIGITS);
        let factor = if counts {
            MovingFactor::Counter { first: table.required("counter", integer)? }
        } else {
            let period =
                table.optional("period", |value| Otp::check_period(integer(value)?).map_err(|bad| bad.to_string()))?;
            MovingFactor::Time { period: period.unwrap_or(Otp::PERIOD) }
        };
        let created = table.optional("created", time)?;
        let suspended = table.optional("suspended", boolean)?.unwrap_or(false);
        let place = table.place();
        table.end()?;
        let otp = Otp::new(secret, algorithm, digits, factor).map_err(|bad| ParseError {
            offset: place,
            message: bad.to_string(),
            kind: ParseErrorKind::Value,
        })?;
        Ok(Self { id, label, otp, created, suspended })
    }
}

fn take_recovery(mut table: Table<'_>) -> Result<RecoverySet, ParseError> {
    let place = table.place();
    let set = table.required("set", AuthenticatorId::take)?;
    let created = table.optional("created", time)?;
    let codes = table.tables("codes", take_code)?;
    table.end()?;
    RecoverySet::from_stored(set, created, &codes).map_err(|bad| ParseError {
        offset: place,
        message: bad.to_string(),
        kind: ParseErrorKind::Value,
    })
}

fn take_code(mut table: Table<'_>) -> Result<(u8, &str), ParseError> {
    let code = (table.required("id", integer)?, table.required("hash", string)?);
    table.end()?;
    Ok(code)
}

fn time(value: &DeValue<'_>) -> Result<UnixTime, String> {
    let time = value.as_datetime().and_then(|time| UnixTime::parse(&time.to_string()).ok());
    time.ok_or_else(|| "a time in UTC is wanted here, such as 2026-11-24T04:00:00Z".into())
}

/// A text as a TOML string.
pub(crate) fn quoted(text: &str) -> String {
    toml_writer::TomlStringBuilder::new(text).as_basic().to_toml_value()
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
        Self(
            bytes
                .iter()
                .filter_map(|byte| SYMBOLS.get(usize::from(byte % 32)))
                .map(|symbol| char::from(*symbol))
                .collect(),
        )
    }

    pub(crate) fn take(value: &DeValue<'_>) -> Result<Self, String> {
        Self::parse(string(value)?).ok_or_else(|| "an id has 1 to 16 lower-case letters and digits".into())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Label {
    /// What a new label must be.
    pub const RULE: &str = "a label has 1 to 64 characters, none a control character or an invisible one";
    /// Longest label in characters.
    pub const LONGEST: usize = 64;

    /// Takes a new label.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_store(text).filter(|_| !text.chars().any(is_hidden))
    }

    /// Takes a label that was stored, perhaps before hidden characters were refused.
    fn of_store(text: &str) -> Option<Self> {
        let sound = (1..=Self::LONGEST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// A word, and behind it the number where it is not the first of that word.
    ///
    /// # Panics
    /// Never: a short word and a number are a label.
    #[must_use]
    pub(crate) fn numbered(word: &'static str, number: usize) -> Self {
        let text = if number <= 1 { word.to_owned() } else { format!("{word}-{number}") };
        Self::parse(&text).expect("a short word and a number are a label")
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CredentialsError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { line, column } => {
                write!(
                    out,
                    "line {line}, column {column}: not TOML, a key that is unknown or missing, or a value that does not fit"
                )
            }
            Self::Authenticators => {
                write!(
                    out,
                    "there must be 1 to {} authenticators, each with an id of its own",
                    Enrolment::MOST_AUTHENTICATORS
                )
            }
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
            ("version = 1", "version = 2", syntax(1, 11)),
            ("uid = 1001", "uid = \"1001\"", syntax(3, 7)),
            ("uid = 1001", "uid = -1", syntax(3, 7)),
            ("label = \"phone\"", "label = \"\"", syntax(7, 9)),
            ("type = \"totp\"", "type = \"steam\"", syntax(8, 8)),
            ("secret = \"GEZD", "secret = \"1EZD", syntax(9, 10)),
            ("digits = 6", "digits = 5", syntax(11, 10)),
            ("digits = 6", "digits = 9", syntax(11, 10)),
            ("period = 30", "period = 0", syntax(12, 10)),
            ("period = 30", "period = 121", syntax(12, 10)),
            ("period = 30", "periodd = 30", syntax(12, 1)),
            ("\"SHA1\"", "\"MD5\"", syntax(10, 13)),
            ("created = 2026-11-24T04:00:00Z\n\n[rec", "created = 2026-11-24\n\n[rec", syntax(13, 11)),
            ("id = \"k3v9q2\"", "id = \"../x\"", syntax(6, 6)),
        ] {
            assert!(ALICE.contains(from), "{from}");
            assert_eq!(refusal(&ALICE.replacen(from, to, 1)), error, "{to}");
        }
        let (head, recovery) = ALICE.split_once("\n[recovery]").unwrap();
        let authenticator = head.split_once("\n[[").unwrap().1;
        assert_eq!(
            refusal(&format!("{head}\n[[{authenticator}\n[recovery]{recovery}")),
            CredentialsError::Authenticators
        );
    }

    #[test]
    fn a_hidden_character_is_refused_in_a_new_label_and_read_in_a_stored_one() {
        for hidden in ["pho\u{200b}ne", "\u{202e}phone", "phone\u{fe0f}"] {
            assert_eq!(Label::parse(hidden), None, "{hidden:?}");
            let stored = Enrolment::parse(ALICE.replace("\"phone\"", &format!("\"{hidden}\"")).as_bytes()).unwrap();
            assert_eq!(stored.authenticators[0].label.as_str(), hidden);
        }
        assert!(Label::parse("Büro 📱").is_some());
    }

    #[test]
    fn a_counter_and_a_suspension_are_read_and_written() {
        let token =
            ALICE.replace("type = \"totp\"", "suspended = true\ntype = \"hotp\"").replace("period = 30", "counter = 7");
        let read = Enrolment::parse(token.as_bytes()).unwrap();
        assert_eq!(read.authenticators[0].otp.factor(), MovingFactor::Counter { first: 7 });
        assert!(read.authenticators[0].suspended);
        assert_eq!(read.to_toml().as_str(), token);
    }

    #[test]
    fn a_period_is_for_clocks_and_a_counter_for_tokens() {
        let syntax = |line| CredentialsError::Syntax { line, column: 1 };
        assert_eq!(refusal(&ALICE.replace("period = 30", "counter = 7")), syntax(12));
        assert_eq!(
            refusal(&ALICE.replace("\"totp\"", "\"hotp\"").replace("period = 30", "counter = 7\nperiod = 30")),
            syntax(13)
        );
    }

    #[test]
    fn no_error_repeats_the_secret() {
        for bad in [
            ALICE.replace("secret = \"", "secret = 1\""),
            ALICE.replace("secret", "sekret"),
            ALICE.replace("OJQ\"", "OJQ"),
        ] {
            let text = format!("{} {:?}", refusal(&bad), refusal(&bad));
            assert!(!text.contains("GEZD"), "{text}");
        }
    }

    #[test]
    fn cut_anywhere_a_suspended_device_is_not_switched_on() {
        let suspended =
            Enrolment::parse(ALICE.replace("period = 30", "suspended = true").as_bytes()).unwrap().to_toml();
        for end in 0..suspended.len() {
            if let Ok(cut) = Enrolment::parse(&suspended.as_bytes()[..end]) {
                assert_eq!(cut.active().count(), 0, "{end}");
            }
        }
    }

    #[test]
    fn cut_anywhere_it_is_refused_or_has_fewer_recovery_codes_but_never_another_secret() {
        let whole = Enrolment::parse(ALICE.as_bytes()).unwrap();
        for end in 0..ALICE.len() {
            if let Ok(cut) = Enrolment::parse(&ALICE.as_bytes()[..end]) {
                assert_eq!(cut.authenticators.len(), 1);
                assert_eq!(
                    cut.authenticators[0].otp.secret().bytes(),
                    whole.authenticators[0].otp.secret().bytes(),
                    "{end}"
                );
            }
        }
    }
}
