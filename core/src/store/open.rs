//! Opening files and folders that can be trusted: no symbolic link anywhere on the path, root's, closed to others.
//!
//! Everything is checked on descriptors, never on names, and the descriptors stay out of the host's way: close-on-exec,
//! and never 0 to 2, where a host that closed them would write its own messages into ours.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, mkdirat},
};
use zeroize::Zeroizing;

use crate::ports::{Fault, StoreError};

/// A folder that was walked to safely. Names are looked up in it, not in its path.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Root alone: secrets and state.
    Root,
    /// Everybody: the configuration.
    All,
}

const BASE: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NOFOLLOW).union(OFlag::O_NOCTTY).union(OFlag::O_NONBLOCK);

impl Folder {
    /// Walks to `path`, checking every folder on the way but `/` itself, through which this very code was loaded.
    /// The last one must be closed to others if `readers` says so.
    pub(super) fn open(path: &Path, readers: Readers) -> Result<Self, StoreError> {
        let mut parts = Vec::new();
        for part in path.components() {
            match part {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => parts.push(name),
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(error(path, Fault::Path));
                }
            }
        }
        if !path.is_absolute() {
            return Err(error(path, Fault::Path));
        }
        let mut at = PathBuf::from("/");
        let mut folder = Self { fd: open_root(&at)?, path: at.clone() };
        let last = parts.len();
        for (number, name) in (1..).zip(parts) {
            at.push(name);
            folder = Self { fd: folder.open_part(Path::new(name), &at)?, path: at.clone() };
            let readers = if number == last { readers } else { Readers::All };
            check(&folder.stat()?, &at, SFlag::S_IFDIR, readers)?;
        }
        Ok(folder)
    }

    fn open_part(&self, name: &Path, path: &Path) -> Result<OwnedFd, StoreError> {
        match openat(&self.fd, name, BASE | OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty()) {
            Ok(fd) => above_stdio(fd, path),
            // A symbolic link is no directory either; say which it is.
            Err(Errno::ENOTDIR) if self.is_symlink(name) => Err(error(path, Fault::SymbolicLink)),
            Err(errno) => Err(error(path, opening(errno))),
        }
    }

    fn is_symlink(&self, name: &Path) -> bool {
        openat(&self.fd, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
            .ok()
            .and_then(|fd| fstat(&fd).ok())
            .is_some_and(|stat| kind(&stat) == SFlag::S_IFLNK)
    }

    fn stat(&self) -> Result<FileStat, StoreError> {
        fstat(&self.fd).map_err(|errno| error(&self.path, Fault::Read(errno.into())))
    }

    /// Opens a file of the folder, checked. `None` if there is none.
    pub(super) fn file(&self, name: &str, access: OFlag, readers: Readers) -> Result<Option<File>, StoreError> {
        let path = self.path_of(name);
        let fd = match openat(&self.fd, name, BASE | access, Mode::empty()) {
            Ok(fd) => above_stdio(fd, &path)?,
            Err(Errno::ENOENT) => return Ok(None),
            Err(errno) => return Err(error(&path, opening(errno))),
        };
        let stat = fstat(&fd).map_err(|errno| error(&path, Fault::Read(errno.into())))?;
        check(&stat, &path, SFlag::S_IFREG, readers)?;
        Ok(Some(File::from(fd)))
    }

    /// Reads a file of the folder, at most `limit` bytes. `None` if there is none.
    pub(super) fn read(
        &self,
        name: &str,
        readers: Readers,
        limit: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some(file) = self.file(name, OFlag::O_RDONLY, readers)? else {
            return Ok(None);
        };
        let failed = |e| error(&self.path_of(name), Fault::Read(e));
        let size = file.metadata().map_err(failed)?.len();
        if size > limit {
            return Err(error(&self.path_of(name), Fault::TooLarge(limit)));
        }
        // Room for all of it and the end at once: a growing buffer would leave copies of secrets behind. One as large as
        // the limit would cost more to wipe than all the rest of a login.
        let room = usize::try_from(size).unwrap_or(0).saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        // Half a configuration is no configuration: a rule cut off in the middle may let in more than the whole one.
        if bytes.len().saturating_add(1) != room {
            return Err(failed(std::io::Error::other("it was changed while it was read")));
        }
        Ok(Some(bytes))
    }

    /// Makes a new file of the folder for root alone, whatever the umask is.
    pub(super) fn create(&self, name: &str) -> Result<File, StoreError> {
        let path = self.path_of(name);
        let failed = |errno: Errno| error(&path, Fault::Write(errno.into()));
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let fd = openat(&self.fd, name, BASE | OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL, mode).map_err(failed)?;
        let fd = above_stdio(fd, &path)?;
        fchmod(&fd, mode).map_err(failed)?;
        Ok(File::from(fd))
    }

    /// Puts `from` in the place of `to`, in one step.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        nix::fcntl::renameat(&self.fd, from, &self.fd, to)
            .map_err(|errno| error(&self.path_of(to), Fault::Write(errno.into())))
    }

    /// Removes a file of the folder; false if there was none.
    pub(super) fn remove(&self, name: &str) -> Result<bool, StoreError> {
        match nix::unistd::unlinkat(&self.fd, name, nix::unistd::UnlinkatFlags::NoRemoveDir) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(error(&self.path_of(name), Fault::Write(errno.into()))),
        }
    }

    /// Makes the folder's entries durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        nix::unistd::fsync(&self.fd).map_err(|errno| error(&self.path, Fault::Write(errno.into())))
    }

    /// Where a file of the folder is, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder's descriptor as a file, to be locked.
    pub(super) fn into_file(self) -> File {
        File::from(self.fd)
    }
}

/// Makes a folder, mode 0700, if it is not there; its parent must be.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(error(path, Fault::Path));
    };
    let parent = Folder::open(parent, Readers::All)?;
    match mkdirat(&parent.fd, name, Mode::S_IRWXU) {
        Ok(()) => parent.sync()?,
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(error(path, Fault::Write(errno.into()))),
    }
    Folder::open(path, Readers::Root).map(|_| ())
}

/// Reads the file at `path`, at most `limit` bytes; every folder on the way is checked.
pub(super) fn read(path: &Path, readers: Readers, limit: u64) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(std::ffi::OsStr::to_str)) else {
        return Err(error(path, Fault::Path));
    };
    let folder = Folder::open(parent, Readers::All)?;
    folder.read(name, readers, limit)?.ok_or_else(|| error(path, Fault::Missing))
}

/// Checks that a socket and every folder on the way to it are root's. Anybody may write to the socket itself.
pub(super) fn check_socket(path: &Path) -> Result<(), StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(error(path, Fault::Path));
    };
    let folder = Folder::open(parent, Readers::All)?;
    let fd = openat(&folder.fd, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
        .map_err(|errno| error(path, opening(errno)))?;
    let stat = fstat(&fd).map_err(|errno| error(path, Fault::Read(errno.into())))?;
    let fault = match kind(&stat) {
        SFlag::S_IFSOCK if stat.st_uid == 0 => return Ok(()),
        SFlag::S_IFSOCK => Fault::Owner(stat.st_uid),
        SFlag::S_IFLNK => Fault::SymbolicLink,
        _ => Fault::NotASocket,
    };
    Err(error(path, fault))
}

pub(super) fn error(path: &Path, fault: Fault) -> StoreError {
    StoreError { path: path.to_owned(), fault }
}

fn open_root(path: &Path) -> Result<OwnedFd, StoreError> {
    let fd = nix::fcntl::open(path, BASE | OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty());
    above_stdio(fd.map_err(|errno| error(path, opening(errno)))?, path)
}

#[allow(clippy::wildcard_enum_match_arm, reason = "every other errno is said as it is")]
fn opening(errno: Errno) -> Fault {
    match errno {
        Errno::ENOENT => Fault::Missing,
        Errno::ELOOP => Fault::SymbolicLink,
        Errno::ENOTDIR => Fault::NotAFolder,
        // A folder opened for writing; a socket or a FIFO without a reader.
        Errno::EISDIR | Errno::ENXIO => Fault::NotAFile,
        other => Fault::Read(other.into()),
    }
}

fn above_stdio(fd: OwnedFd, path: &Path) -> Result<OwnedFd, StoreError> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    // The standard library duplicates to 3 and above.
    fd.as_fd().try_clone_to_owned().map_err(|e| error(path, Fault::Read(e)))
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn check(stat: &FileStat, path: &Path, wanted: SFlag, readers: Readers) -> Result<(), StoreError> {
    if kind(stat) != wanted {
        return Err(error(path, if wanted == SFlag::S_IFDIR { Fault::NotAFolder } else { Fault::NotAFile }));
    }
    if stat.st_uid != 0 {
        return Err(error(path, Fault::Owner(stat.st_uid)));
    }
    let forbidden = match readers {
        Readers::Root => Mode::S_IRWXG | Mode::S_IRWXO,
        Readers::All => Mode::S_IWGRP | Mode::S_IWOTH,
    };
    if Mode::from_bits_truncate(stat.st_mode).intersects(forbidden) {
        return Err(error(path, Fault::Mode { mode: stat.st_mode & 0o7777, forbidden: forbidden.bits() }));
    }
    Ok(())
}
