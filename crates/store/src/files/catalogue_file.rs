//! The catalogue of a language: opened as safely as the configuration, since it decides what users read at a prompt.

use std::path::{Path, PathBuf};

use twinlock_core::catalogue::{Catalogue, Language};

use super::{
    config_file::ConfigFileError,
    open::{self, Content, Readers},
};
use crate::{
    config::ConfigError,
    document::{Document, ParseError, ParseErrorKind},
    ports::StoreErrorKind,
};

/// Where packages and `make install` put the catalogues.
const FOLDERS: [&str; 2] = ["/usr/share/twinlock/locale", "/usr/local/share/twinlock/locale"];

const LARGEST: u64 = 64 * 1024;

/// Reads the catalogue of a language.
///
/// # Errors
/// [`ConfigFileError`]: all of it is to be said in English.
pub fn load_catalogue(language: &Language) -> Result<Catalogue, ConfigFileError> {
    if language.is_english() {
        return Ok(Catalogue::default());
    }
    let (path, content) = open(language)?;
    let bad = |ParseError { offset, message, kind }| ConfigFileError::Content {
        path: path.clone(),
        bad: ConfigError::at(&content.bytes, offset, &message, kind),
    };
    let text = std::str::from_utf8(&content.bytes).map_err(|error| {
        let (offset, kind) = (error.valid_up_to(), ParseErrorKind::Encoding);
        bad(ParseError { offset, message: "not UTF-8".into(), kind })
    })?;
    let entries = Document::parse(text).and_then(|document| document.table().strings()).map_err(bad)?;
    Ok(Catalogue::from_entries(entries))
}

fn open(language: &Language) -> Result<(PathBuf, Content), ConfigFileError> {
    let read = |path: &Path| open::read(path, Readers::All, LARGEST).map(|content| (path.to_owned(), content));
    if language.is_file() {
        return read(Path::new(language.as_str())).map_err(ConfigFileError::File);
    }
    let [packaged, local] = FOLDERS.map(|folder| Path::new(folder).join(format!("{}.toml", language.as_str())));
    match read(&packaged) {
        Err(error) if matches!(error.kind, StoreErrorKind::Missing) => {
            read(&local).map_err(|_| ConfigFileError::File(error))
        }
        found => found.map_err(ConfigFileError::File),
    }
}
