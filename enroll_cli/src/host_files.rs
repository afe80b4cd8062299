//! The configuration files of this host, or of the host as it would be with some of them changed.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::pam_stack::on_disk;

/// A host whose files are what is on the disk, but for those that are named here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    /// Whole files by their path.
    pub(crate) changed: Vec<(PathBuf, String)>,
    /// What sshd is told to read instead of its main file, to say what would be in force.
    pub(crate) sshd_config: Option<PathBuf>,
}

impl Host {
    /// The text of a file; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn text(&self, path: &Path) -> io::Result<Option<String>> {
        match self.changed.iter().find(|(changed, _)| changed == path) {
            Some((_, text)) => Ok(Some(text.clone())),
            None => on_disk(path),
        }
    }

    /// The names in a folder, sorted; none of a folder that cannot be read.
    pub(crate) fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let on_disk = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let changed = self.changed.iter().filter(|(path, _)| path.parent() == Some(folder));
        let changed = changed.filter_map(|(path, _)| path.file_name().and_then(OsStr::to_str).map(str::to_owned));
        on_disk.chain(changed).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
