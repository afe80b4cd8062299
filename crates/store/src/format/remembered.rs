//! Remembered logins as a table of the record.

use std::fmt::Write as _;

use toml::de::DeValue;
use twinlock_core::{
    remember::{Remembered, RememberedLogin},
    time::UnixTime,
};

use crate::{
    document::{ParseError, Table, array, each, integer, string},
    messages,
};

pub(super) fn read(mut table: Table<'_>) -> Result<Remembered, ParseError> {
    let key = table.required("key", |value| from_hex(string(value)?))?;
    let logins = table.required("logins", |value| each(value, read_login))?;
    table.end()?;
    Ok(Remembered::from_parts(key, logins))
}

fn read_login(value: &DeValue<'_>) -> Result<RememberedLogin, String> {
    match &array(value)?[..] {
        [tag, since, until] => Ok(RememberedLogin {
            tag: from_hex(string(tag.get_ref())?)?,
            since: UnixTime::from_seconds(integer(since.get_ref())?),
            until: UnixTime::from_seconds(integer(until.get_ref())?),
        }),
        _ => Err("a remembered login has three parts".into()),
    }
}

pub(super) fn write(remembered: &Remembered, out: &mut String) -> std::fmt::Result {
    let (key, logins) = remembered.parts();
    write!(out, "[remembered]\nkey = \"{}\"\nlogins = [", to_hex(key))?;
    for RememberedLogin { tag, since, until } in logins {
        write!(out, "[\"{}\",{},{}],", to_hex(tag), since.seconds(), until.seconds())?;
    }
    writeln!(out, "]")
}

fn to_hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits =
        Some(text).filter(|text| text.len() == N.saturating_mul(2) && text.bytes().all(|c| c.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
    let bytes = number.and_then(|number| number.to_be_bytes().last_chunk().copied());
    bytes.ok_or_else(|| messages::not_hexadecimal(N))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn what_is_written_is_read() {
        let at = UnixTime::from_seconds;
        let logins = [1, 2].map(|n| RememberedLogin { tag: [0xa0 + n; 12], since: at(7), until: at(3607) });
        let logins = Remembered::from_parts([0xa5; 16], logins.to_vec());
        let mut text = String::new();
        write(&logins, &mut text).unwrap();
        let document = Document::parse(&text).unwrap();
        let table = document.table().table("remembered").unwrap().unwrap();
        assert_eq!(read(table).unwrap(), logins);
        for bad in ["a5", "zz", "é", &"g".repeat(32), &format!("+{}", "0".repeat(31)), &"é".repeat(16)] {
            assert!(from_hex::<16>(bad).is_err());
        }
    }
}
