//! A message as fields between zero bytes, which no PAM item can hold. The first one is the version.

use super::{FrameError, VERSION};

/// The message with these fields.
pub(super) fn join(fields: &[&str]) -> Vec<u8> {
    format!("{VERSION}\0{}", fields.join("\0")).into_bytes()
}

/// The fields of a message, if it is one of this version and has exactly so many.
pub(super) fn split<const N: usize>(content: &[u8]) -> Result<[&str; N], FrameError> {
    let text = std::str::from_utf8(content).map_err(|_| FrameError::NoMessage)?;
    let (version, fields) = text.split_once('\0').ok_or(FrameError::NoMessage)?;
    let fields: Vec<&str> = fields.splitn(N.saturating_add(1), '\0').collect();
    if version != VERSION.to_string() {
        return Err(FrameError::NoMessage);
    }
    fields.try_into().map_err(|_| FrameError::NoMessage)
}

/// A field that may be empty.
pub(super) fn optional(field: &str) -> Option<String> {
    (!field.is_empty()).then(|| field.to_owned())
}
