//! The store's folders and their file system, and the broker's socket.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use nix::sys::{
    statfs::{NFS_SUPER_MAGIC, statfs},
    statvfs::{FsFlags, statvfs},
};
use twinlock_login::wire::SOCKET;
use twinlock_store::{files, host::mounts, ports::StoreError};

use super::sealing::SealFacts;
use crate::{Installation, copy_on_write::CopyOnWrite, programs, selinux};

/// The folders of secrets and state.
#[derive(Default)]
pub(crate) struct StoreFacts {
    pub(crate) faults: Vec<StoreError>,
    /// Where the host is configured to mount a file system for it, and nothing is mounted.
    pub(crate) missing_mount: Option<PathBuf>,
    pub(crate) read_only: bool,
    pub(crate) network: bool,
    /// Free bytes and files; `None` if that is not known or not limited.
    pub(crate) free_bytes: Option<u64>,
    pub(crate) free_files: Option<u64>,
    pub(crate) copy_on_write: CopyOnWrite,
    pub(crate) labels: Labels,
    pub(crate) seal: SealFacts,
}

/// The `SELinux` labels of the store, where `SELinux` enforces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Labels {
    /// It does not, or login programs may use what carries these labels.
    #[default]
    Fine,
    /// They cannot be read.
    Unknown,
    /// This path carries this one, and login programs may not use it.
    Other(PathBuf, String),
}

/// The socket of the broker.
pub(crate) enum Broker {
    /// It is not set up, or all is well.
    Fine,
    /// Its unit is installed, and there is no socket.
    NotStarted,
    /// Users would not trust it.
    Fault(StoreError),
}

impl StoreFacts {
    pub(super) fn gather(installation: &Installation<'_>) -> Self {
        let root = &installation.config.store.directory;
        // The first that is wrong: what is below it cannot be judged.
        let fault = files::check_folder(root)
            .err()
            .or_else(|| installation.store.reading().err())
            .or_else(|| installation.store.check_identity().err());
        let space = statvfs(root).ok();
        // Zero in all is what a file system without such a limit says.
        let free = |all: u64, left: u64| (all > 0).then_some(left);
        Self {
            faults: fault.into_iter().collect(),
            // What cannot be read is no reason to warn.
            missing_mount: mounts::missing_above(root).ok().flatten(),
            read_only: space.is_some_and(|space| space.flags().contains(FsFlags::ST_RDONLY)),
            network: statfs(root).is_ok_and(|known| known.filesystem_type() == NFS_SUPER_MAGIC),
            free_bytes: space.and_then(|space| {
                free(wide(space.blocks()), wide(space.blocks_available()).saturating_mul(wide(space.fragment_size())))
            }),
            free_files: space.and_then(|space| free(wide(space.files()), wide(space.files_available()))),
            // A store that cannot be opened is among the faults already.
            copy_on_write: CopyOnWrite::find(&installation.store.states).unwrap_or_default(),
            seal: SealFacts::gather(installation.store),
            labels: if selinux::enforces() { Labels::below(root) } else { Labels::Fine },
        }
    }
}

/// A count of statvfs(3), which has 32 bits on some processors.
fn wide(count: impl Into<u64>) -> u64 {
    count.into()
}

impl Labels {
    /// Of the store and of everything in it: a backup that is put back may lose that of one file alone.
    fn below(root: &Path) -> Self {
        let mut paths = vec![root.to_owned()];
        for folder in ["credentials", "state"].map(|name| root.join(name)) {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            paths.extend(entries.map(|entry| entry.path()));
            paths.push(folder);
        }
        let Some(stat) = programs::find("stat") else {
            return Self::Unknown;
        };
        // Not too many arguments for the kernel.
        paths
            .chunks(1000)
            .map(|paths| Self::read(&stat, paths))
            .find(|labels| *labels != Self::Fine)
            .unwrap_or_default()
    }

    fn read(stat: &Path, paths: &[PathBuf]) -> Self {
        let format = ["--format=%C", "--"].map(OsStr::new);
        let arguments: Vec<&OsStr> = format.into_iter().chain(paths.iter().map(|path| path.as_os_str())).collect();
        let Ok(said) = programs::run(stat, &arguments) else {
            return Self::Unknown;
        };
        let labels: Vec<&str> = said.output.lines().collect();
        if labels.len() != paths.len() {
            return Self::Unknown;
        }
        let of_type = |label: &str| label.split(':').nth(2).map(str::to_owned);
        for (path, label) in paths.iter().zip(labels) {
            match of_type(label).as_deref() {
                None => return Self::Unknown,
                Some(selinux::LABEL) => {}
                Some(other) => return Self::Other(path.clone(), other.to_owned()),
            }
        }
        Self::Fine
    }
}

impl Broker {
    pub(super) fn of_host() -> Self {
        const UNITS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
        let set_up = UNITS.iter().any(|folder| Path::new(folder).join("twinlockd.socket").exists());
        match files::check_socket(Path::new(SOCKET)) {
            Ok(()) => Self::Fine,
            Err(_) if !Path::new(SOCKET).exists() => {
                if set_up {
                    Self::NotStarted
                } else {
                    Self::Fine
                }
            }
            Err(error) => Self::Fault(error),
        }
    }
}
