//! A folder as it stands, to be compared with what it was: nothing was changed means equal.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Mode, owner and content of everything below a folder, the folder included.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, (u32, u32, Vec<u8>)>);

impl Snapshot {
    /// Looks at `path` and everything below. Of links the target is kept; of pipes, devices and huge files no content.
    pub fn of(path: impl AsRef<Path>) -> Self {
        let mut all = BTreeMap::new();
        look(path.as_ref(), &mut all);
        Self(all)
    }

    /// Everything with its content.
    pub fn contents(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().map(|(path, (_, _, content))| (path.as_path(), content.as_slice()))
    }

    /// The paths.
    pub fn paths(&self) -> Vec<&Path> {
        self.0.keys().map(PathBuf::as_path).collect()
    }
}

impl std::fmt::Debug for Snapshot {
    /// Not the content: it is long, and only its size helps.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = self
            .0
            .iter()
            .map(|(path, (mode, uid, content))| (path, format!("{mode:o} uid {uid}, {} bytes", content.len())));
        out.debug_map().entries(short).finish()
    }
}

fn look(path: &Path, all: &mut BTreeMap<PathBuf, (u32, u32, Vec<u8>)>) {
    let Ok(found) = path.symlink_metadata() else {
        return;
    };
    let content = if found.is_symlink() {
        fs::read_link(path).map(|target| target.into_os_string().into_encoded_bytes()).unwrap_or_default()
    } else if found.is_file() && found.len() < 1 << 20 {
        fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    all.insert(path.into(), (found.mode(), found.uid(), content));
    if found.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            look(&entry.path(), all);
        }
    }
}
