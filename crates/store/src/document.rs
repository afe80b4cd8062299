//! A TOML document taken apart key by key: what is missing, unknown, of the wrong kind or out of range is an error
//! with its place.
//!
//! Works on the parser's own tables: deriving the readers would add a fifth to the module that every sshd loads.

use std::{ops::RangeInclusive, time::Duration};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};
use twinlock_core::time::UnixTime;

use crate::messages;

/// What is wrong with a document, and where.
///
/// # Security
/// The message may repeat the document; where that holds secrets, only the place may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Bytes from the beginning.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What kind of error it is.
    pub kind: ParseErrorKind,
}

/// A kind of error, which can be said of a document that may not be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// The bytes are not UTF-8.
    Encoding,
    /// The text is not TOML.
    Syntax,
    /// A key that the table does not have.
    UnknownKey,
    /// A key that the table must have.
    MissingKey,
    /// A value of the wrong type or out of range.
    Value,
}

/// A document that was parsed, from which its tables borrow.
pub struct Document<'t>(DeTable<'t>);

impl<'t> Document<'t> {
    /// Parses a whole document.
    ///
    /// # Errors
    /// What is not TOML.
    pub fn parse(text: &'t str) -> Result<Self, ParseError> {
        let entries = DeTable::parse(text).map_err(|error| ParseError {
            offset: error.span().map_or(0, |span| span.start),
            message: error.message().to_owned(),
            kind: ParseErrorKind::Syntax,
        })?;
        Ok(Self(entries.into_inner()))
    }

    /// The outermost table.
    #[must_use]
    pub fn table(&self) -> Table<'_> {
        Table { entries: Some(&self.0), offset: 0, asked: Vec::new() }
    }
}

/// A table whose keys are asked for one by one; whatever else it has in the end is an error.
pub struct Table<'d> {
    entries: Option<&'d DeTable<'d>>,
    offset: usize,
    asked: Vec<&'static str>,
}

impl<'d> Table<'d> {
    /// Asks for a key that may be there; `read` says what its value must be.
    ///
    /// # Errors
    /// What `read` says, at the value.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'d DeValue<'d>) -> Result<T, String>,
    ) -> Result<Option<T>, ParseError> {
        match self.ask(key) {
            Some(value) => at(value, read(value.get_ref())).map(Some),
            None => Ok(None),
        }
    }

    /// Asks for a key that must be there.
    ///
    /// # Errors
    /// As for [`Table::optional`]; at the table if the key is not there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&'d DeValue<'d>) -> Result<T, String>,
    ) -> Result<T, ParseError> {
        match self.ask(key) {
            Some(value) => at(value, read(value.get_ref())),
            None => Err(ParseError {
                offset: self.offset,
                message: messages::missing_key(key),
                kind: ParseErrorKind::MissingKey,
            }),
        }
    }

    /// Asks for a table that may be there.
    ///
    /// # Errors
    /// Something else stands under the key.
    pub fn table(&mut self, key: &'static str) -> Result<Option<Self>, ParseError> {
        self.ask(key).map(Self::from_value).transpose()
    }

    /// The same; a table without keys if it is not there.
    ///
    /// # Errors
    /// As for [`Table::table`].
    pub fn section(&mut self, key: &'static str) -> Result<Self, ParseError> {
        Ok(self.table(key)?.unwrap_or(Self { entries: None, offset: 0, asked: Vec::new() }))
    }

    /// Asks for an array of tables, and reads each; none if it is not there.
    ///
    /// # Errors
    /// Something else stands under the key, and what `read` says.
    pub fn tables<T>(
        &mut self,
        key: &'static str,
        read: fn(Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let Some(value) = self.ask(key) else {
            return Ok(Vec::new());
        };
        let wanted = || messages::wrong_type(&messages::array_of_tables(key), value.get_ref());
        let elements = at(value, value.get_ref().as_array().ok_or_else(wanted))?;
        let mut tables = Vec::with_capacity(elements.len());
        for element in elements {
            tables.push(read(Self::from_value(element)?)?);
        }
        Ok(tables)
    }

    /// All keys that were not asked for, with their values, which must be strings. In the order of the keys.
    ///
    /// # Errors
    /// Another value, at its place.
    pub fn strings(self) -> Result<Vec<(String, String)>, ParseError> {
        let mut all = Vec::new();
        let known = |key: &str| self.asked.contains(&key);
        for (key, value) in self.entries.into_iter().flatten().filter(|(key, _)| !known(key.get_ref())) {
            all.push((key.get_ref().as_ref().to_owned(), at(value, string(value.get_ref()))?.to_owned()));
        }
        Ok(all)
    }

    /// Where the table begins.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.offset
    }

    /// Where the value of a key stands, if the key is there.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<usize> {
        self.entries?.get(key).map(|value| value.span().start)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The first key that nobody asked for.
    pub fn end(self) -> Result<(), ParseError> {
        let keys = self.entries.into_iter().flat_map(DeTable::keys);
        let unknown =
            keys.filter(|key| !self.asked.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
        match unknown {
            None => Ok(()),
            Some(key) => {
                let message = messages::unknown_key(key.get_ref(), &self.asked);
                Err(ParseError { offset: key.span().start, message, kind: ParseErrorKind::UnknownKey })
            }
        }
    }

    fn from_value(value: &'d Spanned<DeValue<'d>>) -> Result<Self, ParseError> {
        let entries =
            at(value, value.get_ref().as_table().ok_or_else(|| messages::wrong_type("a table", value.get_ref())))?;
        Ok(Self { entries: Some(entries), offset: value.span().start, asked: Vec::new() })
    }

    fn ask(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.push(key);
        self.entries?.get(key)
    }
}

/// A string.
///
/// # Errors
/// The value is of another type.
pub fn string<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| messages::wrong_type("a string", value))
}

/// `true` or `false`.
///
/// # Errors
/// The value is of another type.
pub fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| messages::wrong_type("true or false", value))
}

/// An integer that fits its type.
///
/// # Errors
/// The value is of another type.
pub fn integer<T: TryFrom<i128>>(value: &DeValue<'_>) -> Result<T, String> {
    let number = value.as_integer().ok_or_else(|| messages::wrong_type("an integer", value))?;
    let fits = i128::from_str_radix(number.as_str(), number.radix()).ok().and_then(|number| T::try_from(number).ok());
    fits.ok_or_else(|| messages::number_out_of_range(number.as_str()))
}

/// An array.
///
/// # Errors
/// The value is of another type.
pub fn array<'v, 'a>(value: &'v DeValue<'a>) -> Result<&'v DeArray<'a>, String> {
    value.as_array().ok_or_else(|| messages::wrong_type("an array", value))
}

/// An array of which each element is read in the same way.
///
/// # Errors
/// Anything else, and what `read` says.
pub fn each<'d, T>(
    value: &'d DeValue<'d>,
    read: impl Fn(&'d DeValue<'d>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let elements = array(value)?;
    let mut all = Vec::with_capacity(elements.len());
    for element in elements {
        all.push(read(element.get_ref())?);
    }
    Ok(all)
}

/// The beginning of a day in UTC, written as a date without a time.
///
/// # Errors
/// Anything else, and days before 1970.
pub fn date(value: &DeValue<'_>) -> Result<UnixTime, String> {
    let alone = value.as_datetime().filter(|datetime| datetime.time.is_none() && datetime.offset.is_none());
    let date = alone
        .and_then(|datetime| datetime.date)
        .ok_or_else(|| messages::wrong_type("a date such as 2027-01-31", value))?;
    UnixTime::parse(&format!("{date}T00:00:00Z")).map_err(|_| messages::no_such_day(&date))
}

/// A span of time in range.
pub(crate) fn span(value: &DeValue<'_>, least: &str, most: &str) -> Result<Duration, String> {
    let text = string(value)?;
    let parse = |text| humantime::parse_duration(text).ok();
    let fits = parse(text).filter(|span| parse(least) <= Some(*span) && Some(*span) <= parse(most));
    fits.ok_or_else(|| messages::not_a_span(text, least, most))
}

/// Takes a text of so many characters, none of which is a control character; else says what the rule is.
pub(crate) fn printable(text: &str, lengths: RangeInclusive<usize>, rule: &str) -> Result<String, String> {
    let sound = lengths.contains(&text.chars().count()) && !text.contains(char::is_control);
    if sound { Ok(text.into()) } else { Err(rule.into()) }
}

/// Line and column of a byte, both from 1.
#[must_use]
pub fn line_and_column(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len).saturating_add(1);
    (line, column)
}

fn at<T>(value: &Spanned<DeValue<'_>>, result: Result<T, String>) -> Result<T, ParseError> {
    result.map_err(|message| ParseError { offset: value.span().start, message, kind: ParseErrorKind::Value })
}
