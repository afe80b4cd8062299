//! A TOML document taken apart key by key: what is missing, unknown, of the wrong kind or out of range is a mistake
//! with its place.
//!
//! Works on the parser's own tables: deriving the readers would add a fifth to the module that every sshd loads.

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use crate::time::UnixTime;

/// What is wrong with a document, and where.
///
/// # Security
/// The message may repeat the document; where that holds secrets, only the place may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes from the beginning.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

/// A table whose keys are taken out one by one; what is left in the end was not asked for.
pub struct Table<'a> {
    entries: DeTable<'a>,
    offset: usize,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// What is not TOML.
    pub fn parse(text: &'a str) -> Result<Self, Mistake> {
        let entries = DeTable::parse(text).map_err(|error| Mistake {
            offset: error.span().map_or(0, |span| span.start),
            message: error.message().to_owned(),
        })?;
        Ok(Self::of(entries.into_inner(), 0))
    }

    /// A table without keys.
    #[must_use]
    pub fn empty() -> Self {
        Self::of(DeTable::new(), 0)
    }

    fn of(entries: DeTable<'a>, offset: usize) -> Self {
        Self { entries, offset, asked: Vec::new() }
    }

    /// Takes a key out, if it is there; `read` says what its value must be.
    ///
    /// # Errors
    /// What `read` says, at the value.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Result<Option<T>, Mistake> {
        self.take(key).map(|value| at(value.span().start, read(value.get_ref()))).transpose()
    }

    /// Takes out a key that must be there.
    ///
    /// # Errors
    /// As for [`Table::optional`]; at the table if the key is not there.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Result<T, Mistake> {
        let missing = Mistake { offset: self.offset, message: format!("the key `{key}` is missing") };
        self.optional(key, read)?.ok_or(missing)
    }

    /// Takes a table out, if it is there.
    ///
    /// # Errors
    /// Something else stands under the key.
    pub fn table(&mut self, key: &'static str) -> Result<Option<Self>, Mistake> {
        self.take(key).map(Self::from_value).transpose()
    }

    /// Takes an array of tables out; empty if it is not there.
    ///
    /// # Errors
    /// Something else stands under the key.
    pub fn tables(&mut self, key: &'static str) -> Result<Vec<Self>, Mistake> {
        let Some(value) = self.take(key) else {
            return Ok(Vec::new());
        };
        let offset = value.span().start;
        let value = value.into_inner();
        if let DeValue::Array(elements) = value {
            elements.into_iter().map(Self::from_value).collect()
        } else {
            at(offset, Err(wanted(&format!("an array of tables, `[[{key}]]`,"), &value)))
        }
    }

    /// Where the table begins.
    #[must_use]
    pub const fn place(&self) -> usize {
        self.offset
    }

    /// Where the value of a key stands, if the key is there.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Option<usize> {
        self.entries.get(key).map(|value| value.span().start)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The first key that nobody asked for.
    pub fn end(self) -> Result<(), Mistake> {
        let unknown = self.entries.keys().min_by_key(|key| key.span().start);
        match unknown {
            None => Ok(()),
            Some(key) => {
                let message = format!("unknown key `{}`, known here are `{}`", key.get_ref(), self.asked.join("`, `"));
                Err(Mistake { offset: key.span().start, message })
            }
        }
    }

    fn from_value(value: Spanned<DeValue<'a>>) -> Result<Self, Mistake> {
        let offset = value.span().start;
        let value = value.into_inner();
        if let DeValue::Table(entries) = value {
            Ok(Self::of(entries, offset))
        } else {
            at(offset, Err(wanted("a table", &value)))
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.entries.remove(key)
    }
}

/// A string.
///
/// # Errors
/// Anything else.
pub fn string<'v>(value: &'v DeValue<'_>) -> Result<&'v str, String> {
    value.as_str().ok_or_else(|| wanted("a string", value))
}

/// `true` or `false`.
///
/// # Errors
/// Anything else.
pub fn boolean(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| wanted("true or false", value))
}

/// An integer that fits its type.
///
/// # Errors
/// Anything else.
pub fn integer<T: TryFrom<i128>>(value: &DeValue<'_>) -> Result<T, String> {
    let number = value.as_integer().ok_or_else(|| wanted("an integer", value))?;
    let fits = i128::from_str_radix(number.as_str(), number.radix()).ok().and_then(|number| T::try_from(number).ok());
    fits.ok_or_else(|| format!("{} is out of range", number.as_str()))
}

/// An array.
///
/// # Errors
/// Anything else.
pub fn array<'v, 'a>(value: &'v DeValue<'a>) -> Result<&'v DeArray<'a>, String> {
    value.as_array().ok_or_else(|| wanted("an array", value))
}

/// The beginning of a day in UTC, written as a date without a time.
///
/// # Errors
/// Anything else, and days before 1970.
pub fn date(value: &DeValue<'_>) -> Result<UnixTime, String> {
    let alone = value.as_datetime().filter(|datetime| datetime.time.is_none() && datetime.offset.is_none());
    let date = alone.and_then(|datetime| datetime.date).ok_or_else(|| wanted("a date such as 2027-01-31", value))?;
    UnixTime::parse(&format!("{date}T00:00:00Z")).map_err(|_| format!("{date} is no day of the calendar since 1970"))
}

fn wanted(what: &str, value: &DeValue<'_>) -> String {
    format!("{what} is wanted here, not a TOML {}", value.type_str())
}

fn at<T>(offset: usize, result: Result<T, String>) -> Result<T, Mistake> {
    result.map_err(|message| Mistake { offset, message })
}
