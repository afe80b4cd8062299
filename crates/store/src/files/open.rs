//! Opening files and folders that can be trusted: no symbolic link anywhere on the path, root's, closed to others.
//!
//! Everything is checked on descriptors, never on names, and the descriptors stay out of the host's way: close-on-exec,
//! and never 0 to 2, where a host that closed them would write its own messages into ours.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat, mkdirat},
};
use zeroize::Zeroizing;

use crate::ports::{StoreError, StoreErrorKind};

/// A folder that was walked to safely. Names are looked up in it, not in its path. Its descriptor says where it is and
/// no more (`O_PATH`): half the work for the kernel, and a folder need not be readable to be gone through.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    visibility: Visibility,
}

/// Whether every account can read a file: its own mode says so, and that of each folder on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    /// Every account can.
    Everybody,
    /// Some account cannot.
    Restricted,
}

/// What was read of a file.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) visibility: Visibility,
}

/// The users who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Root alone: secrets and state.
    Root,
    /// Everybody: the configuration.
    All,
}

const BASE: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NOFOLLOW).union(OFlag::O_NOCTTY).union(OFlag::O_NONBLOCK);
/// For what is only looked at or gone through.
const PLACE: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Folder {
    /// Walks to `path`, checking every folder on the way but `/` itself, through which this very code was loaded.
    /// The last one must be closed to others if `readers` says so.
    pub(super) fn open(path: &Path, readers: Readers) -> Result<Self, StoreError> {
        let mut names = Vec::new();
        for part in path.components() {
            match part {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => names.push(Path::new(name)),
                Component::ParentDir | Component::Prefix(_) => return Err(error(path, StoreErrorKind::Path)),
            }
        }
        if !path.is_absolute() {
            return Err(error(path, StoreErrorKind::Path));
        }
        let last = names.len();
        let mut steps = (1..).map(|number| if number == last { readers } else { Readers::All }).zip(names);
        let root = Path::new("/");
        let Some((readers, name)) = steps.next() else {
            let fd = nix::fcntl::open(root, PLACE | OFlag::O_DIRECTORY, Mode::empty());
            let fd = above_stdio(fd.map_err(|errno| error(root, opening(errno)))?, root)?;
            return Ok(Self { fd, path: root.to_owned(), visibility: Visibility::Everybody });
        };
        // The first step starts from `/` by its name.
        let path = root.join(name);
        let mut folder = Self::enter((AT_FDCWD, Visibility::Everybody), &path, path.clone(), readers)?;
        for (readers, name) in steps {
            folder = folder.folder(name, readers)?;
        }
        Ok(folder)
    }

    /// Steps into a folder of this one, checked.
    pub(super) fn folder(&self, name: impl AsRef<Path>, readers: Readers) -> Result<Self, StoreError> {
        let path = self.path.join(&name);
        Self::enter((self.fd.as_fd(), self.visibility), name.as_ref(), path, readers)
    }

    /// Opens the folder `name` as it is found from another, and checks it.
    fn enter(
        (from, visibility): (BorrowedFd<'_>, Visibility),
        name: &Path,
        path: PathBuf,
        readers: Readers,
    ) -> Result<Self, StoreError> {
        let fd = match openat(from, name, PLACE | OFlag::O_DIRECTORY, Mode::empty()) {
            Ok(fd) => above_stdio(fd, &path)?,
            // A symbolic link is no directory either; say which it is.
            Err(Errno::ENOTDIR) if is_symlink(from, name) => return Err(error(&path, StoreErrorKind::SymbolicLink)),
            Err(errno) => return Err(error(&path, opening(errno))),
        };
        let stat = stat(&fd, &path)?;
        check(&stat, &path, SFlag::S_IFDIR, readers)?;
        Ok(Self { fd, path, visibility: visibility.and(&stat, Mode::S_IXOTH) })
    }

    /// Opens a file of the folder, checked. `None` if there is none.
    pub(super) fn file(&self, name: &str, access: OFlag, readers: Readers) -> Result<Option<File>, StoreError> {
        Ok(self.sized(name, access, readers)?.map(|(file, _)| file))
    }

    /// The same with its size.
    pub(super) fn sized(&self, name: &str, access: OFlag, readers: Readers) -> Result<Option<(File, u64)>, StoreError> {
        Ok(self.opened(name, access, readers)?.map(|(file, stat)| (file, size(&stat))))
    }

    fn opened(&self, name: &str, access: OFlag, readers: Readers) -> Result<Option<(File, FileStat)>, StoreError> {
        let Some(file) = self.unchecked_file(name, access)? else {
            return Ok(None);
        };
        let stat = self.check_file(&file, name, readers)?;
        Ok(Some((file, stat)))
    }

    /// Opens a file of the folder that [`Folder::check_file`] must find sound before anything is done with it but to lock it.
    pub(super) fn unchecked_file(&self, name: &str, access: OFlag) -> Result<Option<File>, StoreError> {
        let path = self.path_of(name);
        match openat(&self.fd, name, BASE | access, Mode::empty()) {
            Ok(fd) => Ok(Some(File::from(above_stdio(fd, &path)?))),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(error(&path, opening(errno))),
        }
    }

    /// Checks a file that was opened under this name.
    pub(super) fn check_file(&self, file: &File, name: &str, readers: Readers) -> Result<FileStat, StoreError> {
        let path = self.path_of(name);
        let stat = stat(file, &path)?;
        check(&stat, &path, SFlag::S_IFREG, readers)?;
        Ok(stat)
    }

    /// Whether the folder has anything of this name.
    pub(super) fn has(&self, name: &str) -> Result<bool, StoreError> {
        match fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(error(&self.path_of(name), opening(errno))),
        }
    }

    /// Reads a file of the folder, at most `limit` bytes. `None` if there is none.
    pub(super) fn read(
        &self,
        name: &str,
        readers: Readers,
        limit: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        Ok(self.read_visible(name, readers, limit)?.map(|content| content.bytes))
    }

    /// The same with whether every account can read the file.
    fn read_visible(&self, name: &str, readers: Readers, limit: u64) -> Result<Option<Content>, StoreError> {
        let Some((mut file, stat)) = self.opened(name, OFlag::O_RDONLY, readers)? else {
            return Ok(None);
        };
        let size = size(&stat);
        let failed = |e| error(&self.path_of(name), StoreErrorKind::Read(e));
        if size > limit {
            return Err(error(&self.path_of(name), StoreErrorKind::TooLarge(limit)));
        }
        // Room for all of it and one byte more: a growing buffer would leave copies of secrets behind. One as large as the
        // limit would cost more to wipe than all the rest of a login.
        let room = usize::try_from(size).unwrap_or(0).saturating_add(1);
        let mut bytes = Zeroizing::new(vec![0; room]);
        let read = fill(&mut file, &mut bytes).map_err(failed)?;
        // Half a configuration is no configuration: a rule cut off in the middle may let in more than the whole one.
        if read.saturating_add(1) != room {
            return Err(failed(std::io::Error::other("it was changed while it was read")));
        }
        bytes.truncate(read);
        Ok(Some(Content { bytes, visibility: self.visibility.and(&stat, Mode::S_IROTH) }))
    }

    /// Writes a file of the folder whole or not at all, and makes it durable. As for [`Folder::replace`].
    pub(super) fn write(&self, name: &str, readers: Readers, content: &[u8]) -> Result<(), StoreError> {
        self.replace(name, |draft| {
            let mut file = self.create(draft, readers)?;
            let written = file.write_all(content).and_then(|()| file.sync_all());
            written.map_err(|e| error(&self.path_of(draft), StoreErrorKind::Write(e)))
        })
    }

    /// Puts a new file, which `write` makes under a draft's name, in the place of `name`. The caller holds a lock that all
    /// writers of the file take: a draft that is there already was left by a process that died.
    pub(super) fn replace<T>(
        &self,
        name: &str,
        write: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let draft = format!(".{name}.new");
        self.remove(&draft)?;
        let made = write(&draft).and_then(|made| self.rename(&draft, name).map(|()| made));
        if made.is_err() {
            self.remove(&draft)?;
        }
        let made = made?;
        self.sync()?;
        Ok(made)
    }

    /// Makes a new file of the folder that these may read and root alone may write, whatever the umask is.
    pub(super) fn create(&self, name: &str, readers: Readers) -> Result<File, StoreError> {
        let path = self.path_of(name);
        let failed = |errno: Errno| error(&path, StoreErrorKind::Write(errno.into()));
        let mode = Mode::S_IRUSR
            | Mode::S_IWUSR
            | match readers {
                Readers::Root => Mode::empty(),
                Readers::All => Mode::S_IRGRP | Mode::S_IROTH,
            };
        let fd = openat(&self.fd, name, BASE | OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL, mode).map_err(failed)?;
        let fd = above_stdio(fd, &path)?;
        fchmod(&fd, mode).map_err(failed)?;
        Ok(File::from(fd))
    }

    /// Puts `from` in the place of `to`, in one step.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        nix::fcntl::renameat(&self.fd, from, &self.fd, to)
            .map_err(|errno| error(&self.path_of(to), StoreErrorKind::Write(errno.into())))
    }

    /// Removes a file of the folder; false if there was none.
    pub(super) fn remove(&self, name: &str) -> Result<bool, StoreError> {
        match nix::unistd::unlinkat(&self.fd, name, nix::unistd::UnlinkatFlags::NoRemoveDir) {
            Ok(()) => Ok(true),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(error(&self.path_of(name), StoreErrorKind::Write(errno.into()))),
        }
    }

    /// The names of its files in order, without those that are being written, which begin with a dot.
    pub(super) fn file_names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.all_names()?.into_iter().filter(|name| !name.starts_with('.')).collect())
    }

    /// The names of those that begin with a dot: what is being written, and what waits.
    pub(super) fn draft_names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.all_names()?.into_iter().filter(|name| name.starts_with('.')).collect())
    }

    fn all_names(&self) -> Result<Vec<String>, StoreError> {
        let failed = |e| error(&self.path, StoreErrorKind::Read(e));
        let mut names = Vec::new();
        // The folder was just found sound, and with it every folder on the way.
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.to_str().map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the folder's entries durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.as_file()?.sync_all().map_err(|e| error(&self.path, StoreErrorKind::Write(e)))
    }

    /// The same folder once more.
    pub(super) fn try_clone(&self) -> Result<Self, StoreError> {
        let fd = self.fd.try_clone().map_err(|e| error(&self.path, StoreErrorKind::Read(e)))?;
        Ok(Self { fd, path: self.path.clone(), visibility: self.visibility })
    }

    /// Checks that the folder is closed to all but these, where it was opened for more.
    pub(super) fn check_readers(&self, readers: Readers) -> Result<(), StoreError> {
        check(&stat(&self.fd, &self.path)?, &self.path, SFlag::S_IFDIR, readers)
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of the folder is, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder opened for reading, to be synced or locked.
    pub(super) fn as_file(&self) -> Result<File, StoreError> {
        let fd = openat(&self.fd, ".", BASE | OFlag::O_RDONLY | OFlag::O_DIRECTORY, Mode::empty());
        above_stdio(fd.map_err(|errno| error(&self.path, opening(errno)))?, &self.path).map(File::from)
    }
}

fn is_symlink(from: BorrowedFd<'_>, name: &Path) -> bool {
    let fd = openat(from, name, PLACE, Mode::empty());
    fd.ok().and_then(|fd| fstat(fd).ok()).is_some_and(|stat| kind(&stat) == SFlag::S_IFLNK)
}

/// The folder that a path leads to but for its last name, and that name.
fn parent_of(path: &Path) -> Result<(Folder, &OsStr), StoreError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(error(path, StoreErrorKind::Path));
    };
    Ok((Folder::open(parent, Readers::All)?, name))
}

/// Makes a folder, mode 0700, if it is not there; its parent must be.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    let (parent, name) = parent_of(path)?;
    match mkdirat(&parent.fd, name, Mode::S_IRWXU) {
        Ok(()) => parent.sync()?,
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(error(path, StoreErrorKind::Write(errno.into()))),
    }
    Folder::open(path, Readers::Root).map(|_| ())
}

impl Visibility {
    /// What is left of it behind a folder or file of which others need this permission.
    const fn and(self, stat: &FileStat, permission: Mode) -> Self {
        if stat.st_mode & permission.bits() == 0 { Self::Restricted } else { self }
    }
}

/// Reads the file at `path`, at most `limit` bytes, and says whether every account can; every folder on the way is checked.
pub(super) fn read(path: &Path, readers: Readers, limit: u64) -> Result<Content, StoreError> {
    let (folder, name) = parent_of(path)?;
    let name = name.to_str().ok_or_else(|| error(path, StoreErrorKind::Path))?;
    folder.read_visible(name, readers, limit)?.ok_or_else(|| error(path, StoreErrorKind::Missing))
}

/// Checks that a socket and every folder on the way to it are root's. Anybody may write to the socket itself.
pub(super) fn check_socket(path: &Path) -> Result<(), StoreError> {
    let (folder, name) = parent_of(path)?;
    let fd = openat(&folder.fd, name, PLACE, Mode::empty()).map_err(|errno| error(path, opening(errno)))?;
    let stat = stat(&fd, path)?;
    let fault = match kind(&stat) {
        SFlag::S_IFSOCK if stat.st_uid == 0 => return Ok(()),
        SFlag::S_IFSOCK => StoreErrorKind::Owner(stat.st_uid),
        SFlag::S_IFLNK => StoreErrorKind::SymbolicLink,
        _ => StoreErrorKind::NotASocket,
    };
    Err(error(path, fault))
}

pub(super) fn error(path: &Path, kind: StoreErrorKind) -> StoreError {
    StoreError { path: path.to_owned(), kind }
}

fn stat(fd: impl AsFd, path: &Path) -> Result<FileStat, StoreError> {
    fstat(fd).map_err(|errno| error(path, StoreErrorKind::Read(errno.into())))
}

/// Reads into `bytes`, which has room for one byte more than the file is expected to have, and says how much was read. A read
/// that asked for that byte as well and brought all the others has met the end of the file.
fn fill(file: &mut File, bytes: &mut [u8]) -> std::io::Result<usize> {
    let mut read = 0usize;
    loop {
        match file.read(bytes.get_mut(read..).unwrap_or_default()) {
            Ok(0) => return Ok(read),
            Ok(more) => read = read.saturating_add(more),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        }
        if read.saturating_add(1) >= bytes.len() {
            return Ok(read);
        }
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "every other errno is said as it is")]
fn opening(errno: Errno) -> StoreErrorKind {
    match errno {
        Errno::ENOENT => StoreErrorKind::Missing,
        Errno::ELOOP => StoreErrorKind::SymbolicLink,
        Errno::ENOTDIR => StoreErrorKind::NotAFolder,
        // A folder opened for writing; a socket or a FIFO without a reader.
        Errno::EISDIR | Errno::ENXIO => StoreErrorKind::NotAFile,
        other => StoreErrorKind::Read(other.into()),
    }
}

/// The descriptor, or another one in its place where it has the number of a standard stream.
/// # Errors
/// The kernel's.
pub fn off_stdio(fd: OwnedFd) -> std::io::Result<OwnedFd> {
    // The standard library duplicates to 3 and above.
    if fd.as_raw_fd() > 2 { Ok(fd) } else { fd.try_clone() }
}

fn above_stdio(fd: OwnedFd, path: &Path) -> Result<OwnedFd, StoreError> {
    off_stdio(fd).map_err(|e| error(path, StoreErrorKind::Read(e)))
}

pub(super) fn size(stat: &FileStat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(u64::MAX)
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn check(stat: &FileStat, path: &Path, wanted: SFlag, readers: Readers) -> Result<(), StoreError> {
    if kind(stat) != wanted {
        return Err(error(
            path,
            if wanted == SFlag::S_IFDIR { StoreErrorKind::NotAFolder } else { StoreErrorKind::NotAFile },
        ));
    }
    if stat.st_uid != 0 {
        return Err(error(path, StoreErrorKind::Owner(stat.st_uid)));
    }
    let forbidden = match readers {
        Readers::Root => Mode::S_IRWXG | Mode::S_IRWXO,
        Readers::All => Mode::S_IWGRP | Mode::S_IWOTH,
    };
    if Mode::from_bits_truncate(stat.st_mode).intersects(forbidden) {
        return Err(error(path, StoreErrorKind::Mode { mode: stat.st_mode & 0o7777, forbidden: forbidden.bits() }));
    }
    Ok(())
}
