//! sshd as it is, and its files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{OUTSIDE, Scope};
use crate::{
    host_files::Host,
    ssh::match_blocks,
    sshd::{Files, Settings, Sshd, running},
};

/// The server.
pub(crate) struct SshdFacts {
    pub(crate) complaint: Option<String>,
    pub(crate) files: Files,
    pub(crate) version: Option<(u32, u32)>,
    /// The configuration was changed after the server read it: this file.
    pub(crate) changed_since: Option<PathBuf>,
    /// What holds for nobody in particular.
    pub(crate) settings: Option<Settings>,
    /// The `Match` blocks that `twinlock ssh enable` has made, if it is in force and readable.
    pub(crate) match_blocks: Option<String>,
}

impl SshdFacts {
    pub(super) fn gather(server: &Sshd, scope: &Scope) -> Self {
        let files = Files::read(&scope.host);
        let complaint = server.complaint();
        // A server that does not start has no settings.
        let settings = match complaint {
            Some(_) => None,
            None => server.settings("nobody", scope.from.as_deref().unwrap_or(OUTSIDE)),
        };
        let version = settings.as_ref().and_then(|_| server.version());
        let changed_since = settings.as_ref().and_then(|settings| changed_since(&files, settings.value("pidfile")));
        let match_blocks = match_blocks::in_place().ok().flatten();
        Self { complaint, files, version, changed_since, settings, match_blocks }
    }

    /// What is in force today for no account in particular.
    pub(super) fn settings_today() -> Option<Settings> {
        Sshd::find(&Host::default())?.settings("nobody", OUTSIDE)
    }
}

/// sshd writes its pid whenever it has read its configuration.
fn changed_since(files: &Files, pid_file: &str) -> Option<PathBuf> {
    let written = |path: &Path| fs::metadata(path).and_then(|known| known.modified()).ok();
    let read_at: SystemTime = written(Path::new(pid_file))?;
    running(Path::new(pid_file))?;
    files.read.iter().find(|file| written(file).is_some_and(|changed| changed > read_at)).cloned()
}
