//! The configuration file: opened safely, then parsed.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::open::{self, Content, Readers, Visibility};
use crate::{
    config::{Config, ConfigError},
    ports::StoreError,
};

const LARGEST: u64 = 64 * 1024;

/// A configuration that cannot be used.
#[derive(Debug)]
pub enum ConfigFileError {
    /// The file cannot be opened, trusted or read.
    File(StoreError),
    /// The file can be read, and is wrong.
    Content {
        path: PathBuf,
        /// Where and what.
        bad: ConfigError,
    },
}

/// Reads the configuration, without the places of its rules in the file. A file that is not there is a fault too: it may say
/// that somebody must be asked.
///
/// # Errors
/// [`ConfigFileError`].
pub fn load_config(path: &Path) -> Result<Config, ConfigFileError> {
    load(path, Config::parse_without_places).map(|(config, _)| config)
}

/// The same with those places and the text, for those who say where in it something stands.
///
/// # Errors
/// [`ConfigFileError`].
pub fn load_config_and_text(path: &Path) -> Result<(Config, Zeroizing<Vec<u8>>), ConfigFileError> {
    load(path, Config::parse)
}

/// # Security
/// The path may be the choice of somebody who may run the command as root and may not read the file: an error quotes only
/// what every account can read.
#[inline(never)]
fn load(
    path: &Path,
    parse: fn(&[u8]) -> Result<Config, ConfigError>,
) -> Result<(Config, Zeroizing<Vec<u8>>), ConfigFileError> {
    let Content { bytes: text, visibility } = open::read(path, Readers::All, LARGEST).map_err(ConfigFileError::File)?;
    match (parse(&text), visibility) {
        (Ok(config), _) => Ok((config, text)),
        (Err(bad), Visibility::Everybody) => Err(ConfigFileError::Content { path: path.to_owned(), bad }),
        (Err(bad), Visibility::Restricted) => {
            Err(ConfigFileError::Content { path: path.to_owned(), bad: bad.without_quotes() })
        }
    }
}

impl std::error::Error for ConfigFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            Self::Content { bad, .. } => Some(bad),
        }
    }
}
