//! The credentials file of a user: TOML, read into values that cannot be wrong, and written from them.

use std::fmt::Write as _;

use toml::de::DeValue;
use twinlock_core::{
    account::UserName,
    credentials::{Authenticator, Enrolment, Label},
    otp::{Algorithm, MovingFactor, Otp},
    recovery::RecoverySet,
    secret::Secret,
    time::UnixTime,
};
use zeroize::Zeroizing;

use super::{TomlDocument, authenticator_id, quoted, recovery_set_id};
use crate::{
    document::{Document, ParseError, ParseErrorKind, Table, boolean, integer, line_and_column, string},
    messages,
};

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

/// A file that is cut short is an error, or has fewer authenticators and recovery codes and, for the last of them, the defaults
/// of what was cut off; never another secret, nor one switched on that was suspended.
impl TomlDocument for Enrolment {
    type Source = [u8];
    type Text = Zeroizing<String>;
    type Error = CredentialsError;

    fn parse(text: &[u8]) -> Result<Self, CredentialsError> {
        let place = |offset| {
            let (line, column) = line_and_column(text, offset);
            CredentialsError::Syntax { line, column }
        };
        let whole = std::str::from_utf8(text).map_err(|error| place(error.valid_up_to()))?;
        let enrolment = read(whole).map_err(|error| place(error.offset))?;
        if enrolment.is_sound() { Ok(enrolment) } else { Err(CredentialsError::Authenticators) }
    }

    fn to_toml(&self) -> Zeroizing<String> {
        // Room for all of it at once: a growing buffer would leave copies of the secrets behind.
        let mut text = Zeroizing::new(String::with_capacity(16 * 1024));
        // Writing to a String cannot fail.
        let _ = write(self, &mut text);
        text
    }
}

fn read(text: &str) -> Result<Enrolment, ParseError> {
    let document = Document::parse(text)?;
    let mut whole = document.table();
    whole.required("version", |value| match integer(value)? {
        1u32 => Ok(()),
        _ => Err("version is not 1".into()),
    })?;
    let enrolment = Enrolment {
        user: whole
            .required("user", |value| UserName::parse(string(value)?.as_bytes()).map_err(|bad| bad.to_string()))?,
        uid: whole.optional("uid", integer)?,
        authenticators: whole.tables("authenticator", read_authenticator)?,
        recovery: whole.table("recovery")?.map(read_recovery).transpose()?,
    };
    whole.end()?;
    Ok(enrolment)
}

fn write(enrolment: &Enrolment, out: &mut String) -> std::fmt::Result {
    writeln!(out, "version = 1")?;
    writeln!(out, "user = {}", quoted(enrolment.user.as_str()))?;
    if let Some(uid) = enrolment.uid {
        writeln!(out, "uid = {uid}")?;
    }
    for authenticator in &enrolment.authenticators {
        let Authenticator { id, label, otp, created, suspended } = authenticator;
        writeln!(out, "\n[[authenticator]]\nid = \"{}\"\nlabel = {}", id.as_str(), quoted(label.as_str()))?;
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
    if let Some(set) = &enrolment.recovery {
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

fn read_authenticator(mut table: Table<'_>) -> Result<Authenticator, ParseError> {
    let id = table.required("id", authenticator_id)?;
    let label = table.required("label", |value| Label::from_store(string(value)?).ok_or_else(|| Label::RULE.into()))?;
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
    Ok(Authenticator { id, label, otp, created, suspended })
}

fn read_recovery(mut table: Table<'_>) -> Result<RecoverySet, ParseError> {
    let place = table.place();
    let set = table.required("set", recovery_set_id)?;
    let created = table.optional("created", time)?;
    let codes = table.tables("codes", read_code)?;
    table.end()?;
    RecoverySet::from_stored(set, created, &codes).map_err(|bad| ParseError {
        offset: place,
        message: bad.to_string(),
        kind: ParseErrorKind::Value,
    })
}

fn read_code(mut table: Table<'_>) -> Result<(u8, &str), ParseError> {
    let code = (table.required("id", integer)?, table.required("hash", string)?);
    table.end()?;
    Ok(code)
}

fn time(value: &DeValue<'_>) -> Result<UnixTime, String> {
    let time = value.as_datetime().and_then(|time| UnixTime::parse(&time.to_string()).ok());
    time.ok_or_else(|| messages::TIME_RULE.into())
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
