//! The emergency that root has ordered: one file in `/run`, on which neither the configuration nor the store has any
//! influence. It is in memory, so it needs no disk and goes with the boot, and every process of every user can read it.

use std::{io, path::Path, time::Duration};

use nix::{errno::Errno, sys::stat::lstat};
use twinlock_core::policy::{Emergency, EmergencyInForce};

use super::open::{self, Content, Folder, Readers, error};
use crate::{
    document::{Document, ParseError, integer, string},
    host,
    ports::{StoreError, StoreErrorKind},
};

/// Where it is.
pub const EMERGENCY_PATH: &str = "/run/twinlock-emergency";
const FOLDER: &str = "/run";
const NAME: &str = "twinlock-emergency";
const LARGEST: u64 = 256;

/// The emergency that is in force. One that cannot be read or trusted is none: then a second factor is asked for.
#[must_use]
pub fn emergency_in_force() -> Option<EmergencyInForce> {
    let ordered = read_emergency().ok()??;
    ordered.in_force(&host::boot_id(), host::since_boot().ok()?)
}

/// What was ordered last and may be over; `None` if nothing was.
///
/// # Errors
/// [`StoreError`]: there is something that root has not ordered, or that cannot be read.
pub fn read_emergency() -> Result<Option<Emergency>, StoreError> {
    let path = Path::new(EMERGENCY_PATH);
    // One look is what a login costs on which there is none.
    if lstat(path) == Err(Errno::ENOENT) {
        return Ok(None);
    }
    match open::read(path, Readers::All, LARGEST) {
        Ok(Content { bytes, .. }) => parse(&bytes).map(Some).ok_or_else(|| {
            let problem = "it is not what `twinlock emergency off` writes";
            error(path, StoreErrorKind::Read(io::Error::new(io::ErrorKind::InvalidData, problem)))
        }),
        Err(StoreError { kind: StoreErrorKind::Missing, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts this one in force, in the place of one before. Root's.
///
/// # Errors
/// [`StoreError`].
pub fn write_emergency(emergency: &Emergency) -> Result<(), StoreError> {
    let Emergency { boot, until } = emergency;
    let text = format!("boot = \"{boot}\"\nuntil = {}\n", until.as_secs());
    Folder::open(Path::new(FOLDER), Readers::All)?.write(NAME, Readers::All, text.as_bytes())
}

/// Ends it, whatever is there; false if nothing was. Root's.
///
/// # Errors
/// [`StoreError`].
pub fn remove_emergency() -> Result<bool, StoreError> {
    Folder::open(Path::new(FOLDER), Readers::All)?.remove(NAME)
}

fn parse(bytes: &[u8]) -> Option<Emergency> {
    let text = std::str::from_utf8(bytes).ok()?;
    let read = || -> Result<Emergency, ParseError> {
        let document = Document::parse(text)?;
        let mut table = document.table();
        let boot = table.required("boot", |value| string(value).map(str::to_owned))?;
        let until = Duration::from_secs(table.required("until", integer)?);
        table.end()?;
        Ok(Emergency { boot, until })
    };
    read().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_boot_and_an_end_are_an_emergency() {
        let emergency = |text: &str| parse(text.as_bytes());
        let wanted = Emergency { boot: "b".into(), until: Duration::from_mins(1) };
        assert_eq!(emergency("boot = \"b\"\nuntil = 60\n"), Some(wanted));
        for bad in ["", "until = 60\n", "boot = \"b\"\n", "boot = \"b\"\nuntil = -1\n", "boot = 1\nuntil = 60\n"] {
            assert_eq!(emergency(bad), None, "{bad}");
        }
        assert_eq!(emergency("boot = \"b\"\nuntil = 60\nfor = \"ever\"\n"), None);
        assert_eq!(parse(b"\xff"), None);
    }
}
