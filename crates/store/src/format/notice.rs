//! A notice as a table of the record.

use std::fmt::Write as _;

use twinlock_core::{
    notice::{Change, Notice},
    time::UnixTime,
};

use crate::document::{ParseError, Table, integer, string};

pub(super) fn read(mut table: Table<'_>) -> Result<Notice, ParseError> {
    let change = table.required("change", |value| Change::named(string(value)?).ok_or_else(|| "no change".into()))?;
    let at = UnixTime::from_seconds(table.required("at", integer)?);
    let others = table.optional("others", integer)?.unwrap_or(0);
    let latest = table.optional("latest", integer)?.map_or(at, UnixTime::from_seconds);
    table.end()?;
    Ok(Notice { change, at, others, latest })
}

pub(super) fn write(notice: &Notice, out: &mut String) -> std::fmt::Result {
    let Notice { change, at, others, latest } = notice;
    writeln!(out, "[notice]\nchange = \"{}\"\nat = {}", change.name(), at.seconds())?;
    match others {
        0 => Ok(()),
        others => writeln!(out, "others = {others}\nlatest = {}", latest.seconds()),
    }
}
