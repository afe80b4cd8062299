//! Reads files that users made, as root, without lending them root's eyes.
//!
//! google-authenticator changes its file system user id for this. That cannot be done safely from Rust, is the whole
//! thread's, and says nothing about who *wrote* what is read. The equivalent here: no symbolic link is followed, and
//! what the opened descriptor shows must be a regular file of the user (or of root, who may have put it there) that
//! nobody else can read. So a user can point root at nothing but their own files; a hard link to one of root's shows
//! its content to nobody, because a refusal never repeats any of it. Nothing is ever written.

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{OFlag, open, openat},
    sys::stat::{Mode, SFlag, fstat},
};
use twinlock_service::import::google_authenticator;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Where google-authenticator keeps its file, in the user's home.
pub(super) const NAME: &str = ".google_authenticator";

/// Never blocks on a FIFO, never takes a terminal.
const FILE: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_CLOEXEC).union(OFlag::O_NOFOLLOW).union(OFlag::O_NOCTTY).union(OFlag::O_NONBLOCK);

/// Through a folder one only goes.
const FOLDER: OFlag = OFlag::O_PATH.union(OFlag::O_CLOEXEC).union(OFlag::O_DIRECTORY);

/// A file that is not read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) path: PathBuf,
    pub(crate) kind: UnreadableKind,
}

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum UnreadableKind {
    SymbolicLink,
    NotAFile,
    Owner { uid: u32, wanted: u32 },
    Readable(u32),
    TooLarge(usize),
    Changing,
    Failed(std::io::Error),
}

/// The file of google-authenticator in a home; `None` if there is none, or no home.
///
/// The path of the home is what the passwd database says: links on it are root's own.
pub(super) fn in_home(home: &Path, uid: u32) -> Result<Option<Zeroizing<Vec<u8>>>, Unreadable> {
    let path = home.join(NAME);
    let folder = match open(home, FOLDER, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(errno) => return Err(failed(&path, errno)),
    };
    match openat(&folder, NAME, FILE, Mode::empty()) {
        Ok(file) => read(file, &path, &[uid, 0], google_authenticator::LARGEST).map(Some),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(failed(&path, errno)),
    }
}

/// A file that was named. No part of its path may be a symbolic link, since others may own a folder on it.
pub(super) fn at(path: &Path, owners: &[u32], limit: usize) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let start = if path.is_absolute() { "/" } else { "." };
    let mut folder = open(start, FOLDER, Mode::empty()).map_err(|errno| failed(path, errno))?;
    let mut parts = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir)).peekable();
    let mut at = PathBuf::from(if path.is_absolute() { "/" } else { "" });
    while let Some(part) = parts.next() {
        at.push(part);
        if parts.peek().is_none() {
            let file = openat(&folder, part.as_os_str(), FILE, Mode::empty()).map_err(|errno| failed(&at, errno))?;
            return read(file, &at, owners, limit);
        }
        folder = openat(&folder, part.as_os_str(), FOLDER | OFlag::O_NOFOLLOW, Mode::empty()).map_err(|errno| {
            // A symbolic link is no folder either; say which it is.
            let is_link = errno == Errno::ENOTDIR && at.is_symlink();
            failed(&at, if is_link { Errno::ELOOP } else { errno })
        })?;
    }
    Err(Unreadable { path: path.to_owned(), kind: UnreadableKind::NotAFile })
}

fn read(file: OwnedFd, path: &Path, owners: &[u32], limit: usize) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let refused = |kind| Unreadable { path: path.to_owned(), kind };
    let stat = fstat(&file).map_err(|errno| failed(path, errno))?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(refused(UnreadableKind::NotAFile));
    }
    if !owners.contains(&stat.st_uid) {
        let wanted = owners.iter().max().copied().unwrap_or(0);
        return Err(refused(UnreadableKind::Owner { uid: stat.st_uid, wanted }));
    }
    if Mode::from_bits_truncate(stat.st_mode).intersects(Mode::S_IRWXG | Mode::S_IRWXO) {
        return Err(refused(UnreadableKind::Readable(stat.st_mode & 0o7777)));
    }
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size > limit {
        return Err(refused(UnreadableKind::TooLarge(limit)));
    }
    // Full capacity at once: a growing buffer would leave copies of secrets behind.
    let room = size.saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = File::from(file).take(u64::try_from(room).unwrap_or(0)).read_to_end(&mut bytes);
    read.map_err(|error| refused(UnreadableKind::Failed(error)))?;
    if bytes.len() == size { Ok(bytes) } else { Err(refused(UnreadableKind::Changing)) }
}

fn failed(path: &Path, errno: Errno) -> Unreadable {
    #[allow(clippy::wildcard_enum_match_arm, reason = "every other errno is said as it is")]
    let kind = match errno {
        Errno::ELOOP => UnreadableKind::SymbolicLink,
        // A socket.
        Errno::ENXIO => UnreadableKind::NotAFile,
        other => UnreadableKind::Failed(other.into()),
    };
    Unreadable { path: path.to_owned(), kind }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::refused(unreadable.to_string()).hint(unreadable.hint(None))
    }
}
