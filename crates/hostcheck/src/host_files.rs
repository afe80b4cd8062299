//! The configuration files of this host, or of the host as it would be with some of them changed.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use crate::{
    pam_stack::on_disk,
    sshd::{Disk, matching_files, matching_paths},
};

/// A host whose files are what is on the disk, but for those that are named here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Host {
    /// Whole files by their path.
    pub(crate) changed: Vec<(PathBuf, String)>,
    /// What sshd reads instead of its main file, to say what would be in force.
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
}

impl Disk for Host {
    fn text(&self, path: &Path) -> Option<String> {
        Self::text(self, path).ok().flatten()
    }

    fn matching(&self, pattern: &Path) -> Vec<PathBuf> {
        let changed = matching_paths(pattern, self.changed.iter().map(|(path, _)| path.as_path()));
        matching_files(pattern).into_iter().chain(changed).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
