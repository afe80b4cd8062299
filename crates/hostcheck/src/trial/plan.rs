//! What would be changed: a value, computed from what was read.

use similar::TextDiff;
use twinlock_store::config::Config;

use super::{
    change::ServiceChange,
    place::{FilePlace, Version},
    service::ChangedPath,
};
use crate::{HostError, messages, ssh::EnableMode};

/// The whole change, with what it looks like to people.
pub(crate) struct Plan {
    /// What sshd will ask for.
    pub(crate) mode: Option<EnableMode>,
    pub(crate) change: ServiceChange,
    /// The configuration of Twinlock, where that is changed as well.
    pub(crate) config: Option<Config>,
    /// The differences, as `diff -u` shows them and `patch` reads them.
    pub(crate) diff: String,
    /// What was found and what will be done, in a sentence or two.
    pub(crate) summary: String,
    /// Another module that asks for the second factor now, and whose users can be imported.
    pub(crate) taken_over: Option<String>,
}

impl Plan {
    /// The text that a file is to have; empty if the file is not changed.
    pub(crate) fn text_after(&self, path: &ChangedPath) -> String {
        let file = self.change.files.iter().find(|file| file.path == path);
        file.map(|file| String::from_utf8_lossy(&file.after.content).into_owned()).unwrap_or_default()
    }
}

/// A PAM file as libpam finds it.
pub(crate) struct FoundPamFile {
    /// The host's own, which is replaced; `None` if there is none.
    pub(crate) own: Option<Version>,
    /// The one that libpam reads: the host's own, or that of the distribution, which an own one would hide.
    pub(crate) read: Version,
    /// Where that one is.
    pub(crate) path: String,
}

const VENDOR: &str = "/usr/lib/pam.d";

impl FoundPamFile {
    /// Finds it; `None` if the service has none.
    pub(crate) fn find(path: &ChangedPath) -> Result<Option<Self>, HostError> {
        if let Some(own) = path.place().read()? {
            return Ok(Some(Self { read: own.clone(), own: Some(own), path: path.path() }));
        }
        let vendors = FilePlace::at(VENDOR, path.name).read()?;
        Ok(vendors.map(|read| Self { own: None, read, path: format!("{VENDOR}/{}", path.name) }))
    }

    /// What libpam reads.
    pub(crate) fn text(&self) -> Result<&str, HostError> {
        text(&self.read, &self.path)
    }
}

/// The text of a file that people wrote.
pub(crate) fn text<'a>(version: &'a Version, path: &str) -> Result<&'a str, HostError> {
    std::str::from_utf8(&version.content).map_err(|_| messages::is_not_utf8(path))
}

/// What `diff -u` shows; empty if nothing is changed.
pub(crate) fn diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().header(old_name, new_name).to_string()
}
